//! Paths inside a repository that are safe to write.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::name::excerpt;

/// A relative path with `/` between components, that git accepts and that stays inside the tree.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepoPath(String);

/// Says why a text is not a path of a repository.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a path inside a repository: no empty, `.`, `..` or `.git` component, no backslash, no control character"
)]
pub struct InvalidPath(pub(crate) String);

impl RepoPath {
    /// Returns the path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the components, outermost first.
    pub fn components(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }

    /// Returns this path with `name` below it.
    ///
    /// # Errors
    /// Fails where `name` is not a valid path itself.
    pub fn join(&self, name: &str) -> Result<Self, InvalidPath> {
        format!("{}/{name}", self.0).parse()
    }

    /// Tells whether `self` is `other` or lies below it.
    pub fn is_within(&self, other: &Self) -> bool {
        self.0.strip_prefix(&other.0).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

/// Refuses what git refuses in an index, and what other systems confuse with it: `.git` in any case, with
/// trailing dots or spaces (NTFS), its short name, and names with a colon (NTFS streams).
fn is_component(part: &str) -> bool {
    let bare = part.trim_end_matches(['.', ' ']).to_ascii_lowercase();
    !matches!(bare.as_str(), "" | ".git" | "git~1")
        && part.len() <= 255
        && !part.chars().any(|c| c.is_control() || c == '\\' || c == ':')
        && !has_ignorable(part)
}

/// Finds the code points that HFS+ ignores, by which `.g\u{200c}it` would become `.git`.
fn has_ignorable(part: &str) -> bool {
    part.chars().any(|c| matches!(c, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}'))
}

impl FromStr for RepoPath {
    type Err = InvalidPath;

    fn from_str(text: &str) -> Result<Self, InvalidPath> {
        if text.len() <= 4096 && text.split('/').all(is_component) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidPath(excerpt(text)))
        }
    }
}

impl fmt::Display for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl Serialize for RepoPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for RepoPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_inside_the_tree() {
        for good in ["a", "images/staging/tags.json", ".gitattributes", "a b/ü"] {
            assert!(good.parse::<RepoPath>().is_ok(), "{good:?}");
        }
        for bad in [
            "",
            "/a",
            "a/",
            "a//b",
            ".",
            "a/../b",
            ".git/config",
            "a/.GIT",
            ".git. ",
            "git~1",
            "a\\b",
            "a\nb",
            ".g\u{200c}it",
            "a:b",
        ] {
            assert!(bad.parse::<RepoPath>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn containment_is_by_component() {
        let path = |text: &str| text.parse::<RepoPath>().unwrap();
        assert!(path("a/b").is_within(&path("a")));
        assert!(!path("ab").is_within(&path("a")));
    }
}
