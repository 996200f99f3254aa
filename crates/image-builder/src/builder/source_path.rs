//! [`SourcePath`]: a path below the directory that is built from.

use std::fmt;

use serde::{Deserialize, Deserializer};

use super::platform::Platform;

/// A relative path that never leads up or away. May be empty: the directory itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SourcePath(Vec<String>);

impl SourcePath {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let wrong = |why: &str| {
            Err(format!(
                "`{}` {why}; name a path below the directory that is built from",
                text.escape_debug()
            ))
        };
        if text.is_empty() {
            return wrong("is empty");
        }
        if text.starts_with('/') {
            return wrong("is absolute");
        }
        let mut parts = Vec::new();
        for part in text.split('/') {
            match part {
                "" | "." => {}
                ".." => return wrong("leads upwards"),
                part if part.chars().any(char::is_control) => return wrong("holds a control character"),
                part => parts.push(part.to_owned()),
            }
        }
        Ok(Self(parts))
    }

    /// Puts a platform's names into the path. They hold no separator, so that it leads no further.
    pub(super) fn on(&self, platform: &Platform) -> Self {
        Self(self.0.iter().map(|part| platform.named(part)).collect())
    }

    pub(super) fn parts(&self) -> &[String] {
        &self.0
    }

    /// Returns the path's last part.
    pub(super) fn name(&self) -> Option<&str> {
        self.0.last().map(String::as_str)
    }

    /// Goes down by one part that a directory listed.
    pub(super) fn join(&self, part: &str) -> Self {
        let mut parts = self.0.clone();
        parts.push(part.to_owned());
        Self(parts)
    }
}

impl fmt::Display for SourcePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { f.write_str(".") } else { f.write_str(&self.0.join("/")) }
    }
}

impl<'de> Deserialize<'de> for SourcePath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_below() {
        assert_eq!(SourcePath::parse("./a//b/").unwrap().to_string(), "a/b");
        assert_eq!(SourcePath::parse(".").unwrap().to_string(), ".");
        for bad in ["", "/etc/passwd", "..", "a/../b", "a/..", "a\nb"] {
            assert!(SourcePath::parse(bad).is_err(), "{bad:?}");
        }
    }
}
