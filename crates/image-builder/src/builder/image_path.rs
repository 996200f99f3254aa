//! [`ImagePath`]: a path inside an image.

use std::fmt;

use serde::{Deserialize, Deserializer};

/// Longest path that is taken; systems that unpack layers take no longer ones.
const LONGEST: usize = 4000;

/// Names with this prefix delete files of the layers below instead of being files.
const WHITEOUT: &str = ".wh.";

/// An absolute path without `.`, `..` or anything else that could lead elsewhere. Kept without the slash at its start;
/// the root is empty.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct ImagePath(String);

impl ImagePath {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let wrong = |why: &str| {
            let shown: String = text.chars().take(100).flat_map(char::escape_debug).collect();
            Err(format!("`{shown}` {why}; write an absolute path such as /usr/bin/web"))
        };
        if !text.starts_with('/') {
            return wrong("is not absolute");
        }
        if text.len() > LONGEST {
            return wrong("is too long");
        }
        let mut parts = Vec::new();
        for part in text.split('/') {
            match part {
                "" => {}
                "." | ".." => return wrong("holds a dot component"),
                part if part.starts_with(WHITEOUT) => return wrong("would delete a file of the base"),
                part if part.len() > 255 => return wrong("holds a name of more than 255 bytes"),
                part if part.chars().any(char::is_control) => return wrong("holds a control character"),
                part => parts.push(part),
            }
        }
        Ok(Self(parts.join("/")))
    }

    /// Returns the path without the slash at its start, as layers have it.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Goes down by a name.
    pub(super) fn join(&self, name: &str) -> Result<Self, String> {
        Self::parse(&format!("/{}/{name}", self.0))
    }

    /// Returns the directories above, from the top, without the root.
    pub(super) fn parents(&self) -> impl Iterator<Item = Self> {
        self.0.match_indices('/').map(|(at, _)| Self(self.0[..at].to_owned()))
    }
}

impl fmt::Display for ImagePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}", self.0)
    }
}

/// A path in a specification, where a slash at the end says that a directory is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Destination {
    pub(super) path: ImagePath,
    pub(super) is_directory: bool,
}

impl<'de> Deserialize<'de> for Destination {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let path = ImagePath::parse(&text).map_err(serde::de::Error::custom)?;
        Ok(Self { path, is_directory: text.ends_with('/') })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_absolute_and_plain() {
        assert_eq!(ImagePath::parse("/usr//bin/web").unwrap().to_string(), "/usr/bin/web");
        assert_eq!(ImagePath::parse("/").unwrap().as_str(), "");
        let long = format!("/{}", "x".repeat(256));
        for bad in
            ["", "a", "/a/../b", "/./a", "/a\0b", "/a/.wh.b", "/.wh..wh..opq", &long, &"/a".repeat(3000)]
        {
            assert!(ImagePath::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn parents_come_from_the_top() {
        let parents: Vec<_> = ImagePath::parse("/a/b/c").unwrap().parents().map(|path| path.0).collect();
        assert_eq!(parents, ["a", "a/b"]);
        assert_eq!(ImagePath::parse("/a").unwrap().parents().count(), 0);
    }
}
