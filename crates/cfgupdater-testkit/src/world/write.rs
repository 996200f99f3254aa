//! Writing: how effects are carried out, as the engine carries them out on git.

use std::sync::Arc;

use cfgupdater_core::{
    AutoEdit, Built, Effect, Entry, Error, ErrorKind, Failure, Intent, IntentId, Record, Snapshot,
    Transaction, Written,
};

use super::World;
use super::dag::{Author, Trailers};
use super::node::{Node, StateNode};
use super::releases;
use super::remote::Edit;
use super::replica::Fault;
use super::trace::{Actor, Event, View};

/// A push that the remote will carry out later.
#[derive(Debug, Clone)]
pub(super) struct Late {
    replica: usize,
    pub(super) edits: Vec<Edit>,
    pub(super) view: Arc<View>,
}

impl World {
    /// Carries out one effect for a replica, or fails in the way a schedule says.
    pub(super) fn perform(
        &mut self,
        replica: usize,
        effect: Effect,
        snapshot: &Snapshot,
        view: &Arc<View>,
        fault: Fault,
    ) -> Result<Written, Failure> {
        let (edits, written) = match effect {
            Effect::Land { to, .. } => (vec![Edit::Stable { to: node(&to)? }], Written::default()),
            Effect::Probe { from, to } => {
                let from = from.as_ref().map(node).transpose()?;
                (vec![Edit::Probe { from, to: Some(node(&to)?) }], Written::default())
            }
            Effect::Write(transaction) => self.prepare(replica, &transaction, snapshot)?,
            _ => return Err(invalid("this world doesn't know the planned effect")),
        };
        let unsure = || Failure::Indeterminate { reason: "the connection broke".to_owned() };
        match fault {
            Fault::Declined => return Err(Failure::Declined { reason: "a hook declined".to_owned() }),
            Fault::Lost => return Err(unsure()),
            Fault::Late => {
                self.late.push(Late { replica, edits, view: Arc::clone(view) });
                return Err(unsure());
            }
            _ => {}
        }
        let moved = self.push(replica, &edits, view);
        match (moved, fault) {
            (_, Fault::Unanswered) => Err(unsure()),
            (true, _) => Ok(written),
            (false, _) => Err(Failure::Stale),
        }
    }

    /// Carries out the pushes that were under way when their answer was lost.
    pub(super) fn arrive_late(&mut self) {
        for late in std::mem::take(&mut self.late) {
            self.push(late.replica, &late.edits, &late.view);
        }
    }

    /// Pushes several branches at once, or one after the other until one doesn't move; tells whether all of them moved.
    fn push(&mut self, replica: usize, edits: &[Edit], view: &Arc<View>) -> bool {
        let leases = self.tamper.leases();
        let takes = |world: &Self, edit: &Edit| world.remote.takes(*edit, &world.dag, leases);
        let all = edits.iter().all(|edit| takes(self, edit));
        if !all && self.setup.atomic {
            return false;
        }
        for edit in edits {
            if takes(self, edit) {
                self.set(*edit, Actor::Replica(replica), Some(view));
            } else if self.tamper.pushes_in_order() {
                break;
            }
        }
        all
    }

    /// Moves a branch and lets everybody know who watches it.
    pub(crate) fn set(&mut self, edit: Edit, by: Actor, view: Option<&Arc<View>>) {
        let (before, view) = (self.remote.refs, view.cloned());
        self.remote.set(edit);
        let after = self.remote.refs;
        match edit {
            Edit::Stable { to } => {
                if before.stable != to {
                    self.trace.push(Event::Stable { by, from: before.stable, to, view });
                }
                if self.setup.ci_on_stable {
                    self.ci.start(to, self.now());
                }
            }
            Edit::Auto { to, .. } => {
                if let Some(left) = before.auto.filter(|left| self.setup.cancels && Some(*left) != to) {
                    self.ci.cancel(left, self.now());
                }
                self.trace.push(Event::Auto { by, from: before.auto, to: after.auto, view });
                self.start_checks(to);
            }
            Edit::State { .. } => {
                self.trace.push(Event::State { by, from: before.state, to: after.state, view });
            }
            Edit::Probe { to, .. } => {
                self.trace.push(Event::Probe { by, to });
                self.start_checks(to);
            }
            Edit::Park { .. } => {}
        }
    }

    fn start_checks(&mut self, tip: Option<Node>) {
        if let Some(tip) = tip {
            self.ci.start(tip, self.now());
        }
    }

    fn prepare(
        &mut self,
        replica: usize,
        transaction: &Transaction,
        snapshot: &Snapshot,
    ) -> Result<(Vec<Edit>, Written), Failure> {
        let at = self.now_of(replica);
        let from = transaction.state.as_ref().map(state_node).transpose()?;
        let mut tip = from;
        if !transaction.records.is_empty() {
            let accepting = self.states.add(tip, Entry { at, records: transaction.records.clone() });
            tip = Some(accepting);
            for record in &transaction.records {
                if let Record::Accepted { intent } = record {
                    self.tamper.prepared(replica, intent.id, accepting);
                }
            }
        }
        let mut edits = Vec::new();
        let mut written = Written::default();
        if let Some(auto) = &transaction.auto {
            let top = self.rebuild(replica, auto, transaction, snapshot, tip, &mut written)?;
            let built = chain_record(auto, &written, snapshot);
            tip = Some(self.states.add(tip, Entry { at, records: vec![built] }));
            let from = auto.from.as_ref().map(node).transpose()?;
            if from != Some(top) {
                edits.push(Edit::Auto { from, to: Some(top) });
            }
        }
        edits.insert(0, Edit::State { from, to: tip });
        for commit in &transaction.park {
            let commit = node(commit)?;
            if !self.remote.parked.contains(&commit) {
                edits.push(Edit::Park { commit });
            }
        }
        Ok((edits, written))
    }

    /// Re-applies intents one after the other, and returns the tip that results.
    fn rebuild(
        &mut self,
        replica: usize,
        auto: &AutoEdit,
        transaction: &Transaction,
        snapshot: &Snapshot,
        tip: Option<StateNode>,
        written: &mut Written,
    ) -> Result<Node, Failure> {
        let mut top = node(&auto.base)?;
        for id in &auto.intents {
            let intent = live(*id, transaction, snapshot).ok_or_else(|| invalid("an intent is not live"))?;
            let tip = tip.ok_or_else(|| invalid("there is no state"))?;
            let cited = self.states.accepted_in(tip, *id);
            let cited = self.tamper.cites(replica, *id, cited).ok_or_else(|| invalid("an intent is lost"))?;
            let slot = self.slot(&intent.wave, &intent.set).ok_or_else(|| invalid("no such slot"))?;
            let mut tree = self.dag.commit(top).tree;
            tree.slots[slot] = releases::number(intent.release);
            let app = releases::number(intent.release);
            let trailers = Trailers { intent: *id, slot, cited, app };
            top = self.dag.add(vec![top], tree, Author::Service, Some(trailers), intent.accepted_at);
            written.commits.push((*id, top.id()));
        }
        Ok(top)
    }
}

/// Finds an intent that is live once a transaction is recorded.
fn live<'a>(id: IntentId, transaction: &'a Transaction, snapshot: &'a Snapshot) -> Option<&'a Intent> {
    let mut found = snapshot.state.live_intent(id);
    for record in &transaction.records {
        match record {
            Record::Accepted { intent } if intent.id == id => found = Some(intent),
            Record::Ended { id: ended, .. } if *ended == id => found = None,
            Record::Retried { id: retried, .. } if *retried == id => {
                found = snapshot.state.intents.get(&id).map(|accepted| &accepted.intent);
            }
            _ => {}
        }
    }
    found
}

/// Records the chain with the time each commit was first on auto.
fn chain_record(auto: &AutoEdit, written: &Written, snapshot: &Snapshot) -> Record {
    let state = &snapshot.state;
    let kept = auto.keep.iter().filter_map(|commit| {
        let intent = snapshot.chain.iter().find(|link| link.id == *commit)?.intent?;
        Some(Built { commit: *commit, intent, at: state.built_at(commit).unwrap_or(snapshot.now) })
    });
    let fresh = written.commits.iter().map(|(intent, commit)| Built {
        commit: *commit,
        intent: *intent,
        at: state.built_at(commit).unwrap_or(snapshot.now),
    });
    Record::Built { commits: kept.chain(fresh).collect() }
}

fn node(id: &cfgupdater_core::CommitId) -> Result<Node, Failure> {
    Node::of(id).ok_or_else(|| invalid("no such commit"))
}

fn state_node(id: &cfgupdater_core::CommitId) -> Result<StateNode, Failure> {
    StateNode::of(id).ok_or_else(|| invalid("no such state commit"))
}

fn invalid(message: &str) -> Failure {
    Failure::of(&Error::new(ErrorKind::Invalid, message))
}
