//! Records: every transition that the state branch keeps, one compare-and-swap each.

use serde::{Deserialize, Serialize};

use crate::end::End;
use crate::intent::{Intent, IntentId};
use crate::name::{SetName, TargetName, WaveName};
use crate::object_id::CommitId;
use crate::operate::OperationKey;
use crate::release::Release;
use crate::timestamp::Timestamp;

/// What one commit of the state branch records: one or more transitions that were decided together.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Entry {
    /// When it was decided.
    pub at: Timestamp,
    /// The transitions, in order.
    pub records: Vec<Record>,
}

/// One transition.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Record {
    /// An intent was accepted; from here on it is never lost.
    Accepted {
        /// The intent, whole.
        intent: Intent,
    },
    /// An intent ended.
    Ended {
        /// The intent.
        id: IntentId,
        /// How.
        #[serde(flatten)]
        end: End,
    },
    /// An evicted or withdrawn intent is tried again, behind all others.
    Retried {
        /// The intent.
        id: IntentId,
        /// Who asked.
        actor: String,
        /// Why.
        reason: String,
    },
    /// Auto was written: these commits, oldest first, are the chain.
    Built {
        /// The chain.
        commits: Vec<Built>,
    },
    /// Stable was seen at this commit.
    StableSeen {
        /// The commit.
        commit: CommitId,
    },
    /// A target reported what it runs.
    Reported {
        /// The report.
        report: Report,
    },
    /// An operator closed a wave.
    Held {
        /// The wave.
        wave: WaveName,
        /// Who and why.
        #[serde(flatten)]
        note: Note,
    },
    /// An operator opened a wave.
    Released {
        /// The wave.
        wave: WaveName,
        /// Who and why.
        #[serde(flatten)]
        note: Note,
    },
    /// An operator let one release into a wave.
    Approved {
        /// The wave.
        wave: WaveName,
        /// The set.
        set: SetName,
        /// The release.
        release: Release,
        /// Who and why.
        #[serde(flatten)]
        note: Note,
    },
    /// An operator stopped all landing.
    Paused {
        /// Who and why.
        #[serde(flatten)]
        note: Note,
    },
    /// An operator let landing go on.
    Resumed {
        /// Who and why.
        #[serde(flatten)]
        note: Note,
    },
    /// An operator stopped waiting for a target.
    Waived {
        /// The wave.
        wave: WaveName,
        /// The target.
        target: TargetName,
        /// Until when; for good where absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
        /// Who and why.
        #[serde(flatten)]
        note: Note,
    },
    /// An operator accepted the repository as it is after stable was rewound or state was lost.
    AcceptedAsIs {
        /// The stable tip that was accepted.
        stable: CommitId,
        /// The state commits that our commits cite and that may be missing from now on.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        excused: Vec<CommitId>,
        /// Who and why.
        #[serde(flatten)]
        note: Note,
    },
    /// An operator's call was carried out: a repetition of it is answered without being carried out again.
    Operated {
        /// The call.
        key: OperationKey,
        /// What it asked for.
        asked: OperationKey,
        /// The intents it made, opened again or took back.
        intents: Vec<IntentId>,
    },
    /// The configuration's generation rose.
    Generation {
        /// The generation.
        generation: u64,
    },
}

/// One commit of the chain as it was pushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Built {
    /// The commit.
    pub commit: CommitId,
    /// The intent it applies.
    pub intent: IntentId,
    /// When this commit was first on auto: where time-outs start.
    pub at: Timestamp,
}

/// Who did something and why.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Note {
    /// The name of the token.
    pub actor: String,
    /// The reason given.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

/// What a target said it runs, resolved to a release.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Report {
    /// The wave.
    pub wave: WaveName,
    /// The target.
    pub target: TargetName,
    /// The set.
    pub set: SetName,
    /// The release it runs, or failed to run.
    pub release: Release,
    /// The introduction of that release the report speaks of: a later introduction needs a new report.
    pub introduction: CommitId,
    /// The revision reported, where one was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<CommitId>,
    /// Whether the deployment succeeded.
    pub status: DeploymentStatus,
    /// When the target saw it, where it said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_at: Option<Timestamp>,
    /// When the report came in.
    pub at: Timestamp,
    /// Who reported.
    pub actor: String,
    /// When the target's deploy tool was asked; absent where it told by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_at: Option<Timestamp>,
    /// The newer introductions that the target evidently doesn't run any more: what it said of them no longer counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub revoked: Vec<CommitId>,
}

/// How a deployment went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeploymentStatus {
    /// The target runs the release.
    Succeeded,
    /// It doesn't.
    Failed,
}
