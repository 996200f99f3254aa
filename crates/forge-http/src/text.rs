//! Words of others, before they are kept or shown.

use cfgupdater_core::Timestamp;

/// Longest summary kept, in characters.
const SUMMARY: usize = 300;

/// Longest word kept, in characters.
const WORD: usize = 60;

/// Keeps the beginning of a word that a forge sent, without control characters.
pub fn word(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(WORD).collect()
}

/// Keeps the beginning of a description in one line, `None` where there is nothing to read.
pub fn summary(text: &str) -> Option<String> {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(SUMMARY).collect();
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// Reads a time as forges write it, `None` where it is none.
pub fn time(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_is_short_and_in_one_line() {
        assert_eq!(word("suc\u{1b}cess"), "success");
        assert_eq!(word(&"x".repeat(99)).len(), WORD);
        assert_eq!(summary("a\nb\u{1b}c ").as_deref(), Some("a b c"));
        assert_eq!(summary(&"x".repeat(999)).map(|text| text.len()), Some(SUMMARY));
        assert_eq!(summary(" \n"), None);
    }

    #[test]
    fn a_time_is_a_time_or_nothing() {
        assert_eq!(time("1970-01-01T00:00:02.500Z"), Some(Timestamp::from_millis(2500)));
        assert_eq!(time("1970-01-01T01:00:02+01:00"), Some(Timestamp::from_millis(2000)));
        assert_eq!(time("soon"), None);
    }
}
