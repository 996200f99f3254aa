//! [`ImageDigest`]: the name of content in a registry.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256, Sha512};

use crate::hex;
use crate::name::excerpt;

/// Names content: `sha256:` and 64 lower-case hexadecimal digits, or `sha512:` and 128.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageDigest(String);

/// Says why a text is not a digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a digest: expected `sha256:` and 64 lower-case hexadecimal digits, or `sha512:` and 128"
)]
pub struct InvalidDigest(String);

impl ImageDigest {
    /// Returns the SHA-256 of some bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self::from_sha256(Sha256::digest(bytes).into())
    }

    /// Wraps a SHA-256 that was made elsewhere, such as of a stream.
    pub fn from_sha256(hash: [u8; 32]) -> Self {
        Self(format!("sha256:{}", hex::encode(&hash)))
    }

    /// Tells whether these bytes have this digest.
    pub fn is_of(&self, bytes: &[u8]) -> bool {
        match self.algorithm() {
            "sha512" => hex::encode(&Sha512::digest(bytes)) == self.hex(),
            _ => hex::encode(&Sha256::digest(bytes)) == self.hex(),
        }
    }

    /// Returns `sha256` or `sha512`.
    pub fn algorithm(&self) -> &str {
        self.0.split_once(':').map_or("", |(algorithm, _)| algorithm)
    }

    /// Returns the hexadecimal digits.
    pub fn hex(&self) -> &str {
        self.0.split_once(':').map_or("", |(_, hex)| hex)
    }

    /// Returns algorithm and digits as they are written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ImageDigest {
    type Err = InvalidDigest;

    fn from_str(text: &str) -> Result<Self, InvalidDigest> {
        let length = match text.split_once(':') {
            Some(("sha256", hex)) if hex.len() == 64 => Some(hex),
            Some(("sha512", hex)) if hex.len() == 128 => Some(hex),
            _ => None,
        };
        let is_digit = |c: u8| c.is_ascii_digit() || (b'a'..=b'f').contains(&c);
        match length {
            Some(hex) if hex.bytes().all(is_digit) => Ok(Self(text.to_owned())),
            _ => Err(InvalidDigest(excerpt(text))),
        }
    }
}

impl fmt::Display for ImageDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ImageDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for ImageDigest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for ImageDigest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_of_nothing_is_the_known_one() {
        let empty = ImageDigest::of(b"");
        assert_eq!(empty.as_str(), "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert_eq!(empty.as_str().parse::<ImageDigest>().unwrap(), empty);
        assert!(empty.is_of(b"") && !empty.is_of(b"x"));
    }

    #[test]
    fn the_longer_hash_is_checked_as_well() {
        let hash = hex::encode(&Sha512::digest(b"x"));
        let digest: ImageDigest = format!("sha512:{hash}").parse().unwrap();
        assert!(digest.is_of(b"x") && !digest.is_of(b"y"));
        assert_eq!((digest.algorithm(), digest.hex()), ("sha512", hash.as_str()));
    }

    #[test]
    fn anything_else_is_refused() {
        let upper = format!("sha256:{}", "A".repeat(64));
        for bad in ["", "sha256", "sha256:12", "md5:d41d8cd98f00b204e9800998ecf8427e", &upper, "../x"] {
            assert!(bad.parse::<ImageDigest>().is_err(), "{bad:?}");
        }
    }
}
