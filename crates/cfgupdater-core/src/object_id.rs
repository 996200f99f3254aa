//! Object ids of git: SHA-1 (40 hex digits) and SHA-256 (64 hex digits).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The hash function a repository names its objects with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectFormat {
    /// 20 bytes, 40 hex digits.
    Sha1,
    /// 32 bytes, 64 hex digits.
    Sha256,
}

/// Holds the raw hash of a git object, whatever its kind.
///
/// Prefer [`CommitId`], [`TreeId`] and [`BlobId`], which can't be mixed up.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId {
    bytes: [u8; 32],
    format: ObjectFormat,
}

/// Says why a text is not an object id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a full object id: expected 40 or 64 hexadecimal digits, found {found}")]
pub struct InvalidObjectId {
    text: String,
    found: String,
}

impl ObjectId {
    /// Builds an id from its 20 or 32 raw bytes, `None` for any other length.
    pub fn from_bytes(raw: &[u8]) -> Option<Self> {
        let format = match raw.len() {
            20 => ObjectFormat::Sha1,
            32 => ObjectFormat::Sha256,
            _ => return None,
        };
        let mut bytes = [0; 32];
        bytes[..raw.len()].copy_from_slice(raw);
        Some(Self { bytes, format })
    }

    /// Returns the raw bytes: 20 or 32 of them.
    pub fn as_bytes(&self) -> &[u8] {
        match self.format {
            ObjectFormat::Sha1 => &self.bytes[..20],
            ObjectFormat::Sha256 => &self.bytes,
        }
    }

    /// Tells the hash function of this id.
    pub fn format(&self) -> ObjectFormat {
        self.format
    }

    /// Returns the first `digits` hex digits, as people abbreviate ids.
    pub fn short(&self, digits: usize) -> String {
        let raw = self.as_bytes();
        let mut hex = crate::hex::encode(&raw[..digits.div_ceil(2).min(raw.len())]);
        hex.truncate(digits);
        hex
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crate::hex::encode(self.as_bytes()))
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for ObjectId {
    type Err = InvalidObjectId;

    fn from_str(text: &str) -> Result<Self, InvalidObjectId> {
        let found = match crate::hex::decode(text) {
            Some(raw) => match Self::from_bytes(&raw) {
                Some(id) => return Ok(id),
                None => format!("{} digits", text.len()),
            },
            None => format!("{} characters", text.chars().count()),
        };
        Err(InvalidObjectId { text: crate::name::excerpt(text), found })
    }
}

macro_rules! typed_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(ObjectId);

        impl $name {
            /// Wraps a raw id that is known to name an object of this kind.
            pub fn new(id: ObjectId) -> Self {
                Self(id)
            }

            /// Returns the raw id.
            pub fn object_id(&self) -> &ObjectId {
                &self.0
            }

            /// Returns the first `digits` hex digits.
            pub fn short(&self, digits: usize) -> String {
                self.0.short(digits)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidObjectId;

            fn from_str(text: &str) -> Result<Self, InvalidObjectId> {
                text.parse().map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

typed_id! {
    /// Names a commit.
    CommitId
}
typed_id! {
    /// Names a tree.
    TreeId
}
typed_id! {
    /// Names a blob.
    BlobId
}

typed_id! {
    /// Names a commit of an application's repository: the full SHA that its CI built.
    AppSha
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_ids_of_both_formats_round_trip() {
        for text in ["ab".repeat(20), "0f".repeat(32)] {
            assert_eq!(text.parse::<CommitId>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn short_absent_and_non_hex_ids_are_refused_with_what_was_found() {
        let short = "abc123".parse::<CommitId>().unwrap_err().to_string();
        assert!(short.contains("6 digits"), "{short}");
        assert!("".parse::<CommitId>().is_err());
        assert!("zz".repeat(20).parse::<CommitId>().is_err());
        assert!("é".repeat(20).parse::<CommitId>().is_err());
    }

    #[test]
    fn upper_case_digits_are_read_and_written_in_lower_case() {
        assert_eq!("AB".repeat(20).parse::<CommitId>().unwrap().to_string(), "ab".repeat(20));
    }
}
