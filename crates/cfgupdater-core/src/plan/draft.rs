//! The draft of a plan: the state as it will be, and the transitions that lead there.

mod effect;
mod explain;
mod judge;

use std::sync::Arc;
use std::time::Duration;

use crate::call::{Announced, Outcome};
use crate::end::{By, End, Evidence};
use crate::history::Slot;
use crate::image::ImageMap;
use crate::intent::{Action, Intent, IntentId};
use crate::object_id::CommitId;
use crate::policy::{Mode, Policy};
use crate::projection::{Projection, project};
use crate::promote::{Progress, Step};
use crate::reason::Reason;
use crate::record::Record;
use crate::release::Release;
use crate::snapshot::Snapshot;
use crate::state::{Accepted, State};
use crate::timestamp::Timestamp;
use crate::verdict::Verdict;

use super::{Effect, Scope, Transaction, ended};

/// Who acts when nobody in particular does.
const SERVICE: &str = "cfgupdater";

/// When to look again for images that a snapshot didn't hold.
const UNREAD: Duration = Duration::from_secs(1);

pub(super) struct Draft<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) policy: &'a Policy,
    scope: &'a Scope,
    /// The state with all of `records` applied; the snapshot's own until there are any.
    pub(super) state: Arc<State>,
    pub(super) why: Vec<Reason>,
    /// The promotions this draft made.
    pub(super) promoted: Vec<IntentId>,
    records: Vec<Record>,
    projection: Projection,
    verdicts: Vec<Verdict>,
    probe: Option<CommitId>,
    look_again: Option<Timestamp>,
}

impl<'a> Draft<'a> {
    pub(super) fn new(snapshot: &'a Snapshot, policy: &'a Policy, scope: &'a Scope) -> Self {
        Self {
            snapshot,
            policy,
            scope,
            state: Arc::clone(&snapshot.state),
            why: snapshot.findings.clone(),
            promoted: Vec::new(),
            records: Vec::new(),
            projection: Projection::default(),
            verdicts: snapshot.chain.iter().map(|commit| snapshot.verdict_of(&commit.id)).collect(),
            probe: None,
            look_again: snapshot.findings.iter().filter_map(|finding| finding.until).min(),
        }
    }

    /// Tells whether anything was decided that isn't written yet.
    pub(super) fn is_unwritten(&self) -> bool {
        !self.records.is_empty()
    }

    pub(super) fn record(&mut self, record: Record) {
        Arc::make_mut(&mut self.state).apply(&record, self.snapshot.now);
        self.records.push(record);
    }

    /// Stable wins over any other record: an intent whose commit is in its history has landed.
    pub(super) fn record_what_landed(&mut self) {
        for (id, commit) in &self.snapshot.landed {
            match self.state.end_of(*id) {
                None if self.state.knows(*id) => {
                    // Anybody can copy a message: that we made a commit is told by the record of its SHA alone.
                    let built =
                        self.state.built.iter().any(|built| built.intent == *id && built.commit == *commit);
                    self.record(ended(*id, on_stable(*commit, !built)));
                }
                Some(End::Evicted { evidence }) if evidence.commit == *commit => {
                    self.record(ended(*id, on_stable(*commit, false)));
                }
                _ => {}
            }
        }
        // A landing may cross an eviction or a gate that closes, since these move another branch.
        let crossed = |accepted: &Arc<Accepted>| {
            let end = accepted.end.as_ref().filter(|end| !end.is_on_stable())?;
            let found = self.snapshot.history.applied(&accepted.intent)?;
            let same = |evidence: &Evidence| evidence.commit == found.commit;
            let judged = matches!(end, End::Evicted { evidence } if same(evidence));
            Some(ended(accepted.intent.id, on_stable(found.commit, !judged)))
        };
        let crossed: Vec<Record> = self.state.intents.values().filter_map(crossed).collect();
        for record in crossed {
            self.record(record);
        }
    }

    /// Works out again what belongs on auto, and ends what has no place any more.
    pub(super) fn project(&mut self) {
        let mut projection = project(&self.state, &self.snapshot.history, self.policy, self.snapshot.now);
        projection.leave_out(&self.scope.leave_out);
        for (id, end) in &projection.ended {
            self.record(ended(*id, end.clone()));
        }
        self.projection = projection;
    }

    /// Ends what the remote declines.
    pub(super) fn refuse(&mut self) {
        for (id, reason) in &self.scope.refuse {
            if self.state.live_intent(*id).is_some() {
                self.record(ended(*id, End::Refused { reason: reason.clone() }));
                self.project();
            }
        }
    }

    /// Ends what can't be rendered although all beneath it can.
    pub(super) fn evict_unrenderable(&mut self) {
        for (id, evidence) in &self.scope.unrenderable {
            if self.state.live_intent(*id).is_some() {
                self.record(ended(*id, End::Evicted { evidence: evidence.clone() }));
                self.project();
            }
        }
    }

    pub(super) fn effective(&self, slot: &Slot) -> Option<Release> {
        self.projection.effective(slot, &self.snapshot.history).map(|(release, _)| release)
    }

    /// Returns the images a slot will have once all live intents have landed.
    pub(super) fn images(&self, slot: &Slot) -> Option<&ImageMap> {
        let (release, by) = self.projection.effective(slot, &self.snapshot.history)?;
        match by {
            By::Intent(id) => self.state.live_intent(id).map(|intent| &intent.images),
            By::Commit(_) => self.snapshot.images.get(&release),
        }
    }

    /// Answers an announcement whose intent may have a commit and an end.
    pub(super) fn announced(&self, intent: IntentId, outcome: Outcome) -> Announced {
        let history = &self.snapshot.history;
        let on_auto = self.snapshot.chain.iter().find(|commit| commit.intent == Some(intent)).map(|c| c.id);
        let landed = history.by_intent(intent).map(|introduction| introduction.commit);
        let end = self.state.end_of(intent).cloned().or(landed.map(|commit| End::Landed { commit }));
        Announced { intent, outcome, commit: on_auto.or(landed), end }
    }

    /// Records that a newer configuration is in force before anything is done by it: older replicas then only observe.
    /// The first write of a repository without state says so anyway.
    pub(super) fn raise_generation(&self) -> Option<Effect> {
        let begun = self.snapshot.branches.state.filter(|_| self.policy.mode == Mode::Act)?;
        let generation = Some(self.policy.generation).filter(|ours| *ours > self.state.generation)?;
        let records = vec![Record::Generation { generation }];
        Some(Effect::Write(Transaction { state: Some(begun), records, ..Transaction::default() }))
    }

    /// Promotes what is proven, and says what the rest waits for.
    pub(super) fn promote(&mut self) {
        for (set, from, to) in self.policy.steps() {
            let (state, history, now) = (&self.state, &*self.snapshot.history, self.snapshot.now);
            match (Step { set, from, to, state, history, now }).progress() {
                Progress::Nothing => {}
                Progress::Wait(reason) => {
                    self.look_again_at(reason.until);
                    self.why.push(reason);
                }
                Progress::Promote { introduction, id, attempt } => {
                    // Images that this snapshot doesn't hold are read for the next one.
                    let Some((release, images)) = introduction
                        .release
                        .and_then(|release| Some((release, self.snapshot.images.get(&release)?.clone())))
                    else {
                        self.look_again_at(Some(now.after(UNREAD)));
                        continue;
                    };
                    let (config_sha, app_sha) = (introduction.commit, introduction.app_sha);
                    let intent = Intent {
                        id,
                        set: set.name.clone(),
                        wave: to.name.clone(),
                        release,
                        images,
                        action: Action::Promote { from: from.name.clone(), config_sha, app_sha, attempt },
                        accepted_at: now.floor_to_seconds(),
                        accepted_on: self.snapshot.branches.stable,
                        actor: SERVICE.to_owned(),
                    };
                    self.record(Record::Accepted { intent });
                    self.promoted.push(id);
                    self.project();
                }
            }
        }
    }

    fn look_again_at(&mut self, at: Option<Timestamp>) {
        self.look_again = self.look_again.into_iter().chain(at).min();
    }
}

/// Returns the end of an intent whose change is on stable: by its own commit, or by a copy that a person made.
fn on_stable(commit: CommitId, copied: bool) -> End {
    if copied { End::Subsumed { by: By::Commit(commit) } } else { End::Landed { commit } }
}
