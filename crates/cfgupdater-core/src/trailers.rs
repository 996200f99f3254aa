//! Trailers at the end of a commit message, written so that nothing from outside can form one.

/// Splits a message into its trailers: the `Key: value` lines of its last paragraph.
///
/// Follows `git interpret-trailers --parse` for the messages this crate writes: a paragraph counts if it isn't the
/// first one and each of its lines is a trailer or continues one.
pub(crate) fn parse(message: &str) -> Vec<(&str, String)> {
    // White space as git knows it: a line of it ends a paragraph, and a line of any other is text.
    let lines: Vec<&str> = message.trim_ascii_end().lines().collect();
    let Some(blank) = lines.iter().rposition(|line| line.trim_ascii().is_empty()) else { return Vec::new() };
    let mut trailers: Vec<(&str, String)> = Vec::new();
    for line in &lines[blank + 1..] {
        if line.starts_with([' ', '\t']) {
            let Some((_, value)) = trailers.last_mut() else { return Vec::new() };
            value.push(' ');
            value.push_str(line.trim());
        } else {
            match line.split_once(':') {
                Some((key, value)) if is_key(key) => trailers.push((key, value.trim().to_owned())),
                _ => return Vec::new(),
            }
        }
    }
    trailers
}

fn is_key(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-')
}

/// Writes a subject and trailers, each value made safe.
pub(crate) fn format<'a>(subject: &str, trailers: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let mut message = safe(subject);
    message.push_str("\n\n");
    for (key, value) in trailers {
        message.push_str(key);
        message.push_str(": ");
        message.push_str(&safe(&value));
        message.push('\n');
    }
    message
}

/// Longest text from outside that a message takes, in characters.
const LONGEST: usize = 200;

/// Makes one line of text that no CI system takes for an instruction: white space and control characters become
/// single spaces, brackets around skip markers become parentheses, and long text is cut.
///
/// Markers are those GitHub and GitLab document: `[skip ci]`, `[ci skip]`, `[no ci]`, `[skip actions]`,
/// `[actions skip]`, `skip-checks:true`; and Azure's `***NO_CI***`.
pub(crate) fn safe(text: &str) -> String {
    let clean: String = text
        .chars()
        .map(|c| if c.is_control() || c.is_whitespace() || is_invisible(c) { ' ' } else { c })
        .collect();
    let words: Vec<&str> = clean.split(' ').filter(|word| !word.is_empty()).collect();
    let line: String = words.join(" ").chars().take(LONGEST).collect();
    if has_skip_marker(&line) {
        line.replace(['[', ']', '*'], "|").replace("skip-checks", "skip_checks")
    } else {
        line
    }
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

fn has_skip_marker(line: &str) -> bool {
    let squeezed: String =
        line.to_ascii_lowercase().chars().filter(|c| !matches!(c, ' ' | '-' | '_')).collect();
    ["skipci", "ciskip", "noci", "skipactions", "actionsskip", "skipchecks"]
        .iter()
        .any(|m| squeezed.contains(m))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_last_paragraph_is_read_and_continuations_are_joined() {
        let message = "subject\n\nA: body\n\nKey-One: 1\nKey-Two: a\n b\n";
        assert_eq!(parse(message), [("Key-One", "1".to_owned()), ("Key-Two", "a b".to_owned())]);
    }

    #[test]
    fn prose_and_single_paragraphs_hold_no_trailers() {
        assert!(parse("Key: value\n").is_empty());
        assert!(parse("subject\n\nsome prose\nKey: value\n").is_empty());
    }

    #[test]
    fn a_line_of_white_space_ends_a_paragraph_and_a_line_of_other_space_does_not() {
        assert_eq!(parse("subject\n\nA: 1\n \nB: 2\n"), [("B", "2".to_owned())]);
        assert!(parse("subject\n\nA: 1\n\u{2028}\n").is_empty());
    }

    #[test]
    fn skip_markers_lose_their_meaning() {
        for marker in ["[skip ci]", "[CI  SKIP]", "[no ci]", "[skip actions]", "***NO_CI***"] {
            let line = safe(marker);
            assert!(!line.contains('[') && !line.contains("***"), "{line}");
        }
        assert!(!safe("skip-checks: true").contains("skip-checks"));
    }

    proptest! {
        #[test]
        fn no_text_forms_a_second_line(text in any::<String>()) {
            let line = safe(&text);
            prop_assert!(!line.contains(['\n', '\r']));
            prop_assert!(line.chars().count() <= LONGEST);
        }

        #[test]
        fn what_is_written_is_read_back(subject in "[a-z ]{1,20}", value in any::<String>()) {
            let message = format(&subject, [("Autocommit-Reason", value.clone())]);
            prop_assert_eq!(parse(&message), vec![("Autocommit-Reason", safe(&value))]);
        }
    }
}
