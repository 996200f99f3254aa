//! How intents end.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::intent::IntentId;
use crate::object_id::CommitId;

/// The end of an intent (invariant S6).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "end", rename_all = "snake_case")]
#[non_exhaustive]
pub enum End {
    /// Its commit is in the history of stable.
    Landed {
        /// That commit.
        commit: CommitId,
    },
    /// A check failed on its commit, or never ended.
    Evicted {
        /// What the decision rests on.
        evidence: Evidence,
    },
    /// Something newer for the same wave took its place.
    Superseded {
        /// What did.
        by: By,
    },
    /// What it wanted is there already.
    Subsumed {
        /// What brought it.
        by: By,
    },
    /// A gate closed or a person took it back before it landed.
    Withdrawn {
        /// Why.
        reason: String,
        /// The operator who took it back; absent where a gate did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        actor: Option<String>,
    },
    /// The remote declined its commit.
    Refused {
        /// What the remote said.
        reason: String,
    },
}

/// Another intent or a person's commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// An intent.
    Intent(IntentId),
    /// A commit on stable.
    Commit(CommitId),
}

/// Why a commit was evicted: the check and the SHA it failed on (invariant S7).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Evidence {
    /// The commit of the chain that was judged.
    pub commit: CommitId,
    /// The required check.
    pub check: String,
    /// What happened: `failed` or `timed out`.
    pub outcome: CheckOutcome,
    /// Where people read more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// A short summary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
}

/// What a check did to get a commit evicted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckOutcome {
    /// Its latest attempt failed.
    Failed,
    /// It did not end in time, while it did on a commit pushed later.
    TimedOut,
    /// The files of the intent could not be rendered on that commit, which renders without it.
    NotRendered,
}

impl End {
    /// Returns the end as answers and trailers spell it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Landed { .. } => "landed",
            Self::Evicted { .. } => "evicted",
            Self::Superseded { .. } => "superseded",
            Self::Subsumed { .. } => "subsumed",
            Self::Withdrawn { .. } => "withdrawn",
            Self::Refused { .. } => "refused",
        }
    }

    /// Tells whether the change is on stable, by this intent or by something equal.
    pub fn is_on_stable(&self) -> bool {
        matches!(self, Self::Landed { .. } | Self::Subsumed { .. })
    }

    /// Tells whether the same change may only come back when an operator wants it, or with something newer.
    pub fn needs_an_operator(&self) -> bool {
        self.is_fault() || matches!(self, Self::Withdrawn { actor: Some(_), .. })
    }

    /// Tells whether the intent failed by its own fault, so that its sequence counts for nothing.
    pub fn is_fault(&self) -> bool {
        matches!(self, Self::Evicted { .. } | Self::Refused { .. })
    }
}

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Intent(id) => write!(f, "intent {id}"),
            Self::Commit(id) => write!(f, "commit {}", id.short(10)),
        }
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Landed { commit } => write!(f, "landed as {}", commit.short(10)),
            Self::Evicted { evidence } if evidence.outcome == CheckOutcome::NotRendered => {
                let said = evidence.summary.as_deref().unwrap_or("no reason was kept");
                write!(f, "evicted: its files can't be rendered on {}: {said}", evidence.commit.short(10))
            }
            Self::Evicted { evidence } => {
                let outcome = match evidence.outcome {
                    CheckOutcome::Failed => "failed",
                    CheckOutcome::TimedOut => "timed out",
                    CheckOutcome::NotRendered => "could not be rendered",
                };
                write!(f, "evicted: check `{}` {outcome} on {}", evidence.check, evidence.commit.short(10))
            }
            Self::Superseded { by } => write!(f, "superseded by {by}"),
            Self::Subsumed { by } => write!(f, "subsumed by {by}"),
            Self::Withdrawn { reason, actor: Some(actor) } => write!(f, "withdrawn by {actor}: {reason}"),
            Self::Withdrawn { reason, actor: None } => write!(f, "withdrawn: {reason}"),
            Self::Refused { reason } => write!(f, "refused by the remote: {reason}"),
        }
    }
}
