//! How a case ends.

/// Says what a harness can't do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unable(pub String);

impl Unable {
    /// Says it.
    pub fn to(what: impl Into<String>) -> Self {
        Self(what.into())
    }
}

/// Why a case did not pass.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unmet {
    /// The adapter doesn't declare the capability that the case is about.
    Undeclared(String),
    /// The harness can't do what the case needs.
    Unable(Unable),
    /// The adapter does what it must not, or the other way round.
    Broken(String),
}

impl From<Unable> for Unmet {
    fn from(unable: Unable) -> Self {
        Self::Unable(unable)
    }
}

/// How a case ends.
pub type CaseResult = Result<(), Unmet>;

/// Says that the adapter is wrong.
pub(super) fn broken<T>(what: impl Into<String>) -> Result<T, Unmet> {
    Err(Unmet::Broken(what.into()))
}

/// Ends the case as broken, with a sentence, unless the condition holds.
macro_rules! ensure {
    ($condition:expr, $($sentence:tt)+) => {
        if !$condition {
            return $crate::conformance::forge::case::broken(format!($($sentence)+));
        }
    };
}

pub(super) use ensure;
