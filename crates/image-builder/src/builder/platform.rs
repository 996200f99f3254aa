//! [`Platform`]: what an image runs on.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use cfgupdater_core::{Error, ErrorKind};
use serde::{Deserialize, Deserializer};

/// Operating system, architecture and maybe a variant of it: `linux/amd64`, `linux/arm/v7`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Platform {
    pub(super) os: String,
    pub(super) architecture: String,
    pub(super) variant: Option<String>,
}

impl Default for Platform {
    /// `linux/amd64` on every machine: an image must not depend on where it is built.
    fn default() -> Self {
        Self { os: "linux".to_owned(), architecture: "amd64".to_owned(), variant: None }
    }
}

impl Platform {
    /// Puts the platform's names into a path: `{arch}` is `arm64`, `{platform}` is `linux-arm64` or `linux-arm-v7`.
    pub(super) fn named(&self, text: &str) -> String {
        text.replace("{arch}", &self.architecture).replace("{platform}", &self.to_string().replace('/', "-"))
    }

    /// As [`Platform::named`], for a path that may hold anything else.
    pub(super) fn within(&self, path: &Path) -> PathBuf {
        path.to_str().map_or_else(|| path.to_owned(), |text| self.named(text).into())
    }

    /// Tells whether an image of the given platform will do. A variant counts where one is asked for.
    pub(super) fn takes(&self, os: &str, architecture: &str, variant: Option<&str>) -> bool {
        let variant_fits = self.variant.is_none() || self.variant.as_deref() == variant;
        self.os == os && self.architecture == architecture && variant_fits
    }
}

impl FromStr for Platform {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let is_word = |part: &&str| {
            !part.is_empty() && part.bytes().all(|c| c.is_ascii_alphanumeric() || b"._-".contains(&c))
        };
        let parts: Vec<&str> = text.split('/').collect();
        match parts.as_slice() {
            [os, architecture, rest @ ..] if rest.len() < 2 && parts.iter().all(is_word) => Ok(Self {
                os: (*os).to_owned(),
                architecture: (*architecture).to_owned(),
                variant: rest.first().map(|variant| (*variant).to_owned()),
            }),
            _ => {
                let message = format!(
                    "`{}` is not a platform; write it as linux/amd64 or linux/arm/v7",
                    text.escape_debug()
                );
                Err(Error::new(ErrorKind::Invalid, message))
            }
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        self.variant.as_ref().map_or(Ok(()), |variant| write!(f, "/{variant}"))
    }
}

impl<'de> Deserialize<'de> for Platform {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variant_may_follow() {
        for good in ["linux/amd64", "linux/arm/v7"] {
            assert_eq!(good.parse::<Platform>().unwrap().to_string(), good);
        }
        for bad in ["", "linux", "linux/", "a/b/c/d", "a b/c"] {
            assert!(bad.parse::<Platform>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_path_may_hold_the_platforms_names() {
        let platform: Platform = "linux/arm/v7".parse().unwrap();
        assert_eq!(platform.named("out/{arch}/{platform}/{other}"), "out/arm/linux-arm-v7/{other}");
        assert_eq!(platform.within(Path::new("/o/{arch}")), Path::new("/o/arm"));
    }

    #[test]
    fn a_variant_counts_where_it_is_asked_for() {
        let takes = |asked: &str, variant| asked.parse::<Platform>().unwrap().takes("linux", "arm", variant);
        assert!(takes("linux/arm", Some("v7")) && takes("linux/arm/v7", Some("v7")));
        assert!(!takes("linux/arm/v7", Some("v6")) && !takes("linux/arm64", None));
    }
}
