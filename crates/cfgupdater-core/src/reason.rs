//! Reasons: why something waits, in words for people and with a code for programs.

use std::fmt;

use serde::Serialize;

use crate::timestamp::Timestamp;

/// Why something waits.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub struct Reason {
    /// What kind of reason it is; stable for programs.
    pub code: Code,
    /// What waits: a wave, a commit, an intent, the repository.
    pub subject: String,
    /// What it waits for and what to do about it.
    pub text: String,
    /// When it ends by itself, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// What kind of reason it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Code {
    /// Nothing is decided until somebody acts.
    Fault,
    /// An operator stopped landing.
    Paused,
    /// Checks have not passed yet.
    Checks,
    /// No check is required, so nothing lands.
    NoRequiredChecks,
    /// Stable itself is red or untested.
    StableNotGreen,
    /// Checks neither passed nor failed in time.
    Stalled,
    /// Someone else's commit is on auto.
    Foreign,
    /// A wave is held by an operator.
    Held,
    /// A wave is in a freeze window.
    Frozen,
    /// An operator must approve a promotion.
    Approval,
    /// A release has not been in a wave for long enough.
    Soak,
    /// Targets have not reported.
    Targets,
    /// A target reported a failure.
    TargetFailed,
    /// A promotion was evicted and waits for a retry or a newer release.
    Evicted,
    /// An accepted intent is not on auto yet.
    Queued,
    /// Files can't be rendered, or committed ones are not what rendering gives.
    Rendering,
    /// What would be done if this replica didn't only observe.
    Would,
    /// The remote or the forge can't be reached, or declines.
    Remote,
}

impl Reason {
    /// Builds a reason that ends when something happens.
    pub fn new(code: Code, subject: impl Into<String>, text: impl Into<String>) -> Self {
        Self { code, subject: subject.into(), text: text.into(), until: None }
    }

    /// Says when it ends by itself.
    #[must_use]
    pub fn until(mut self, at: Timestamp) -> Self {
        self.until = Some(at);
        self
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.subject, self.text)?;
        match self.until {
            Some(at) => write!(f, " (until {at})"),
            None => Ok(()),
        }
    }
}
