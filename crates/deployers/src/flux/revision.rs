//! Flux's way to write a revision.

use cfgupdater_core::CommitId;

/// Reads the commit of a revision: `main@sha1:…`, `refs/tags/v1@sha1:…`, `sha1:…`, or `main/…` as old versions wrote it.
/// A chart's version or the digest of an artefact that doesn't tell its origin is none.
pub(super) fn commit(text: &str) -> Option<CommitId> {
    let text = text.rsplit('@').next()?;
    let digits = match text.split_once(':') {
        Some(("sha1", digits)) => digits,
        Some(("sha256", digits)) => digits,
        Some(_) => return None,
        None => text.rsplit('/').next()?,
    };
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_write_a_commit_is_read() {
        let sha = "1111111111111111111111111111111111111111";
        let forms = ["main@sha1:SHA", "refs/heads/a/b@sha1:SHA", "sha1:SHA", "main/SHA", "a/b/SHA", "SHA"];
        for form in forms {
            assert_eq!(commit(&form.replace("SHA", sha)), Some(sha.parse().unwrap()), "{form}");
        }
        let long = "2".repeat(64);
        assert_eq!(commit(&format!("main@sha256:{long}")), Some(long.parse().unwrap()));
        for none in
            ["", "6.5.4", "main", "main@sha1:", "main@md5:1111", "main@sha1:1111", "0.1.0+111111111111"]
        {
            assert_eq!(commit(none), None, "{none}");
        }
    }
}
