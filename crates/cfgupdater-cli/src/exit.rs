//! [`Failure`]: how a command ends when it doesn't end well, with the exit code that tells scripts why.

use std::fmt;

/// Why a command ends with another code than 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It could not be done.
    Failed,
    /// It was asked for in a way that makes no sense.
    Usage,
    /// What was waited for will not happen: evicted, superseded, or older than what was accepted.
    GivenUp,
    /// What was waited for did not happen in time.
    TimedOut,
    /// The service can't be reached, or can't serve now.
    Unavailable,
}

impl Exit {
    /// Returns the exit code; scripts rely on these numbers.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Failed => 1,
            Self::Usage => 2,
            Self::GivenUp => 3,
            Self::TimedOut => 4,
            Self::Unavailable => 5,
        }
    }
}

/// Why a command failed, for people and for scripts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) message: String,
}

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into() }
    }

    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::new(Exit::Failed, message)
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_are_the_documented_ones() {
        let codes = [Exit::Failed, Exit::Usage, Exit::GivenUp, Exit::TimedOut, Exit::Unavailable];
        assert_eq!(codes.map(Exit::code), [1, 2, 3, 4, 5]);
    }
}
