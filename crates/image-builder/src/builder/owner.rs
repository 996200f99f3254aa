//! [`Owner`]: user and group by number; names mean something else on every machine.

use serde::{Deserialize, Deserializer};

/// Who owns an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Owner {
    pub(super) user: u32,
    pub(super) group: u32,
}

impl Owner {
    /// Largest number that the header of a layer's entry holds.
    const LARGEST: u32 = 0o7_777_777;

    fn parse(text: &str) -> Option<Self> {
        let number = |text: &str| text.parse().ok().filter(|number| *number <= Self::LARGEST);
        let (user, group) = text.split_once(':')?;
        Some(Self { user: number(user)?, group: number(group)? })
    }
}

impl<'de> Deserialize<'de> for Owner {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let message = || {
            let shown = text.escape_debug();
            format!(
                "`{shown}` is not an owner; write user and group as numbers up to 2097151, such as \"65532:65532\""
            )
        };
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom(message()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_are_two_numbers() {
        assert_eq!(Owner::parse("65532:0"), Some(Owner { user: 65532, group: 0 }));
        for bad in ["", "1", "root:root", "1:-1", "1:2097152"] {
            assert_eq!(Owner::parse(bad), None, "{bad}");
        }
    }
}
