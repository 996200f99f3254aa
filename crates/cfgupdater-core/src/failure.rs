//! The table of failures: what can go wrong with each command, and what it leads to.

use std::time::Duration;

use crate::error::{Error, ErrorKind, Retry};
use crate::unrendered::RenderingFailure;

/// How a command failed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Failure {
    /// Somebody else moved a reference first.
    Stale,
    /// The remote refused, and the references are unchanged.
    Declined {
        /// What the remote said.
        reason: String,
    },
    /// Nobody knows whether it was done.
    Indeterminate {
        /// What was seen last.
        reason: String,
    },
    /// Files could not be rendered, so nothing was done.
    Rendering(RenderingFailure),
    /// A backend failed before anything was done.
    Backend {
        /// What kind of error it was.
        kind: ErrorKind,
        /// What happened.
        message: String,
        /// When to try again.
        retry: Retry,
    },
}

impl Failure {
    /// Keeps what the rules need of a backend's error.
    pub fn of(error: &Error) -> Self {
        Self::Backend { kind: error.kind(), message: crate::error::explain(error), retry: error.retry() }
    }

    /// Says what happened, for people.
    pub fn describe(&self) -> String {
        match self {
            Self::Stale => "somebody else moved a branch first".to_owned(),
            Self::Declined { reason } => format!(
                "the remote declined the push: {reason}; change the rule, or let the service's account push there: \
                 `cfgupdater check-config` says what stands in the way"
            ),
            Self::Indeterminate { reason } => format!("the push ended without an answer: {reason}"),
            Self::Rendering(failure) => failure.message.clone(),
            Self::Backend { message, .. } => message.clone(),
        }
    }
}

/// What was being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum During {
    /// Reading the repository, its state and its checks.
    Observing,
    /// Moving stable forward.
    Landing,
    /// Writing state and auto.
    Writing,
    /// Moving the scratch branch.
    Probing,
}

/// What a failure leads to. Whatever it is, the next thing is an observation: nothing is ever repeated blindly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reaction {
    /// Observe at once.
    LookNow,
    /// Observe after a pause that grows with each failure in a row.
    BackOff,
    /// Observe after this time, as the other side asked.
    WaitFor(Duration),
    /// Leave stable alone for a growing pause, and do everything else.
    LeaveStable,
    /// Find the call that the remote declines by writing them one by one.
    OneByOne,
}

/// The table: total, so that a new failure or command can't be forgotten.
///
/// | during | stale | declined | indeterminate | not rendered | backend error |
/// |---|---|---|---|---|---|
/// | observing | look now | back off | look now | look now | by its advice |
/// | landing | look now | leave stable | look now | look now | by its advice |
/// | writing | look now | one by one | look now | look now | by its advice |
/// | probing | look now | back off | look now | look now | by its advice |
pub fn reaction(during: During, failure: &Failure) -> Reaction {
    match failure {
        // What could not be rendered is left out of the next plan.
        Failure::Stale | Failure::Indeterminate { .. } | Failure::Rendering(_) => Reaction::LookNow,
        Failure::Declined { .. } => match during {
            During::Landing => Reaction::LeaveStable,
            During::Writing => Reaction::OneByOne,
            During::Observing | During::Probing => Reaction::BackOff,
        },
        Failure::Backend { retry: Retry::After(pause), .. } => Reaction::WaitFor(*pause),
        // A damaged mirror is made anew by the next reading.
        Failure::Backend { kind: ErrorKind::Corrupt, .. } => Reaction::LookNow,
        Failure::Backend { .. } => Reaction::BackOff,
    }
}

/// Returns the pause after `failures` in a row: 1 s, doubled up to 5 min. Drivers add jitter.
pub(crate) fn pause(failures: u32) -> Duration {
    Duration::from_secs(1).saturating_mul(1 << failures.saturating_sub(1).min(9)).min(Duration::from_mins(5))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [During; 4] = [During::Observing, During::Landing, During::Writing, During::Probing];

    #[test]
    fn a_lost_race_is_looked_at_at_once_whatever_was_done() {
        for during in ALL {
            assert_eq!(reaction(during, &Failure::Stale), Reaction::LookNow);
            let unsure = Failure::Indeterminate { reason: String::new() };
            assert_eq!(reaction(during, &unsure), Reaction::LookNow);
        }
    }

    #[test]
    fn a_declined_landing_leaves_everything_else_going() {
        let declined = Failure::Declined { reason: "GH006".to_owned() };
        assert!(
            declined.describe().starts_with("the remote declined the push: GH006; change the rule, or let")
        );
        assert_eq!(reaction(During::Landing, &declined), Reaction::LeaveStable);
        assert_eq!(reaction(During::Writing, &declined), Reaction::OneByOne);
    }

    #[test]
    fn advice_of_the_other_side_is_followed() {
        let error =
            Error::new(ErrorKind::RateLimited, "slow down").with_retry(Retry::After(Duration::from_secs(7)));
        for during in ALL {
            assert_eq!(reaction(during, &Failure::of(&error)), Reaction::WaitFor(Duration::from_secs(7)));
        }
    }

    #[test]
    fn pauses_grow_and_are_bounded() {
        assert_eq!(pause(1), Duration::from_secs(1));
        assert_eq!(pause(4), Duration::from_secs(8));
        assert_eq!(pause(1000), Duration::from_mins(5));
    }
}
