//! Snapshots: everything a plan may look at, read freshly and then left alone.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::check::{CheckRun, RequiredChecks};
use crate::end::End;
use crate::forge::Capabilities;
use crate::history::{History, Slot};
use crate::image::ImageMap;
use crate::intent::{Intent, IntentId};
use crate::object_id::CommitId;
use crate::reason::Reason;
use crate::release::Release;
use crate::state::{Accepted, State};
use crate::timestamp::Timestamp;
use crate::verdict::{Verdict, verdict};

/// One reading of one repository. Refs were read first and checks after them (invariant S1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// When it was read.
    pub now: Timestamp,
    /// The branches.
    pub branches: Branches,
    /// The state, empty where the branch doesn't exist yet.
    pub state: Arc<State>,
    /// What stands against deciding anything.
    pub faults: Vec<Fault>,
    /// Stable's history.
    pub history: Arc<History>,
    /// How auto relates to stable.
    pub relation: Relation,
    /// `stable..auto` where auto is ahead, `merge-base..auto` where they diverged; oldest first.
    pub chain: Vec<ChainCommit>,
    /// Intents whose commit is in stable's history: live ones, and evicted ones that somebody landed all the same.
    pub landed: BTreeMap<IntentId, CommitId>,
    /// The checks of the chain and of stable's tip.
    pub checks: BTreeMap<CommitId, Arc<[CheckRun]>>,
    /// The required checks.
    pub required: Arc<RequiredChecks>,
    /// What the forge can do.
    pub capabilities: Capabilities,
    /// The images of releases that may be promoted or rolled back to, and of what the waves have.
    pub images: BTreeMap<Release, ImageMap>,
    /// What is known of the revisions that calls named; `None` for one that doesn't exist. Their images are among
    /// `images`.
    pub revisions: BTreeMap<CommitId, Option<Revision>>,
    /// The state commits that our commits on stable and on auto cite, read where state was lost.
    pub cited: Vec<CommitId>,
    /// The intents that commits on auto prove by themselves, oldest first, read where state was lost.
    pub restorable: Vec<Intent>,
    /// What was noticed about the files of stable and auto, for people.
    pub findings: Vec<Reason>,
}

/// The branches as read; all but stable may be absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Branches {
    /// The stable branch.
    pub stable: CommitId,
    /// The auto branch.
    pub auto: Option<CommitId>,
    /// The state branch.
    pub state: Option<CommitId>,
    /// The scratch branch.
    pub probe: Option<CommitId>,
}

/// How auto relates to stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Relation {
    /// There is no auto branch.
    Absent,
    /// Both are at the same commit.
    Same,
    /// Auto is an ancestor of stable; it moves with the next write.
    Behind,
    /// Stable is an ancestor of auto.
    Ahead,
    /// Neither is.
    Diverged,
}

/// One commit of the chain.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ChainCommit {
    /// The commit.
    pub id: CommitId,
    /// Its first line, for people.
    pub subject: String,
    /// The intent it applies: only if re-applying that intent on its parent gives its tree.
    pub intent: Option<IntentId>,
}

/// What is known of a revision that a call named.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Revision {
    /// Whether it is in stable's history.
    pub on_stable: bool,
    /// The images it holds in each slot.
    pub releases: BTreeMap<Slot, Release>,
}

/// Something that stops every decision until a person or a newer replica deals with it: failing closed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// The state branch is gone although stable cites it, or it lost commits that stable cites.
    StateLost {
        /// The newest state commit that stable cites.
        cited: CommitId,
    },
    /// A commit of the state branch holds something else than what it records: somebody else's hand.
    StateEdited {
        /// The commit.
        commit: CommitId,
    },
    /// Stable no longer descends from where it was last seen.
    StableRewound {
        /// Where it was.
        seen: CommitId,
    },
    /// The state branch can't be read.
    StateUnreadable {
        /// Why.
        why: String,
    },
    /// There is no state, and auto holds commits that nobody here made.
    UnrelatedAuto {
        /// Where auto is.
        auto: CommitId,
    },
    /// A commit of ours was made by a newer release, in a format that this one doesn't know.
    NewerFormat {
        /// The commit.
        commit: CommitId,
        /// Its format.
        version: u32,
    },
    /// The recorded generation is newer than this replica's configuration.
    OldConfiguration {
        /// The generation recorded.
        recorded: u64,
    },
}

impl Snapshot {
    /// Returns all attempts on a commit, none where nothing was reported.
    pub fn runs(&self, commit: &CommitId) -> &[CheckRun] {
        self.checks.get(commit).map(|runs| &**runs).unwrap_or_default()
    }

    /// Returns the verdict of a commit by its own checks.
    pub fn verdict_of(&self, commit: &CommitId) -> Verdict {
        verdict(&self.required, self.runs(commit))
    }

    /// Returns the verdict of stable's tip: one that we landed is green, one that a person pushed needs its own.
    pub fn stable_verdict(&self) -> Verdict {
        let ours = self.history.tip() == Some(self.branches.stable) && self.history.tip_is_ours();
        if ours && self.was_on_auto(&self.branches.stable) {
            Verdict::Green
        } else {
            self.verdict_of(&self.branches.stable)
        }
    }

    /// Tells whether state names a commit as one we built: people copy our messages, but not our commits.
    fn was_on_auto(&self, commit: &CommitId) -> bool {
        let landed = |accepted: &Arc<Accepted>| matches!(&accepted.end, Some(End::Landed { commit: c }) if c == commit);
        self.state.built_at(commit).is_some() || self.state.intents.values().any(landed)
    }
}
