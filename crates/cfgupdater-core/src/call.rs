//! Calls: what comes in from outside, and what it is answered.

use std::time::Duration;

use serde::Serialize;

use crate::end::End;
use crate::image::ImageChange;
use crate::intent::{Announcement, IntentId};
use crate::name::{SetName, TargetName, WaveName};
use crate::object_id::CommitId;
use crate::operate::{Operation, OperationKey};
use crate::reason::Reason;
use crate::record::DeploymentStatus;
use crate::release::Release;
use crate::timestamp::Timestamp;

/// A call that may change the state, made by somebody.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Call {
    /// Who makes it: the name of a token.
    pub actor: String,
    /// What it asks for.
    pub request: Request,
    /// Tells a repetition of an operator's call from a new one.
    pub key: Option<OperationKey>,
}

impl Call {
    /// Builds a call without a key.
    pub fn new(actor: impl Into<String>, request: Request) -> Self {
        Self { actor: actor.into(), request, key: None }
    }

    /// Names the call, so that a repetition of it is known.
    #[must_use]
    pub fn with_key(mut self, key: OperationKey) -> Self {
        self.key = Some(key);
        self
    }
}

/// What a call asks for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Request {
    /// New images were published.
    Announce(Announcement),
    /// What would become of an announcement? Nothing is written for it.
    Preview(Announcement),
    /// A target says what it runs.
    Report(DeploymentReport),
    /// A deploy tool was asked what a target runs.
    Sight(Sighting),
    /// An operator acts.
    Operate(Operation),
}

impl Request {
    /// Returns the revision whose images an answer depends on.
    pub fn revision(&self) -> Option<CommitId> {
        match self {
            Self::Report(DeploymentReport { claim: Claim::Revision(revision), .. })
            | Self::Sight(Sighting {
                report: DeploymentReport { claim: Claim::Revision(revision), .. },
                ..
            }) => Some(*revision),
            Self::Operate(Operation::RollBack { to, .. }) => Some(*to),
            _ => None,
        }
    }
}

/// A target's report as it comes in.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DeploymentReport {
    /// The wave.
    pub wave: WaveName,
    /// The target.
    pub target: TargetName,
    /// How it went.
    pub status: DeploymentStatus,
    /// What was deployed.
    pub claim: Claim,
    /// The set it speaks of; all of the target's where absent.
    pub set: Option<SetName>,
    /// When the target saw it.
    pub observed_at: Option<Timestamp>,
}

/// What a deploy tool answered when it was asked. Unlike a word that was sent, which may have been under way for long,
/// it may move a target back.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Sighting {
    /// What it answered.
    pub report: DeploymentReport,
    /// When it was asked: what was heard of the target since then is newer.
    pub asked_at: Timestamp,
}

/// What a report says was deployed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Claim {
    /// A commit of the configuration repository.
    Revision(CommitId),
    /// A release by itself.
    Release(Release),
}

/// What an accepted call is answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Answer {
    /// To an announcement.
    Announced(Announced),
    /// To the question what would become of one.
    Previewed(Previewed),
    /// To a deployment report.
    Reported(ReportAnswer),
    /// To an operator.
    Operated(OperationAnswer),
}

/// The answer to an announcement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Announced {
    /// The intent, also where it existed before.
    pub intent: IntentId,
    /// What became of the call.
    pub outcome: Outcome,
    /// The intent's commit on auto or stable, where there is one.
    pub commit: Option<CommitId>,
    /// The intent's end, where it has one.
    pub end: Option<End>,
}

/// What would become of an announcement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Previewed {
    /// The intent it would make, or has made.
    pub intent: IntentId,
    /// What the call would be answered.
    pub outcome: Outcome,
    /// What it would change in the first wave.
    pub changes: Vec<ImageChange>,
}

/// What became of an announcement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Accepted, and on auto.
    Committed,
    /// Accepted, and not on auto yet.
    Queued,
    /// Accepted before.
    Duplicate,
    /// Older than what was accepted.
    Stale,
    /// Equal to what the wave has or is about to have.
    Unchanged,
}

/// The answer to a deployment report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReportAnswer {
    /// Whether it changed what is known of the target.
    pub recorded: bool,
    /// The promotions it caused.
    pub promoted: Vec<IntentId>,
    /// What the wave still waits for.
    pub waits: Vec<Reason>,
}

/// The answer to an operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OperationAnswer {
    /// Whether it changed anything.
    pub changed: bool,
    /// The intents it made, opened again or took back.
    pub intents: Vec<IntentId>,
    /// What waits now.
    pub waits: Vec<Reason>,
}

/// Why a call is not accepted. Nothing was written for it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
#[non_exhaustive]
pub struct Refusal {
    /// What kind of refusal it is.
    pub kind: RefusalKind,
    /// What is wrong and what to do.
    pub detail: String,
    /// The field that is wrong, as a JSON pointer or a parameter's name.
    pub field: Option<&'static str>,
    /// When to repeat the call, where somebody else said so.
    pub retry_after: Option<Duration>,
}

/// What kind of refusal it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RefusalKind {
    /// The call can't be right as it is.
    Invalid,
    /// It names something that doesn't exist.
    Unknown,
    /// It contradicts what was accepted before.
    Conflict,
    /// The remote declined the commit that it led to.
    Declined,
    /// Not now: the remote can't be reached, or an operator must act first.
    Unavailable,
}

impl Refusal {
    /// Builds a refusal.
    pub fn new(kind: RefusalKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), field: None, retry_after: None }
    }

    /// Says when to repeat the call.
    #[must_use]
    pub fn after(mut self, pause: Duration) -> Self {
        self.retry_after = Some(pause);
        self
    }

    /// Names the field that is wrong.
    #[must_use]
    pub fn at(mut self, field: &'static str) -> Self {
        self.field = Some(field);
        self
    }
}
