//! Releases: what a set of images is, independent of the commit that carries it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

use crate::name::excerpt;

/// Identifies a release: 64 hex digits, the SHA-256 of the canonical JSON of a set's image map.
///
/// Two commits with the same map carry the same release, so reports of either count for both.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Release([u8; 32]);

/// Says why a text is not a release.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a release: expected 64 hexadecimal digits")]
pub struct InvalidRelease(String);

impl Release {
    /// Hashes a value's canonical JSON: keys sorted, no white space.
    pub(crate) fn of_canonical_json(value: &impl Serialize) -> Self {
        Self(sha256_of_json(value))
    }

    /// Returns the first ten digits, for people.
    pub fn short(&self) -> String {
        crate::hex::encode(&self.0[..5])
    }
}

/// Hashes the canonical JSON of `value`; the maps of this crate are sorted, so plain JSON is canonical.
pub(crate) fn sha256_of_json(value: &impl Serialize) -> [u8; 32] {
    let json = serde_json::to_vec(value).expect("plain maps, texts and numbers always have a JSON form");
    Sha256::digest(&json).into()
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crate::hex::encode(&self.0))
    }
}

impl fmt::Debug for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.short())
    }
}

impl FromStr for Release {
    type Err = InvalidRelease;

    fn from_str(text: &str) -> Result<Self, InvalidRelease> {
        crate::hex::decode(text)
            .and_then(|bytes| bytes.try_into().ok())
            .map(Self)
            .ok_or_else(|| InvalidRelease(excerpt(text)))
    }
}

impl Serialize for Release {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Release {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::images;

    #[test]
    fn a_release_is_the_hash_of_the_images_whatever_their_order() {
        let release = images(&[("web", 1), ("api", 2)]).release();
        assert_eq!(release, images(&[("api", 2), ("web", 1)]).release());
        assert_ne!(release, images(&[("api", 2), ("web", 2)]).release());
    }

    #[test]
    fn a_release_is_written_as_it_is_read_and_people_see_its_beginning() {
        let release = images(&[("web", 1)]).release();
        let text = release.to_string();
        assert_eq!((text.len(), text.parse()), (64, Ok(release)));
        assert_eq!((release.short(), format!("{release:?}")), (text[..10].to_owned(), text[..10].to_owned()));
        let json = serde_json::to_string(&release).unwrap();
        assert_eq!(json, format!("\"{text}\""));
        assert_eq!(serde_json::from_str::<Release>(&json).unwrap(), release);
        for wrong in ["", "abcdef", &text[1..], &text.replace(|_: char| true, "g")] {
            assert!(wrong.parse::<Release>().is_err(), "{wrong}");
        }
    }
}
