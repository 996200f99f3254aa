//! The state: the fold of all records.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::end::End;
use crate::intent::{Action, Intent, IntentId};
use crate::name::{SetName, TargetName, WaveName};
use crate::object_id::CommitId;
use crate::operate::OperationKey;
use crate::record::{Built, DeploymentStatus, Entry, Note, Record, Report};
use crate::release::Release;
use crate::timestamp::Timestamp;

/// How many finished intents are kept whole; older ones keep their end alone.
const FINISHED_KEPT: usize = 500;

/// How many calls of operators are known when they are repeated.
const OPERATIONS_KEPT: usize = 200;

/// How many releases' reports are kept for each target and set.
const REPORTS_KEPT: usize = 50;

/// All that was accepted and decided. Clones share what doesn't change.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct State {
    /// The configuration's generation.
    pub generation: u64,
    /// The next position in the order of acceptance.
    pub next: u64,
    /// The stable tip last seen.
    pub stable_seen: Option<CommitId>,
    /// Set while an operator stopped all landing.
    pub paused: Option<Note>,
    /// Live intents and the newest finished ones.
    pub intents: BTreeMap<IntentId, Arc<Accepted>>,
    /// The ends of older intents, so that a repeated call is known for ever.
    pub ended: BTreeMap<IntentId, End>,
    /// The highest sequence of each set among pruned intents.
    pub sequences: BTreeMap<SetName, SequenceFloor>,
    /// The chain as last written, oldest first.
    pub built: Vec<Built>,
    /// State commits that our commits cite and that may be missing, since an operator accepted their loss.
    pub excused: Vec<CommitId>,
    /// The calls of operators that were carried out under a key, the newest of them.
    pub operations: BTreeMap<OperationKey, Performed>,
    /// What operators decided on each wave.
    pub waves: BTreeMap<WaveName, WaveState>,
    /// What each target of a wave reported on each set.
    pub targets: BTreeMap<(WaveName, TargetName, SetName), Arc<TargetReports>>,
}

/// An accepted intent with its place in the order and its end, if it has one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Accepted {
    /// Its place in the order of acceptance; a retry gets a new one.
    pub position: u64,
    /// The intent.
    pub intent: Intent,
    /// How it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<End>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
}

/// What is known of the announcements of a set that were pruned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct SequenceFloor {
    /// The highest sequence of one that did not fail by its own fault.
    pub highest: Option<u64>,
    /// Whether announcements came without a sequence.
    pub unordered: bool,
}

/// An operator's call that was carried out.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Performed {
    /// What it asked for.
    pub asked: OperationKey,
    /// The intents it made, opened again or took back.
    pub intents: Vec<IntentId>,
    /// When.
    pub at: Timestamp,
}

/// What operators decided on a wave.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct WaveState {
    /// Set while the wave is held.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold: Option<Note>,
    /// Approvals that no promotion has spent.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub approvals: BTreeMap<SetName, Approval>,
    /// Targets that are not waited for.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub waivers: BTreeMap<TargetName, Waiver>,
}

/// An operator's approval of one release.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Approval {
    /// The release.
    pub release: Release,
    /// Who and why.
    #[serde(flatten)]
    pub note: Note,
}

/// An operator's word that a target is not waited for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Waiver {
    /// Until when; for good where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Who and why.
    #[serde(flatten)]
    pub note: Note,
}

/// What one target reported on one set.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TargetReports {
    /// The newest report: the target's state.
    pub newest: Report,
    /// The last word on each release and introduction.
    pub by_introduction: BTreeMap<CommitId, Word>,
    /// When its deploy tool was last asked, of the answers that changed something: what was seen before is outdated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sighted: Option<Timestamp>,
}

/// The last word of a target on one introduction of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Word {
    /// Whether it runs.
    pub status: DeploymentStatus,
    /// Since when it says so.
    pub since: Timestamp,
}

impl State {
    /// Applies what one state commit records.
    pub fn apply_entry(&mut self, entry: &Entry) {
        for record in &entry.records {
            self.apply(record, entry.at);
        }
        self.prune();
    }

    /// Applies one record.
    pub fn apply(&mut self, record: &Record, at: Timestamp) {
        match record {
            Record::Accepted { intent } => self.accept(intent.clone()),
            Record::Ended { id, end } => self.end(*id, end.clone(), at),
            Record::Retried { id, .. } => self.reopen(*id),
            Record::Built { commits } => self.built.clone_from(commits),
            Record::StableSeen { commit } => self.stable_seen = Some(*commit),
            Record::Reported { report } => self.report(report),
            Record::Held { wave, note } => self.wave_mut(wave).hold = Some(note.clone()),
            Record::Released { wave, .. } => self.wave_mut(wave).hold = None,
            Record::Approved { wave, set, release, note } => {
                let approval = Approval { release: *release, note: note.clone() };
                self.wave_mut(wave).approvals.insert(set.clone(), approval);
            }
            Record::Paused { note } => self.paused = Some(note.clone()),
            Record::Resumed { .. } => self.paused = None,
            Record::Waived { wave, target, until, note } => {
                let waiver = Waiver { until: *until, note: note.clone() };
                self.wave_mut(wave).waivers.insert(target.clone(), waiver);
            }
            Record::AcceptedAsIs { stable, excused, .. } => {
                self.stable_seen = Some(*stable);
                self.excused.clone_from(excused);
            }
            Record::Operated { key, asked, intents } => {
                let performed = Performed { asked: *asked, intents: intents.clone(), at };
                self.operations.insert(*key, performed);
            }
            Record::Generation { generation } => self.generation = *generation,
        }
    }

    fn accept(&mut self, intent: Intent) {
        if let Action::Promote { .. } = intent.action {
            // An approval is spent by the promotion it let through.
            self.wave_mut(&intent.wave.clone()).approvals.remove(&intent.set);
        }
        let accepted = Accepted { position: self.next, intent, end: None, ended_at: None };
        self.next += 1;
        self.intents.insert(accepted.intent.id, Arc::new(accepted));
    }

    fn end(&mut self, id: IntentId, end: End, at: Timestamp) {
        if let Some(accepted) = self.intents.get_mut(&id).map(Arc::make_mut) {
            accepted.end = Some(end);
            accepted.ended_at = Some(at);
        }
    }

    fn reopen(&mut self, id: IntentId) {
        if let Some(accepted) = self.intents.get_mut(&id).map(Arc::make_mut) {
            accepted.end = None;
            accepted.ended_at = None;
            accepted.position = self.next;
            self.next += 1;
        }
    }

    fn report(&mut self, report: &Report) {
        let key = (report.wave.clone(), report.target.clone(), report.set.clone());
        let unheard =
            || TargetReports { newest: report.clone(), by_introduction: BTreeMap::new(), sighted: None };
        let known = Arc::make_mut(self.targets.entry(key).or_insert_with(|| Arc::new(unheard())));
        known.by_introduction.retain(|introduction, _| !report.revoked.contains(introduction));
        let said = known.by_introduction.get(&report.introduction);
        if said.is_none_or(|said| said.status != report.status) {
            let verdict = Word { status: report.status, since: report.at };
            known.by_introduction.insert(report.introduction, verdict);
        }
        known.sighted = known.sighted.max(report.asked_at);
        known.newest = report.clone();
        while known.by_introduction.len() > REPORTS_KEPT {
            let oldest = known.by_introduction.iter().min_by_key(|(_, said)| said.since).map(|(key, _)| *key);
            oldest.and_then(|key| known.by_introduction.remove(&key));
        }
    }

    /// Reduces the oldest finished intents to their ends.
    fn prune(&mut self) {
        let mut finished: Vec<(u64, IntentId)> =
            self.intents.values().filter(|a| a.end.is_some()).map(|a| (a.position, a.intent.id)).collect();
        finished.sort_unstable();
        for (_, id) in finished.iter().take(finished.len().saturating_sub(FINISHED_KEPT)) {
            let Some(accepted) = self.intents.remove(id) else { continue };
            let Some(end) = &accepted.end else { continue };
            self.raise_floor(&accepted.intent, end);
            self.ended.insert(*id, end.clone());
        }
        while self.operations.len() > OPERATIONS_KEPT {
            let oldest =
                self.operations.iter().min_by_key(|(key, done)| (done.at, **key)).map(|(key, _)| *key);
            oldest.and_then(|key| self.operations.remove(&key));
        }
    }

    fn raise_floor(&mut self, intent: &Intent, end: &End) {
        if let Action::Introduce { sequence, .. } = intent.action {
            let floor = self.sequences.entry(intent.set.clone()).or_default();
            floor.unordered |= sequence.is_none();
            if !end.is_fault() {
                floor.highest = floor.highest.max(sequence);
            }
        }
    }

    /// Lists the live intents in the order of their acceptance.
    pub fn live(&self) -> Vec<&Intent> {
        let mut live: Vec<&Accepted> =
            self.intents.values().map(|a| &**a).filter(|a| a.end.is_none()).collect();
        live.sort_unstable_by_key(|accepted| accepted.position);
        live.into_iter().map(|accepted| &accepted.intent).collect()
    }

    /// Lists the commits that tell, once they are in stable's history, that their intent is there: those built for live
    /// intents, and those that an eviction cites, since a person may land a commit while it is evicted.
    pub fn traces(&self) -> impl Iterator<Item = (IntentId, CommitId)> {
        let built = self.built.iter().map(|built| (built.intent, built.commit));
        let evicted = self.intents.values().filter_map(|accepted| match &accepted.end {
            Some(End::Evicted { evidence }) => Some((accepted.intent.id, evidence.commit)),
            _ => None,
        });
        built.filter(|(id, _)| self.live_intent(*id).is_some()).chain(evicted)
    }

    /// Returns a live intent.
    pub fn live_intent(&self, id: IntentId) -> Option<&Intent> {
        self.intents.get(&id).filter(|accepted| accepted.end.is_none()).map(|accepted| &accepted.intent)
    }

    /// Returns the end of an intent that had one, also of one long pruned.
    pub fn end_of(&self, id: IntentId) -> Option<&End> {
        self.intents.get(&id).and_then(|accepted| accepted.end.as_ref()).or_else(|| self.ended.get(&id))
    }

    /// Tells whether an intent was ever accepted.
    pub fn knows(&self, id: IntentId) -> bool {
        self.intents.contains_key(&id) || self.ended.contains_key(&id)
    }

    /// Returns what operators decided on a wave.
    pub fn wave(&self, name: &WaveName) -> Option<&WaveState> {
        self.waves.get(name)
    }

    fn wave_mut(&mut self, name: &WaveName) -> &mut WaveState {
        self.waves.entry(name.clone()).or_default()
    }

    /// Returns when a commit of the chain was first on auto.
    pub fn built_at(&self, commit: &CommitId) -> Option<Timestamp> {
        self.built.iter().find(|built| built.commit == *commit).map(|built| built.at)
    }
}

#[cfg(test)]
mod tests;
