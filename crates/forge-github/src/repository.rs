//! Targets within one repository.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::settings::RepositoryName;

/// What may stand in a path as it is.
const KEPT: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Returns the path of something in a repository; `{}` is nothing special, parts are encoded one by one.
pub(crate) fn target(repository: &RepositoryName, parts: &[&str]) -> String {
    let mut path = format!("/repos/{repository}");
    for part in parts {
        path.push('/');
        path.push_str(&encoded(part));
    }
    path
}

/// Returns a text as it may stand in a path or a query.
pub(crate) fn encoded(part: &str) -> String {
    utf8_percent_encode(part, &KEPT).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_branch_with_a_slash_is_one_part() {
        let repository = "acme/cfg".parse().unwrap();
        assert_eq!(
            target(&repository, &["rules", "branches", "release/1.x?"]),
            "/repos/acme/cfg/rules/branches/release%2F1.x%3F"
        );
    }
}
