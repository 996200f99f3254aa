//! The tag that a branch's images have.

use cfgupdater_core::ImageDigest;

/// Longest tag that registries take.
const LONGEST: usize = 128;

/// Returns the tag for a branch: what is not a letter, a digit, `.` or `-` becomes `_`.
///
/// Beyond that rule, which scripts share, a tag that no registry would take is mended: one that starts with `.` or `-`
/// starts with `_` instead, and a long one ends with a part of the name's hash. Branches such as `a/b` and `a_b` have
/// the same tag; it is a cache's address, never an identity.
pub fn branch_tag(branch: &str) -> String {
    let allowed = |c: char| if c.is_ascii_alphanumeric() || c == '.' || c == '-' { c } else { '_' };
    // Bytes, not characters: that is how `tr` counts.
    let mut tag: String = branch.bytes().map(char::from).map(allowed).collect();
    if tag.starts_with(['.', '-']) {
        tag.replace_range(..1, "_");
    }
    if tag.len() > LONGEST {
        tag.truncate(LONGEST - 13);
        tag.push('-');
        tag.push_str(&ImageDigest::of(branch.as_bytes()).hex()[..12]);
    }
    tag
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shared_rule_is_kept() {
        assert_eq!(branch_tag("main"), "main");
        assert_eq!(branch_tag("feature/new_thing-1.2"), "feature_new_thing-1.2");
        assert_eq!(branch_tag("user@x:#1"), "user_x__1");
        assert_eq!(branch_tag("é"), "__");
    }

    #[test]
    fn every_tag_is_one_that_registries_take() {
        assert_eq!(branch_tag("-x"), "_x");
        assert_eq!(branch_tag(".x"), "_x");
        let (one, other) = (branch_tag(&"a".repeat(200)), branch_tag(&"a".repeat(201)));
        assert_eq!((one.len(), other.len()), (LONGEST, LONGEST));
        assert_ne!(one, other);
    }
}
