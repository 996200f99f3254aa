//! [`RemoteUrl`]: where a remote is, without a secret in it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use cfgupdater_core::{Error, ErrorKind};

/// The address of a remote repository: an absolute path, `file://`, `https://`, `http://`, `ssh://` or
/// `user@host:path`. It holds no secret, so it may be logged.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RemoteUrl {
    text: String,
    transport: Transport,
}

/// How a remote is reached.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Transport {
    /// A directory on this machine.
    File(PathBuf),
    /// HTTP or HTTPS; holds `scheme://host[:port]`.
    Http(String),
    Ssh,
}

impl RemoteUrl {
    /// Returns the address as git takes it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn transport(&self) -> &Transport {
        &self.transport
    }

    /// Addresses a repository on this machine.
    ///
    /// # Errors
    /// Refuses a path that isn't absolute or isn't UTF-8.
    pub fn from_path(path: &Path) -> Result<Self, Error> {
        path.to_str().ok_or_else(|| invalid("the path is not UTF-8"))?.parse()
    }
}

impl FromStr for RemoteUrl {
    type Err = Error;

    /// Parses an address. The error never repeats the text, which may hold a secret.
    fn from_str(text: &str) -> Result<Self, Error> {
        if text.is_empty() || text.chars().any(char::is_control) {
            return Err(invalid("it is empty or holds a control character"));
        }
        let transport = match text.split_once("://") {
            Some((scheme, rest)) => by_scheme(scheme, rest)?,
            None if text.starts_with('/') => Transport::File(text.into()),
            None => scp_like(text)?,
        };
        if text.contains(char::is_whitespace) && !matches!(transport, Transport::File(_)) {
            return Err(invalid("it holds a space"));
        }
        Ok(Self { text: text.to_owned(), transport })
    }
}

impl fmt::Display for RemoteUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn by_scheme(scheme: &str, rest: &str) -> Result<Transport, Error> {
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (user, host) =
        authority.rsplit_once('@').map_or((None, authority), |(user, host)| (Some(user), host));
    if host.starts_with('-') || user.is_some_and(|user| user.starts_with('-')) {
        return Err(invalid("the host or user starts with a hyphen"));
    }
    match scheme {
        "file" if authority.is_empty() && path.len() > 1 => Ok(Transport::File(path.into())),
        "file" => {
            Err(invalid("expected three slashes and an absolute path, as in file:///srv/git/config.git"))
        }
        _ if host.is_empty() || path.len() < 2 => Err(invalid("the host or the path is missing")),
        "https" | "http" if user.is_some() => Err(invalid(
            "it holds a user name or a password; take them out and configure a token file or the forge's credentials",
        )),
        "https" | "http" if path.contains(['?', '#']) => Err(invalid("it holds a query or a fragment")),
        "https" | "http" => Ok(Transport::Http(format!("{scheme}://{host}"))),
        "ssh" if user.is_some_and(|user| user.contains(':')) => {
            Err(invalid("it holds a password; take it out and configure an SSH key file"))
        }
        "ssh" => Ok(Transport::Ssh),
        _ => Err(invalid("its scheme is not one of file, https, http and ssh")),
    }
}

/// Reads `user@host:path`. A second colon before the path would name a transport helper (`ext::…`).
fn scp_like(text: &str) -> Result<Transport, Error> {
    match text.split_once(':') {
        Some((host, path))
            if !path.is_empty()
                && !path.starts_with(':')
                && !host.starts_with('-')
                && !host.contains('/') =>
        {
            Ok(Transport::Ssh)
        }
        _ => Err(invalid("expected an absolute path, a URL, or user@host:path")),
    }
}

fn invalid(rule: &str) -> Error {
    Error::new(ErrorKind::Invalid, format!("the repository's address can't be used: {rule}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_addresses_are_taken() {
        for good in [
            "/srv/git/a b.git",
            "file:///srv/git/a.git",
            "https://example.org/a/b.git",
            "https://example.org:8443/a",
            "ssh://git@example.org:22/a.git",
            "git@example.org:a/b.git",
        ] {
            assert_eq!(good.parse::<RemoteUrl>().unwrap().to_string(), good);
        }
    }

    #[test]
    fn a_secret_in_an_address_is_refused_and_not_repeated() {
        for bad in [
            "https://me:canary@example.org/a.git",
            "https://canary@example.org/a.git",
            "ssh://me:canary@example.org/a.git",
            "https://example.org/a.git?token=canary",
        ] {
            let error = bad.parse::<RemoteUrl>().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid, "{bad}");
            assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
        }
    }

    #[test]
    fn helpers_options_and_relative_paths_are_refused() {
        for bad in [
            "",
            "a/b",
            "ext::sh -c id",
            "ext::sh",
            "-oProxyCommand=x:y",
            "ssh://-oProxyCommand=x/y",
            "git://h/a",
            "file://h/a",
            "https://h",
            "https://h/a b",
            "https:///a",
            "/a\nb",
        ] {
            assert!(bad.parse::<RemoteUrl>().is_err(), "{bad:?}");
        }
    }
}
