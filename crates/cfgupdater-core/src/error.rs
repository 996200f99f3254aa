//! The error of every backend: a small kind, a sentence, and advice on trying again.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

/// Classifies what went wrong, as far as a caller can act on it.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ErrorKind {
    /// The thing asked for does not exist.
    NotFound,
    /// The arguments can't be right.
    Invalid,
    /// No or wrong credentials.
    Unauthenticated,
    /// Known, but not allowed.
    Forbidden,
    /// The other side asks for fewer requests.
    RateLimited,
    /// The other side could not be reached or answered that it is not available.
    Unavailable,
    /// The deadline passed.
    TimedOut,
    /// Local data is damaged and can be fetched again.
    Corrupt,
    /// This backend can't do that.
    Unsupported,
    /// Anything else.
    Other,
}

/// Advises whether and when the same call may succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Retry {
    /// Not without a change by a person.
    Never,
    /// Later, with growing pauses.
    Backoff,
    /// After this time, as the other side said.
    After(Duration),
}

/// An error of a backend.
///
/// `Display` says what happened, to what, and what to do next; `source` holds the cause, which is not
/// repeated in `Display`. It never holds a secret: adapters redact before they build one.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    retry: Retry,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// Builds an error; the advice follows from the kind until [`Error::with_retry`] says otherwise.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        let retry = match kind {
            ErrorKind::RateLimited | ErrorKind::Unavailable | ErrorKind::TimedOut | ErrorKind::Corrupt => {
                Retry::Backoff
            }
            _ => Retry::Never,
        };
        Self { kind, message: message.into(), retry, source: None }
    }

    /// Sets the cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Sets the advice.
    #[must_use]
    pub fn with_retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// Returns the class of the error.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Returns the advice on trying again.
    pub fn retry(&self) -> Retry {
        self.retry
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

/// Writes an error and its causes in one line.
pub fn explain(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}
