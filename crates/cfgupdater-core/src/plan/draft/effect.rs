//! What a draft becomes: what is written, what auto must hold, and which checks are asked for.

use crate::intent::IntentId;
use crate::object_id::CommitId;
use crate::projection::queued_behind_checks;
use crate::reason::{Code, Reason};
use crate::record::Record;
use crate::snapshot::{ChainCommit, Relation};
use crate::verdict::Verdict;

use super::super::{AutoEdit, Effect, Plan, Transaction};
use super::Draft;

impl Draft<'_> {
    /// Turns the draft into one effect at the most.
    pub(in crate::plan) fn into_plan(mut self) -> Plan {
        self.explain_the_chain();
        let auto = self.auto_edit();
        let effect = if self.records.is_empty() && auto.is_none() {
            self.probe_effect()
        } else {
            Some(Effect::Write(self.transaction(auto)))
        };
        Plan { request_checks: self.checks_to_request(), effect, why: self.why, look_again: self.look_again }
    }

    /// Says what auto must become; `None` while it is right as it is.
    fn auto_edit(&mut self) -> Option<AutoEdit> {
        let snapshot = self.snapshot;
        let wanted = self.projection.chain.clone();
        let on_stable = matches!(snapshot.relation, Relation::Ahead | Relation::Same);
        let chain: &[ChainCommit] = if on_stable { &snapshot.chain } else { &[] };
        let kept = chain.iter().zip(&wanted).take_while(|(commit, id)| commit.intent == Some(**id)).count();
        // A push of which the remote took auto alone left commits that state doesn't name: they are recorded.
        let named = chain[..kept].iter().all(|commit| self.state.built_at(&commit.id).is_some());
        let mut fresh = &wanted[kept..];
        let only_adds = on_stable && kept == chain.len();
        if !fresh.is_empty()
            && (self.would_cancel_checks(kept) || only_adds && self.waits_for_rendering(fresh))
        {
            fresh = &[];
        }
        let right = match snapshot.relation {
            Relation::Ahead | Relation::Same => kept == chain.len() && fresh.is_empty() && named,
            Relation::Behind => wanted.is_empty(),
            Relation::Absent | Relation::Diverged => false,
        };
        if right || self.waits_for_rendering(fresh) {
            return None;
        }
        Some(AutoEdit {
            from: snapshot.branches.auto,
            base: kept.checked_sub(1).map_or(snapshot.branches.stable, |last| chain[last].id),
            keep: chain[..kept].iter().map(|commit| commit.id).collect(),
            intents: fresh.to_vec(),
        })
    }

    /// Tells whether appending would make the forge cancel the checks that the tip waits for.
    fn would_cancel_checks(&mut self, kept: usize) -> bool {
        let appends = self.snapshot.relation == Relation::Ahead && kept == self.snapshot.chain.len();
        let undecided = matches!(self.verdicts.last(), Some(Verdict::Pending | Verdict::Missing));
        let waits = self.snapshot.capabilities.cancels_superseded && appends && undecided;
        if waits {
            let queued = self.projection.chain[kept..].iter().filter_map(|id| self.state.live_intent(*id));
            self.why.extend(queued.map(|intent| queued_behind_checks(&intent.wave, &intent.set)));
        }
        waits
    }

    /// Tells whether auto is left as it is since files can't be rendered. Taking commits off it needs no rendering.
    fn waits_for_rendering(&mut self, new: &[IntentId]) -> bool {
        let Some((text, until)) = self.scope.auto_waits.as_ref().filter(|_| !new.is_empty()) else {
            return false;
        };
        self.why.push(Reason::new(Code::Rendering, "auto", text.clone()));
        self.look_again_at(Some(*until));
        true
    }

    fn transaction(&mut self, auto: Option<AutoEdit>) -> Transaction {
        let snapshot = self.snapshot;
        let mut records = std::mem::take(&mut self.records);
        if self.policy.generation > self.state.generation {
            records.push(Record::Generation { generation: self.policy.generation });
        }
        if self.state.stable_seen != Some(snapshot.branches.stable) {
            records.push(Record::StableSeen { commit: snapshot.branches.stable });
        }
        let mut foreign =
            snapshot.chain.iter().filter(|commit| commit.intent.is_none()).map(|commit| commit.id);
        // The topmost one holds all that lie beneath it.
        let park = if auto.is_some() { foreign.next_back().into_iter().collect() } else { Vec::new() };
        Transaction { state: snapshot.branches.state, records, auto, park }
    }

    fn probe_effect(&mut self) -> Option<Effect> {
        let to = self.probe.filter(|_| !self.snapshot.capabilities.requests_checks)?;
        let from = self.snapshot.branches.probe;
        (from != Some(to)).then_some(Effect::Probe { from, to })
    }

    /// Lists what a forge that runs checks on request is asked for: the chain, and stable's tip where its verdict is
    /// needed to blame anybody.
    fn checks_to_request(&self) -> Vec<CommitId> {
        if !self.snapshot.capabilities.requests_checks {
            return Vec::new();
        }
        let undecided = |verdict: Verdict| matches!(verdict, Verdict::Missing | Verdict::Pending);
        let chain =
            self.snapshot.chain.iter().zip(&self.verdicts).filter(|(_, verdict)| undecided(**verdict));
        let stable = self.probe.filter(|commit| *commit == self.snapshot.branches.stable);
        chain.map(|(commit, _)| commit.id).chain(stable).collect()
    }
}
