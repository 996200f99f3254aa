//! The ledger: the records of the state branch, folded as naively as can be.

use std::collections::{BTreeMap, BTreeSet};

use cfgupdater_core::{
    DeploymentStatus, End, Intent, IntentId, Record, Release, Report, SetName, TargetName, Timestamp,
    WaveName,
};

use super::Finding;
use crate::world::node::StateNode;
use crate::world::state_branch::StateCommits;

/// One intent.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) intent: Intent,
    pub(super) position: usize,
    pub(super) end: Option<End>,
    /// Whether it was tried again, so that its place in the order is another.
    pub(super) retried: bool,
}

/// All that was decided.
#[derive(Debug, Clone, Default)]
pub(super) struct Ledger {
    pub(super) intents: BTreeMap<IntentId, Known>,
    pub(super) held: BTreeSet<WaveName>,
    pub(super) paused: bool,
    pub(super) approved: BTreeMap<(WaveName, SetName), Release>,
    pub(super) waived: BTreeMap<(WaveName, TargetName), Option<Timestamp>>,
    /// Every report in the order of its recording.
    pub(super) reports: Vec<Report>,
    pub(super) accepted_as_is: bool,
    next: usize,
}

impl Ledger {
    /// Folds a state commit and all before it.
    pub(super) fn fold(states: &StateCommits, tip: Option<StateNode>) -> Self {
        let mut nodes: Vec<StateNode> = states.history(tip).collect();
        nodes.reverse();
        let mut ledger = Self::default();
        for node in nodes {
            let entry = &states.commit(node).entry;
            for record in &entry.records {
                // What is wrong with it was found when it was written.
                let _ = ledger.s6_each_intent_has_one_end(record);
            }
        }
        ledger
    }

    /// Applies a record: no intent is accepted twice, and none ends twice, save that stable has the last word.
    pub(super) fn s6_each_intent_has_one_end(&mut self, record: &Record) -> Finding {
        match record {
            Record::Accepted { intent } => {
                let position = self.take_position();
                let known = Known { intent: intent.clone(), position, end: None, retried: false };
                if let cfgupdater_core::Action::Promote { .. } = intent.action {
                    self.approved.remove(&(intent.wave.clone(), intent.set.clone()));
                }
                if self.intents.insert(intent.id, known).is_some() {
                    return Err(format!("{:?} was accepted twice", intent.id));
                }
            }
            Record::Ended { id, end } => {
                let Some(known) = self.intents.get_mut(id) else {
                    return Err(format!("{id:?} ended as {end} and was never accepted"));
                };
                let before = known.end.replace(end.clone());
                if let Some(before) =
                    before.filter(|_| !matches!(end, End::Landed { .. } | End::Subsumed { .. }))
                {
                    return Err(format!("{id:?} ended twice: {before}, then {end}"));
                }
            }
            Record::Retried { id, .. } => {
                let position = self.take_position();
                let Some(known) = self.intents.get_mut(id) else {
                    return Err(format!("{id:?} was retried and never accepted"));
                };
                (known.end, known.position, known.retried) = (None, position, true);
            }
            Record::Held { wave, .. } => {
                self.held.insert(wave.clone());
            }
            Record::Released { wave, .. } => {
                self.held.remove(wave);
            }
            Record::Approved { wave, set, release, .. } => {
                self.approved.insert((wave.clone(), set.clone()), *release);
            }
            Record::Waived { wave, target, until, .. } => {
                self.waived.insert((wave.clone(), target.clone()), *until);
            }
            Record::Paused { .. } => self.paused = true,
            Record::Resumed { .. } => self.paused = false,
            Record::Reported { report } => self.reports.push(report.clone()),
            Record::AcceptedAsIs { .. } => self.accepted_as_is = true,
            _ => {}
        }
        Ok(())
    }

    fn take_position(&mut self) -> usize {
        self.next += 1;
        self.next
    }

    /// Returns the reports of one target on one set, oldest first.
    pub(super) fn reports_of<'a>(
        &'a self,
        wave: &'a WaveName,
        target: &'a TargetName,
        set: &'a SetName,
    ) -> impl DoubleEndedIterator<Item = &'a Report> {
        self.reports.iter().filter(move |r| r.wave == *wave && r.target == *target && r.set == *set)
    }

    /// Tells whether a target is not waited for.
    pub(super) fn is_waived(&self, wave: &WaveName, target: &TargetName, now: Timestamp) -> bool {
        let waiver = self.waived.get(&(wave.clone(), target.clone()));
        waiver.is_some_and(|until| until.is_none_or(|until| until > now))
    }

    /// Tells whether a target's last word is a failure.
    pub(super) fn fails(&self, wave: &WaveName, target: &TargetName, set: &SetName) -> bool {
        self.reports_of(wave, target, set).next_back().is_some_and(|r| r.status == DeploymentStatus::Failed)
    }
}
