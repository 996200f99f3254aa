//! Mistakes in the configuration file, each with its line.

use std::fmt;
use std::ops::Range;

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// The file.
    pub file: String,
    /// The line, from 1; `None` where the mistake has no place.
    pub line: Option<usize>,
    /// What is wrong and what to do.
    pub message: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.file, self.message),
            None => write!(f, "{}: {}", self.file, self.message),
        }
    }
}

/// All mistakes of a file, in the order of their lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigErrors(Vec<ConfigError>);

/// A mistake before its place is turned into a line.
#[derive(Debug)]
pub(crate) struct Mistake {
    pub(crate) place: Option<Range<usize>>,
    pub(crate) message: String,
}

impl ConfigErrors {
    /// Returns the mistakes.
    pub fn iter(&self) -> impl Iterator<Item = &ConfigError> {
        self.0.iter()
    }

    pub(crate) fn unreadable(file: &str, message: &str) -> Self {
        Self(vec![ConfigError { file: file.to_owned(), line: None, message: message.to_owned() }])
    }

    pub(crate) fn syntax(file: &str, text: &str, error: &toml::de::Error) -> Self {
        let message = with_suggestion(error.message());
        Self::of(file, text, vec![Mistake { place: error.span(), message }])
    }

    pub(crate) fn of(file: &str, text: &str, mistakes: Vec<Mistake>) -> Self {
        let line = |place: Range<usize>| {
            let before = text.get(..place.start).unwrap_or(text);
            before.matches('\n').count() + 1
        };
        let mut errors: Vec<ConfigError> = mistakes
            .into_iter()
            .map(|mistake| ConfigError {
                file: file.to_owned(),
                line: mistake.place.filter(|place| place.end > 0).map(line),
                message: mistake.message,
            })
            .collect();
        errors.sort_by_key(|error| error.line);
        Self(errors)
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for ConfigErrors {}

/// Adds the nearest known key to serde's "unknown field" message, which lists all of them.
fn with_suggestion(message: &str) -> String {
    let mut quoted = message.split('`').skip(1).step_by(2);
    let unknown = quoted.next().filter(|_| message.starts_with("unknown "));
    let Some(unknown) = unknown else { return message.to_owned() };
    let nearest = quoted
        .map(|known| (strsim::damerau_levenshtein(unknown, known), known))
        .min()
        .filter(|(distance, _)| *distance <= unknown.len() / 2);
    match nearest {
        Some((_, known)) => format!("unknown key `{unknown}`, did you mean `{known}`? ({message})"),
        None => message.to_owned(),
    }
}
