//! Plans: what a snapshot calls for, as data.

use std::collections::{BTreeMap, BTreeSet};

use crate::call::{Answer, Call, Refusal, RefusalKind};
use crate::end::{End, Evidence};
use crate::intent::IntentId;
use crate::object_id::CommitId;
use crate::policy::Policy;
use crate::reason::Reason;
use crate::record::{Note, Record};
use crate::snapshot::Snapshot;
use crate::timestamp::Timestamp;

mod calls;
mod draft;
#[cfg(test)]
mod tests;

use draft::Draft;

/// What to do next, why the rest waits, and when to look again. Every effect carries the old values it believes in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Plan {
    /// What to do; after it, observe again.
    pub effect: Option<Effect>,
    /// Commits whose checks the forge is asked to run; costs nothing where they run already.
    pub request_checks: Vec<CommitId>,
    /// Why what waits waits.
    pub why: Vec<Reason>,
    /// When something changes by itself.
    pub look_again: Option<Timestamp>,
}

/// One push.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Effect {
    /// Move stable forward to a commit of the chain, by a plain push.
    Land {
        /// Where stable is.
        from: CommitId,
        /// The commit.
        to: CommitId,
    },
    /// Record transitions, and write auto accordingly.
    Write(Transaction),
    /// Get a commit tested by pushing it to the scratch branch.
    Probe {
        /// Where the scratch branch is.
        from: Option<CommitId>,
        /// The commit.
        to: CommitId,
    },
}

/// One compare-and-swap on the state branch, with the auto branch that follows from it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Hash)]
#[non_exhaustive]
pub struct Transaction {
    /// Where the state branch is.
    pub state: Option<CommitId>,
    /// The transitions.
    pub records: Vec<Record>,
    /// What auto becomes.
    pub auto: Option<AutoEdit>,
    /// Commits of others on auto, to be kept under a name of their own.
    pub park: Vec<CommitId>,
}

impl Transaction {
    /// Tells whether it accepts an intent.
    pub fn accepts(&self, id: IntentId) -> bool {
        self.records.iter().any(|record| matches!(record, Record::Accepted { intent } if intent.id == id))
    }
}

/// What auto becomes: `intents` re-applied one after the other on `base`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct AutoEdit {
    /// Where auto is.
    pub from: Option<CommitId>,
    /// The commit to build on: stable, or the last commit of the chain that stays.
    pub base: CommitId,
    /// The commits of the chain that stay, oldest first.
    pub keep: Vec<CommitId>,
    /// The intents to apply.
    pub intents: Vec<IntentId>,
}

/// A plan together with what the calls that led to it are answered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Decision {
    /// The plan.
    pub plan: Plan,
    /// One entry a call, in their order.
    pub replies: Vec<Reply>,
}

/// What becomes of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// Answer it now; nothing is written for it.
    Now(Result<Answer, Refusal>),
    /// Answer it once the plan's effect is done.
    OnceWritten(Answer),
    /// Decide it after the next observation: something goes first.
    Later,
}

/// Plans without any call: pure and total, the same for the same snapshot.
pub fn plan(snapshot: &Snapshot, policy: &Policy) -> Plan {
    decide(snapshot, policy, &[], &Scope::default()).plan
}

/// What a decision may do, narrowed after the remote declined something.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Scope {
    /// Whether stable may be moved.
    pub land: bool,
    /// Intents that stay off auto while it is found out which of them the remote declines.
    pub leave_out: BTreeSet<IntentId>,
    /// Intents that the remote declines, with what it said.
    pub refuse: BTreeMap<IntentId, String>,
    /// Intents whose files can't be rendered, with what proves it.
    pub unrenderable: BTreeMap<IntentId, Evidence>,
    /// Why auto is left as it is, and until when: files can't be rendered, and no intent is to blame.
    pub auto_waits: Option<(String, Timestamp)>,
}

impl Default for Scope {
    fn default() -> Self {
        Self {
            land: true,
            leave_out: BTreeSet::new(),
            refuse: BTreeMap::new(),
            unrenderable: BTreeMap::new(),
            auto_waits: None,
        }
    }
}

/// Decides calls and plans what follows: a newer configuration takes over first, then land, then evict, then everything
/// that is one transaction on state.
pub fn decide(snapshot: &Snapshot, policy: &Policy, calls: &[&Call], scope: &Scope) -> Decision {
    if !snapshot.faults.is_empty() {
        return faulty(snapshot, policy, calls);
    }
    let mut draft = Draft::new(snapshot, policy, scope);
    let raised = draft.raise_generation();
    draft.record_what_landed();
    draft.project();
    if let Some(effect) = raised.or_else(|| draft.land().filter(|_| scope.land)) {
        let replies = calls.iter().map(|_| Reply::Later).collect();
        let plan = Plan { effect: Some(effect), why: draft.why, ..Plan::default() };
        return Decision { plan, replies };
    }
    draft.evict();
    let mut replies: Vec<Reply> = calls.iter().map(|call| calls::decide(call, &mut draft)).collect();
    draft.promote();
    draft.refuse();
    draft.evict_unrenderable();
    for reply in &mut replies {
        calls::complete(reply, &draft);
    }
    Decision { plan: draft.into_plan(), replies }
}

/// While something stands against every decision, nothing but an operator's acceptance of it is decided.
fn faulty(snapshot: &Snapshot, policy: &Policy, calls: &[&Call]) -> Decision {
    let why: Vec<Reason> = snapshot.faults.iter().map(crate::fault::reason).collect();
    let detail = why.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    let mut records = Vec::new();
    let decide = |call: &&Call| match calls::accept(call, snapshot, policy) {
        Some(Ok((accepted, answer))) if accepted.is_empty() => Reply::Now(Ok(answer)),
        Some(Ok((accepted, answer))) if records.is_empty() => {
            records = accepted;
            Reply::OnceWritten(answer)
        }
        // Once the first acceptance is written there may be nothing left to accept.
        Some(Ok(_)) => Reply::Later,
        Some(Err(refusal)) => Reply::Now(Err(refusal)),
        None => Reply::Now(Err(Refusal::new(RefusalKind::Unavailable, detail.clone()))),
    };
    let replies = calls.iter().map(decide).collect();
    let effect = (!records.is_empty()).then(|| {
        let state = snapshot.branches.state;
        Effect::Write(Transaction { state, records, ..Transaction::default() })
    });
    Decision { plan: Plan { effect, why, ..Plan::default() }, replies }
}

/// Builds who did something and why.
pub(crate) fn note(actor: &str, reason: &str, at: Timestamp) -> Note {
    Note { actor: actor.to_owned(), reason: reason.to_owned(), at }
}

/// Ends an intent.
pub(crate) fn ended(id: IntentId, end: End) -> Record {
    Record::Ended { id, end }
}
