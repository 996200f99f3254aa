//! The draft of a plan: the state as it will be, and the transitions that lead there.

use std::sync::Arc;
use std::time::Duration;

use crate::call::{Announced, Outcome};
use crate::check::{CheckRun, CheckState};
use crate::end::{By, CheckOutcome, End, Evidence};
use crate::evict::{Blame, blame};
use crate::history::Slot;
use crate::image::ImageMap;
use crate::intent::{Action, Intent, IntentId};
use crate::land::{Candidate, landable};
use crate::object_id::CommitId;
use crate::policy::{Landing, Mode, Policy};
use crate::projection::{Projection, project, queued_behind_checks};
use crate::promote::{Progress, Step};
use crate::reason::{Code, Reason};
use crate::record::Record;
use crate::release::Release;
use crate::snapshot::{ChainCommit, Relation, Snapshot};
use crate::state::{Accepted, State};
use crate::timeout::{Limits, ended_later, late};
use crate::timestamp::Timestamp;
use crate::verdict::{Verdict, by_check};

use super::{AutoEdit, Effect, Plan, Scope, Transaction, ended};

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
            look_again: None,
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

    /// Finds the commit that may become stable, unless landing is stopped.
    pub(super) fn land(&mut self) -> Option<Effect> {
        if self.snapshot.relation != Relation::Ahead {
            return None;
        }
        // In the order of the projection: somebody may have put our own commits into another one.
        let wanted = self.projection.chain.iter().map(Some).chain(std::iter::repeat(None));
        let candidate = |((commit, verdict), wanted): ((&ChainCommit, &Verdict), Option<&IntentId>)| {
            // What state doesn't name is recorded first: once on stable, only the record tells it from a copy.
            let named = self.state.built_at(&commit.id).is_some();
            let live = named && wanted.is_some() && commit.intent.as_ref() == wanted;
            Candidate { verdict: *verdict, live }
        };
        let candidates: Vec<Candidate> =
            self.snapshot.chain.iter().zip(&self.verdicts).zip(wanted).map(candidate).collect();
        let to = self.snapshot.chain[landable(&candidates, self.policy.landing)?].id;
        if let Some(pause) = &self.state.paused {
            let text =
                format!("{} is green, but {} paused landing: {}", to.short(10), pause.actor, pause.reason);
            self.why.push(Reason::new(Code::Paused, "stable", text));
            return None;
        }
        Some(Effect::Land { from: self.snapshot.branches.stable, to })
    }

    /// Evicts the one commit that is proven guilty, or has what is suspected tested.
    pub(super) fn evict(&mut self) {
        if self.snapshot.relation != Relation::Ahead {
            return;
        }
        let chain = &self.snapshot.chain;
        match blame(self.snapshot.stable_verdict(), &self.verdicts) {
            Blame::Guilty(index) => self.evict_at(index, None),
            Blame::Test(index) => self.probe = Some(chain[index].id),
            Blame::TestStable => {
                self.probe = Some(self.snapshot.branches.stable);
                self.why_stable_is_not_green(&self.how_stable_is_tested());
            }
            Blame::Wait if self.snapshot.stable_verdict() == Verdict::Red => {
                self.why_stable_is_not_green("is red itself: mend it, nothing is evicted meanwhile");
            }
            Blame::Nobody if self.policy.landing == Landing::EveryCommit => {
                self.probe = self.lowest_untested();
            }
            Blame::Wait => self.why_stable_is_not_known(),
            Blame::Nobody => {}
        }
        self.watch_the_clock();
    }

    /// Finds what must be tested before the tip may carry it: the lowest commit that isn't green, if it has no checks.
    fn lowest_untested(&self) -> Option<CommitId> {
        let (_, beneath) = self.verdicts.split_last()?;
        let lowest = beneath.iter().position(|verdict| *verdict != Verdict::Green)?;
        (beneath[lowest] == Verdict::Missing).then(|| self.snapshot.chain[lowest].id)
    }

    fn why_stable_is_not_known(&mut self) {
        if self.snapshot.stable_verdict() == Verdict::Pending {
            self.why_stable_is_not_green("is being tested, or its checks were cancelled: run them again");
        }
    }

    fn how_stable_is_tested(&self) -> String {
        let probe = &self.policy.probe;
        if self.snapshot.capabilities.requests_checks {
            return "has no verdict of its own yet; its checks are asked for".to_owned();
        }
        format!("has no verdict of its own yet; it is pushed to {probe}, where CI must test it")
    }

    fn why_stable_is_not_green(&mut self, what: &str) {
        let text = format!("the tip {} {what}", self.snapshot.branches.stable.short(10));
        self.why.push(Reason::new(Code::StableNotGreen, "stable", text));
    }

    fn evict_at(&mut self, index: usize, timed_out: Option<&str>) {
        let commit = &self.snapshot.chain[index];
        let Some(id) = commit.intent.filter(|id| self.state.live_intent(*id).is_some()) else { return };
        let evidence = match timed_out {
            Some(check) => Evidence {
                commit: commit.id,
                check: check.to_owned(),
                outcome: CheckOutcome::TimedOut,
                link: None,
                summary: None,
            },
            None => self.failure_of(&commit.id),
        };
        self.record(ended(id, End::Evicted { evidence }));
        self.project();
    }

    fn failure_of(&self, commit: &CommitId) -> Evidence {
        let failed =
            by_check(&self.snapshot.required, self.runs(commit)).find(|said| said.verdict == Verdict::Red);
        let run = failed.and_then(|said| said.run);
        Evidence {
            commit: *commit,
            check: failed.map(|said| said.check.name.clone()).unwrap_or_default(),
            outcome: CheckOutcome::Failed,
            link: run.and_then(|run| run.link.clone()),
            summary: run.and_then(|run| run.summary.clone()),
        }
    }

    fn runs(&self, commit: &CommitId) -> &'a [CheckRun] {
        self.snapshot.runs(commit)
    }

    /// Finds checks that don't start or don't end: evicted if they did on a later commit, else reported as stalled.
    fn watch_the_clock(&mut self) {
        let limits =
            Limits { not_started: self.policy.not_started_timeout, running: self.policy.running_timeout };
        let tip = self.snapshot.chain.len().saturating_sub(1);
        for (index, commit) in self.snapshot.chain.iter().enumerate() {
            // A commit that state doesn't know was pushed when state was not: nobody is blamed by a guess.
            let known = self.state.built_at(&commit.id);
            let accepted = || Some(self.state.live_intent(commit.intent?)?.accepted_at);
            let Some(built_at) = known.or_else(accepted) else { continue };
            let runs = self.runs(&commit.id);
            // Forges that test pushed tips only never start checks on the others, and that is no delay.
            let untested = runs.is_empty() && index != tip && !self.snapshot.capabilities.requests_checks;
            let probed = self.snapshot.branches.probe == Some(commit.id);
            if untested && !probed {
                continue;
            }
            let (next, found) = late(&self.snapshot.required, runs, built_at, limits, self.snapshot.now);
            self.look_again_at(next);
            let Some(found) = found else { continue };
            let later: Vec<&[CheckRun]> =
                self.snapshot.chain[index + 1..].iter().map(|above| self.runs(&above.id)).collect();
            let parent = index
                .checked_sub(1)
                .map_or_else(|| self.snapshot.stable_verdict(), |below| self.verdicts[below]);
            // When it was probed isn't known, so a probe that came to nothing is nobody's fault.
            let blamed = !untested && known.is_some();
            if blamed && parent == Verdict::Green && ended_later(found.check, &later) {
                return self.evict_at(index, Some(&found.check.name.clone()));
            }
            let how = if found.started { "has not ended" } else { "has not started" };
            let text = format!("required check {} {how} since {}; look at CI", found.check, found.since);
            self.why.push(Reason::new(Code::Stalled, format!("commit {}", commit.id.short(10)), text));
        }
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

    /// Turns the draft into one effect at the most.
    pub(super) fn into_plan(mut self) -> Plan {
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

    fn explain_the_chain(&mut self) {
        self.why.extend(self.projection.queued.iter().map(|(_, reason)| reason.clone()));
        let windows = self.projection.queued.iter().filter_map(|(_, reason)| reason.until).min();
        self.look_again_at(windows);
        if self.snapshot.required.checks.is_empty() && !self.snapshot.required.allow_empty {
            let text =
                "no check is required, so nothing lands; name the required checks in the configuration";
            self.why.push(Reason::new(Code::NoRequiredChecks, "stable", text));
        }
        for (commit, verdict) in self.snapshot.chain.iter().zip(&self.verdicts) {
            let subject = format!("commit {}", commit.id.short(10));
            match (commit.intent, verdict) {
                (None, _) => {
                    let text = format!("`{}` on auto is not one of ours and is parked", commit.subject);
                    self.why.push(Reason::new(Code::Foreign, subject, text));
                }
                (Some(_), Verdict::Pending | Verdict::Missing) => {
                    let text =
                        format!("`{}` waits for {}", commit.subject, self.undecided_checks(&commit.id));
                    self.why.push(Reason::new(Code::Checks, subject, text));
                }
                (Some(_), Verdict::Green | Verdict::Red) => {}
            }
        }
    }

    fn undecided_checks(&self, commit: &CommitId) -> String {
        let waiting =
            by_check(&self.snapshot.required, self.runs(commit)).filter(|c| c.verdict != Verdict::Green);
        let said = waiting.map(|said| match said.run.map(|run| &run.state) {
            None => format!("check {} (not started)", said.check),
            Some(CheckState::Infrastructure(how)) => {
                format!("check {} (ended without a result: {how})", said.check)
            }
            Some(_) => format!("check {} (running)", said.check),
        });
        said.collect::<Vec<_>>().join(", ")
    }

    fn look_again_at(&mut self, at: Option<Timestamp>) {
        self.look_again = self.look_again.into_iter().chain(at).min();
    }
}

/// Returns the end of an intent whose change is on stable: by its own commit, or by a copy that a person made.
fn on_stable(commit: CommitId, copied: bool) -> End {
    if copied { End::Subsumed { by: By::Commit(commit) } } else { End::Landed { commit } }
}
