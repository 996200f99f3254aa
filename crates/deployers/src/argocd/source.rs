//! [`SourceUrl`]: a repository's address, however it is written.

/// A repository's address reduced to host and path, so that `git@host:a/b.git` and `https://host/a/b` are the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceUrl(String);

impl SourceUrl {
    /// Reads an address. What isn't one is equal only to itself.
    pub fn new(url: &str) -> Self {
        let url = url.trim();
        let (rest, scp) = match url.split_once("://") {
            Some((_, rest)) => (rest, false),
            None => (url, true),
        };
        let (host, path) = match rest.find(if scp { [':', '/'] } else { ['/', '/'] }) {
            Some(at) => (&rest[..at], &rest[at + 1..]),
            None => (rest, ""),
        };
        let host = host.rsplit('@').next().unwrap_or_default();
        let host = host.split(':').next().unwrap_or_default().to_ascii_lowercase();
        let path = path.trim_matches('/').trim_end_matches(".git");
        Self(format!("{host}/{path}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_repository_has_many_addresses() {
        let one = SourceUrl::new("https://git.example.com/acme/cfg-app.git");
        for same in [
            "https://git.example.com/acme/cfg-app",
            "https://user@GIT.example.com:443/acme/cfg-app/",
            "ssh://git@git.example.com:2222/acme/cfg-app.git",
            "git@git.example.com:acme/cfg-app.git",
        ] {
            assert_eq!(SourceUrl::new(same), one, "{same}");
        }
        for other in ["https://git.example.com/acme/cfg", "https://example.com/acme/cfg-app", "", "oci://x"] {
            assert_ne!(SourceUrl::new(other), one, "{other}");
        }
        assert_eq!(SourceUrl::new("file:///srv/cfg.git"), SourceUrl::new("file:///srv/cfg"));
    }
}
