//! [`Mode`]: permission bits, as the specification says and never as a file system has them.

use serde::{Deserialize, Deserializer};

/// The permission bits of an entry, with those for set-uid and the sticky bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mode(pub(super) u32);

impl Mode {
    pub(super) const DIRECTORY: Self = Self(0o755);
    pub(super) const EXECUTABLE: Self = Self(0o755);
    pub(super) const FILE: Self = Self(0o644);
}

impl<'de> Deserialize<'de> for Mode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let is_octal = (3..=5).contains(&text.len()) && text.bytes().all(|c| (b'0'..=b'7').contains(&c));
        let bits = u32::from_str_radix(&text, 8).ok().filter(|bits| is_octal && *bits <= 0o7777);
        let message = || {
            format!(
                "`{}` is not a mode; write three or four octal digits, such as \"0755\"",
                text.escape_debug()
            )
        };
        bits.map(Self).ok_or_else(|| serde::de::Error::custom(message()))
    }
}
