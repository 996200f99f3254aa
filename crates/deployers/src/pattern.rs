//! [`Pattern`]: a name in which `*` stands for any characters and `?` for one.

use std::fmt;
use std::str::FromStr;

/// A name in which `*` stands for any characters, also none, and `?` for one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pattern(String);

/// Says why a text is not a pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a pattern: write 1 to 253 visible characters, `*` for any and `?` for one")]
pub struct InvalidPattern(String);

impl Pattern {
    /// Returns the name, where the pattern stands for one alone.
    pub fn literal(&self) -> Option<&str> {
        (!self.0.contains(['*', '?'])).then_some(&self.0)
    }

    /// Tells whether a name fits.
    pub fn matches(&self, name: &str) -> bool {
        // A name holds no wildcards: as a pattern it would.
        !name.contains(['*', '?']) && meet(self.0.as_bytes(), name.as_bytes())
    }

    /// Tells whether some name fits both.
    pub fn meets(&self, other: &Self) -> bool {
        meet(self.0.as_bytes(), other.0.as_bytes())
    }
}

/// Tells whether some text fits both patterns, by a table: linear in the product of their lengths, whatever they hold.
fn meet(one: &[u8], other: &[u8]) -> bool {
    // `row[j]` tells whether what is left of `one` meets what is left of `other` from `j` on.
    let mut row: Vec<bool> = vec![false; other.len() + 1];
    for i in (0..=one.len()).rev() {
        let below = row.clone();
        for j in (0..=other.len()).rev() {
            row[j] = match (one.get(i), other.get(j)) {
                (None, None) => true,
                (Some(b'*'), Some(b'*')) => below[j] || row[j + 1],
                (Some(b'*'), None) => below[j],
                (None, Some(b'*')) => row[j + 1],
                (Some(b'*'), Some(_)) => below[j] || row[j + 1],
                (Some(_), Some(b'*')) => row[j + 1] || below[j],
                (Some(a), Some(b)) => (a == b || *a == b'?' || *b == b'?') && below[j + 1],
                (None, Some(_)) | (Some(_), None) => false,
            };
        }
    }
    row[0]
}

impl FromStr for Pattern {
    type Err = InvalidPattern;

    fn from_str(text: &str) -> Result<Self, InvalidPattern> {
        let fine = (1..=253).contains(&text.len()) && text.bytes().all(|c| c.is_ascii_graphic());
        if fine {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidPattern(text.escape_debug().take(80).collect()))
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pattern(text: &str) -> Pattern {
        text.parse().unwrap()
    }

    /// Matches by trying everything.
    fn naive(pattern: &[u8], name: &[u8]) -> bool {
        match pattern {
            [] => name.is_empty(),
            [b'*', rest @ ..] => (0..=name.len()).any(|skip| naive(rest, &name[skip..])),
            [b'?', rest @ ..] => !name.is_empty() && naive(rest, &name[1..]),
            [c, rest @ ..] => name.first() == Some(c) && naive(rest, &name[1..]),
        }
    }

    #[test]
    fn wildcards_stand_for_any_text_and_for_one_character() {
        for (text, name, fits) in [
            ("a-*", "a-", true),
            ("a-*", "a-b-c", true),
            ("*-eu", "x-us", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*", "*", false),
        ] {
            assert_eq!(pattern(text).matches(name), fits, "{text} {name}");
        }
        assert!("a b".parse::<Pattern>().is_err() && "".parse::<Pattern>().is_err());
    }

    #[test]
    fn patterns_that_share_a_name_meet() {
        for (one, other, shared) in [
            ("a-*", "*-b", true),
            ("a-*", "b-*", false),
            ("a?", "ab", true),
            ("a", "b", false),
            ("*a*", "b", false),
        ] {
            assert_eq!(pattern(one).meets(&pattern(other)), shared, "{one} {other}");
            assert_eq!(pattern(other).meets(&pattern(one)), shared, "{other} {one}");
        }
    }

    proptest! {
        #[test]
        fn matching_agrees_with_trying_everything(text in "[ab*?]{1,7}", name in "[ab]{0,7}") {
            prop_assert_eq!(pattern(&text).matches(&name), naive(text.as_bytes(), name.as_bytes()));
        }

        #[test]
        fn what_fits_both_makes_them_meet(one in "[ab*?]{1,6}", other in "[ab*?]{1,6}", name in "[ab]{1,6}") {
            let (one, other) = (pattern(&one), pattern(&other));
            prop_assert!(one.meets(&other) || !(one.matches(&name) && other.matches(&name)));
        }
    }
}
