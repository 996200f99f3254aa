//! Each checker is shown a hand-made trace that breaks its promise, and the same trace without the fault.

use std::sync::Arc;

use cfgupdater_core::{
    Action, Announced, Announcement, Answer, CheckOutcome, CheckRun, CheckState, DeploymentStatus, End,
    Entry, Evidence, Intent, Landing as LandingPolicy, Mode, Note, Operation, OperationAnswer, OperationKey,
    Outcome, Policy, Reason, Record, Report, Request, promotion_id,
};

use super::*;
use crate::mutations::Honest;
use crate::setup::{FREEZE, Required, RollOut, Setup};
use crate::world::ci::CiMove;
use crate::world::dag::{Author, Trailers};
use crate::world::releases;
use crate::world::remote::Edit;

/// A world that is told what happens, step by step.
struct Tale {
    world: World,
}

impl Tale {
    fn new() -> Self {
        Self::of(Setup::plain())
    }

    fn of(setup: Setup) -> Self {
        let mut tale = Self { world: World::new(setup, Box::new(Honest)) };
        let stable = tale.world.remote.refs.stable;
        tale.checked(stable);
        tale
    }

    fn verdict(&self) -> Option<&'static str> {
        Oracle::default().judge(&self.world).err().map(|(invariant, _)| invariant)
    }

    fn verdict_at_rest(&self) -> Option<&'static str> {
        Oracle::default().at_rest(&self.world).err().map(|(invariant, _)| invariant)
    }

    /// CI finds a commit green.
    fn checked(&mut self, node: Node) {
        self.check(node, true);
    }

    fn check(&mut self, node: Node, good: bool) {
        let now = self.world.now();
        self.world.ci.start(node, now);
        self.world.ci.act(node, CiMove::Finish, good, now);
    }

    fn intent(&self, n: u8) -> Intent {
        let images = releases::images(n);
        let (wave, set) = self.world.slot_name(0).unwrap().clone();
        let app_sha = releases::app_sha(n);
        let announced = cfgupdater_core::Announcement {
            set: set.clone(),
            app_sha,
            sequence: None,
            attempt: 1,
            images: images.clone(),
        };
        Intent {
            id: announced.intent_id(),
            set,
            wave,
            release: images.release(),
            images,
            action: Action::Introduce { app_sha, sequence: None, attempt: 1 },
            accepted_at: self.world.now(),
            accepted_on: self.world.remote.refs.stable.id(),
            actor: "app-ci".to_owned(),
        }
    }

    fn promotion(&self, n: u8, introduced: Node) -> Intent {
        let (from, to) = (self.world.slot_name(0).unwrap(), self.world.slot_name(2).unwrap());
        let base = self.intent(n);
        let id = promotion_id(&to.1, &from.0, &to.0, base.release, 1);
        let config_sha = introduced.id();
        let action = Action::Promote { from: from.0.clone(), config_sha, app_sha: None, attempt: 1 };
        Intent { id, wave: to.0.clone(), action, ..base }
    }

    /// A replica records something.
    fn write(&mut self, records: Vec<Record>) {
        let (view, from) = (self.world.view(), self.world.remote.refs.state);
        let at = self.world.now();
        let to = Some(self.world.states.add(from, Entry { at, records }));
        self.world.set(Edit::State { from, to }, Actor::Replica(0), Some(&view));
    }

    /// Somebody calls.
    fn call(&mut self, call: u64, request: Request, key: Option<OperationKey>) {
        self.world.trace.push(Event::Called { replica: 0, call, request, key });
    }

    /// A replica answers an operator.
    fn operated(&mut self, call: u64, changed: bool) {
        let told = OperationAnswer { changed, intents: Vec::new(), waits: Vec::new() };
        self.world.trace.push(Event::Answered { replica: 0, call, answer: Ok(Answer::Operated(told)) });
    }

    fn accept(&mut self, n: u8) -> Intent {
        let intent = self.intent(n);
        let announced = Announcement {
            set: intent.set.clone(),
            app_sha: releases::app_sha(n),
            sequence: None,
            attempt: 1,
            images: intent.images.clone(),
        };
        self.call(0, Request::Announce(announced), None);
        self.write(vec![Record::Accepted { intent: intent.clone() }]);
        intent
    }

    fn end(&mut self, intent: &Intent, end: End) {
        self.write(vec![Record::Ended { id: intent.id, end }]);
    }

    /// A replica puts an intent on auto.
    fn put(&mut self, intent: &Intent) -> Node {
        let refs = self.world.remote.refs;
        self.put_on(refs.auto.unwrap_or(refs.stable), intent)
    }

    fn put_on(&mut self, parent: Node, intent: &Intent) -> Node {
        let (view, refs) = (self.world.view(), self.world.remote.refs);
        let slot = self.world.slot(&intent.wave, &intent.set).unwrap();
        let mut tree = self.world.dag.commit(parent).tree;
        tree.slots[slot] = releases::number(intent.release);
        let cited = refs.state.unwrap();
        let trailers = Trailers { intent: intent.id, slot, cited, app: 1 };
        let to = self.world.dag.add(vec![parent], tree, Author::Service, Some(trailers), intent.accepted_at);
        self.world.set(Edit::Auto { from: refs.auto, to: Some(to) }, Actor::Replica(0), Some(&view));
        to
    }

    fn introduce(&mut self, n: u8) -> (Intent, Node) {
        let intent = self.accept(n);
        let node = self.put(&intent);
        (intent, node)
    }

    fn land(&mut self, to: Node) {
        let view = self.world.view();
        self.land_as_seen(to, &view);
    }

    fn land_as_seen(&mut self, to: Node, view: &Arc<View>) {
        self.world.set(Edit::Stable { to }, Actor::Replica(0), Some(view));
    }

    fn person_pushes(&mut self, release: u8) -> Node {
        let stable = self.world.remote.refs.stable;
        let mut tree = self.world.dag.commit(stable).tree;
        tree.rest += 1;
        tree.slots[0] = if release == 0 { tree.slots[0] } else { release };
        let to = self.world.dag.add(vec![stable], tree, Author::Person, None, self.world.now());
        self.world.set(Edit::Stable { to }, Actor::Person, None);
        to
    }

    fn report(&self, n: u8, introduction: Node, revision: Node, status: DeploymentStatus) -> Record {
        let wave = &self.world.policy.waves[0];
        Record::Reported {
            report: Report {
                wave: wave.name.clone(),
                target: wave.targets[0].name.clone(),
                set: self.world.policy.sets[0].name.clone(),
                release: releases::release(n).unwrap(),
                introduction: introduction.id(),
                revision: Some(revision.id()),
                status,
                observed_at: None,
                at: self.world.now(),
                actor: "deployer".to_owned(),
                asked_at: None,
                revoked: Vec::new(),
            },
        }
    }

    fn hold(&mut self, wave: usize) {
        let (wave, at) = (self.world.policy.waves[wave].name.clone(), self.world.now());
        let note = Note { actor: "ops".to_owned(), reason: "incident".to_owned(), at };
        self.write(vec![Record::Held { wave, note }]);
    }

    fn says(&mut self, code: cfgupdater_core::Code) {
        self.world.replicas[0].why = vec![Reason::new(code, "stable", "for a reason")];
    }
}

fn evicted(commit: Node, check: &str, outcome: CheckOutcome) -> End {
    let check = check.to_owned();
    End::Evicted { evidence: Evidence { commit: commit.id(), check, outcome, link: None, summary: None } }
}

fn landed(node: Node) -> End {
    End::Landed { commit: node.id() }
}

#[test]
fn an_honest_tale_breaks_nothing() {
    let mut tale = Tale::new();
    let (intent, node) = tale.introduce(1);
    tale.checked(node);
    tale.land(node);
    tale.end(&intent, landed(node));
    assert_eq!(tale.verdict(), None);
    assert_eq!(tale.verdict_at_rest(), None);
}

#[test]
fn s1_finds_a_landing_without_green_checks() {
    let mut tale = Tale::new();
    let (_, node) = tale.introduce(1);
    tale.land(node);
    assert_eq!(tale.verdict(), Some("S1"));
}

#[test]
fn s2_finds_a_rewound_stable() {
    let mut tale = Tale::new();
    let root = tale.world.remote.refs.stable;
    tale.person_pushes(0);
    tale.land(root);
    assert_eq!(tale.verdict(), Some("S2"));
}

#[test]
fn s3_finds_landings_without_required_checks_and_writes_in_doubt() {
    let mut tale = Tale::of(Setup { required: Required::Nothing, ..Setup::plain() });
    let (_, node) = tale.introduce(1);
    tale.land(node);
    assert_eq!(tale.verdict(), Some("S3"));

    let mut tale = Tale::new();
    let (_, node) = tale.introduce(1);
    tale.checked(node);
    tale.land(node);
    let state = tale.world.remote.refs.state;
    tale.world.set(Edit::State { from: state, to: None }, Actor::Person, None);
    tale.write(Vec::new());
    assert_eq!(tale.verdict(), Some("S3"));
}

#[test]
fn s4_finds_results_that_were_never_reported_on_the_commit() {
    let mut tale = Tale::new();
    let (_, node) = tale.introduce(1);
    let mut view = (*tale.world.view()).clone();
    let snapshot = Arc::make_mut(&mut view.snapshot);
    snapshot.checks.insert(node.id(), [CheckRun::new("ci", 1, CheckState::Success)].into());
    tale.land_as_seen(node, &Arc::new(view));
    assert_eq!(tale.verdict(), Some("S4"));
}

#[test]
fn s5_finds_merges_in_the_chain_and_diverged_branches_at_rest() {
    let mut tale = Tale::new();
    let (intent, node) = tale.introduce(1);
    let stable = tale.world.remote.refs.stable;
    let tree = tale.world.dag.commit(node).tree;
    let now = tale.world.now();
    let side = tale.world.dag.add(vec![stable], tree, Author::Foreign, None, now);
    let merge = tale.world.dag.add(vec![node, side], tree, Author::Service, None, now);
    let view = tale.world.view();
    tale.world.set(Edit::Auto { from: None, to: Some(merge) }, Actor::Replica(0), Some(&view));
    assert_eq!(tale.verdict(), Some("S5"));

    let mut tale = Tale::new();
    tale.accept(1);
    tale.put(&intent);
    tale.person_pushes(0);
    assert_eq!(tale.verdict_at_rest(), Some("S5"));
}

#[test]
fn s6_finds_lost_repeated_and_contradicting_intents() {
    let mut tale = Tale::new();
    tale.accept(1);
    tale.accept(1);
    assert_eq!(tale.verdict(), Some("S6"), "accepted twice");

    let mut tale = Tale::new();
    let (intent, node) = tale.introduce(1);
    tale.end(&intent, End::Withdrawn { reason: "held".to_owned(), actor: None });
    tale.checked(node);
    tale.land(node);
    assert_eq!(tale.verdict(), Some("S6"), "landed after its end");

    let mut tale = Tale::new();
    let told = Announced { intent: intent.id, outcome: Outcome::Queued, commit: None, end: None };
    let answer = Ok(Answer::Announced(told));
    tale.world.trace.push(Event::Answered { replica: 0, call: 0, answer });
    assert_eq!(tale.verdict(), Some("S6"), "promised and not kept");

    let mut tale = Tale::new();
    let (_, node) = tale.introduce(1);
    tale.checked(node);
    tale.land(node);
    assert_eq!(tale.verdict_at_rest(), Some("S6"), "on stable and still live");
}

#[test]
fn s7_finds_evictions_that_cite_what_did_not_fail() {
    for (check, outcome, good) in [
        ("ci", CheckOutcome::Failed, true),
        ("other", CheckOutcome::Failed, false),
        ("ci", CheckOutcome::TimedOut, false),
    ] {
        let mut tale = Tale::new();
        let (intent, node) = tale.introduce(1);
        tale.check(node, good);
        tale.end(&intent, evicted(node, check, outcome));
        assert_eq!(tale.verdict(), Some("S7"), "{check} {outcome:?}");
    }
    let mut tale = Tale::new();
    let (intent, node) = tale.introduce(1);
    tale.check(node, false);
    tale.end(&intent, evicted(node, "ci", CheckOutcome::Failed));
    assert_eq!(tale.verdict(), None);
}

#[test]
fn s8_finds_an_eviction_above_what_is_not_green() {
    let mut tale = Tale::new();
    tale.introduce(1);
    let (intent, node) = tale.introduce(2);
    tale.check(node, false);
    tale.end(&intent, evicted(node, "ci", CheckOutcome::Failed));
    assert_eq!(tale.verdict(), Some("S8"));
}

#[test]
fn s9_finds_changed_effects_and_intents_that_were_dropped() {
    let mut tale = Tale::new();
    let intent = tale.accept(1);
    let other = Intent { release: releases::release(2).unwrap(), ..intent };
    tale.put(&other);
    assert_eq!(tale.verdict(), Some("S9"), "another effect");

    let mut tale = Tale::new();
    let (first, _) = tale.introduce(1);
    tale.introduce(2);
    tale.write(Vec::new());
    let stable = tale.world.remote.refs.stable;
    tale.put_on(stable, &first);
    assert_eq!(tale.verdict(), Some("S9"), "dropped");
}

#[test]
fn s10_finds_older_over_newer_and_undone_edits() {
    let mut tale = Tale::new();
    let (first, second) = (tale.accept(1), tale.accept(2));
    tale.put(&second);
    let top = tale.put(&first);
    tale.checked(top);
    tale.land(top);
    assert_eq!(tale.verdict(), Some("S10"));

    let mut tale = Tale::new();
    let intent = tale.accept(1);
    let edit = tale.person_pushes(9);
    let node = tale.put_on(edit, &intent);
    tale.checked(node);
    tale.land(node);
    assert_eq!(tale.verdict(), Some("S10"));
}

#[test]
fn s11_finds_an_old_report_after_a_newer_one() {
    let mut tale = Tale::new();
    let older = tale.person_pushes(1);
    let newer = tale.person_pushes(0);
    let report = |tale: &Tale, revision| tale.report(1, older, revision, DeploymentStatus::Succeeded);
    tale.write(vec![report(&tale, older), report(&tale, newer)]);
    assert_eq!(tale.verdict(), None);
    tale.write(vec![report(&tale, older)]);
    assert_eq!(tale.verdict(), Some("S11"));
}

#[test]
fn s12_finds_a_state_that_does_not_continue_the_one_before() {
    let mut tale = Tale::new();
    tale.accept(1);
    let (view, at) = (tale.world.view(), tale.world.now());
    let other = tale.world.states.add(None, Entry { at, records: Vec::new() });
    let from = tale.world.remote.refs.state;
    tale.world.set(Edit::State { from, to: Some(other) }, Actor::Replica(0), Some(&view));
    assert_eq!(tale.verdict(), Some("S12"));
}

#[test]
fn s14_finds_an_untested_commit_beneath_a_landing() {
    for (landing, expected) in [(LandingPolicy::EveryCommit, Some("S14")), (LandingPolicy::Tip, None)] {
        let mut tale = Tale::of(Setup { landing, ..Setup::plain() });
        tale.introduce(1);
        let (_, top) = tale.introduce(2);
        tale.checked(top);
        // Waiting for its checks, not started: a forge that tests pushed tips only when told.
        let beneath = tale.world.dag.first_parent(top).unwrap();
        assert!(tale.world.ci.runs(beneath).iter().all(|run| run.state != CheckState::Success));
        tale.land(top);
        assert_eq!(tale.verdict(), expected);
    }
}

#[test]
fn s15_finds_promotions_that_were_not_proven() {
    use DeploymentStatus::{Failed, Succeeded};
    for (said, expected) in [
        (vec![], Some("S15")),
        (vec![Succeeded], None),
        (vec![Succeeded, Failed], Some("S15")),
        (vec![Failed, Succeeded], None),
    ] {
        let mut tale = Tale::new();
        let introduced = tale.person_pushes(1);
        let mut records: Vec<Record> =
            said.iter().map(|status| tale.report(1, introduced, introduced, *status)).collect();
        records.push(Record::Accepted { intent: tale.promotion(1, introduced) });
        tale.write(records);
        assert_eq!(tale.verdict(), expected, "{said:?}");
    }
}

#[test]
fn s15_finds_what_leaves_a_wave_that_failed_since() {
    use DeploymentStatus::{Failed, Succeeded};
    for (later, expected) in [(vec![Failed], Some("S15")), (vec![Failed, Succeeded], None), (vec![], None)] {
        let mut tale = Tale::new();
        let introduced = tale.person_pushes(1);
        let promotion = tale.promotion(1, introduced);
        let proof = tale.report(1, introduced, introduced, Succeeded);
        tale.write(vec![proof, Record::Accepted { intent: promotion.clone() }]);
        let node = tale.put(&promotion);
        tale.checked(node);
        let reports = later.iter().map(|status| tale.report(1, introduced, introduced, *status)).collect();
        tale.write(reports);
        tale.land(node);
        assert_eq!(tale.verdict(), expected, "{later:?}");
    }
}

#[test]
fn s15_finds_proofs_from_before_the_last_introduction() {
    let mut tale = Tale::new();
    let before = tale.person_pushes(1);
    tale.person_pushes(2);
    let again = tale.person_pushes(1);
    let report = tale.report(1, before, before, DeploymentStatus::Succeeded);
    tale.write(vec![report, Record::Accepted { intent: tale.promotion(1, again) }]);
    assert_eq!(tale.verdict(), Some("S15"));
}

#[test]
fn s11_and_s15_know_what_was_found_by_asking() {
    let minute = std::time::Duration::from_mins(1);
    for (asked_later, promotes, expected) in
        [(true, false, None), (true, true, Some("S15")), (false, false, Some("S11"))]
    {
        let mut tale = Tale::new();
        let older = tale.person_pushes(1);
        let newer = tale.person_pushes(2);
        let before = tale.world.now();
        tale.world.pass(minute);
        let early = tale.report(2, newer, newer, DeploymentStatus::Succeeded);
        tale.write(vec![early]);
        tale.world.pass(minute);
        let Record::Reported { report } = tale.report(1, older, older, DeploymentStatus::Succeeded) else {
            panic!("a report is recorded as one");
        };
        let asked_at = Some(if asked_later { tale.world.now() } else { before });
        let mut records = vec![Record::Reported { report: Report { asked_at, ..report } }];
        if promotes {
            records.push(Record::Accepted { intent: tale.promotion(2, newer) });
        }
        tale.write(records);
        assert_eq!(tale.verdict(), expected, "asked later: {asked_later}, promotes: {promotes}");
    }
}

#[test]
fn s16_finds_landings_into_held_waves_and_promotions_past_their_gates() {
    let mut tale = Tale::new();
    let (_, node) = tale.introduce(1);
    tale.checked(node);
    tale.hold(0);
    tale.land(node);
    assert_eq!(tale.verdict(), Some("S16"), "held");

    for setup in [Setup { approval: true, ..Setup::plain() }, Setup { soak: true, ..Setup::plain() }] {
        let mut tale = Tale::of(setup);
        let introduced = tale.person_pushes(1);
        let report = tale.report(1, introduced, introduced, DeploymentStatus::Succeeded);
        tale.write(vec![report, Record::Accepted { intent: tale.promotion(1, introduced) }]);
        assert_eq!(tale.verdict(), Some("S16"));
    }
}

#[test]
fn s16_finds_landings_and_promotions_into_frozen_waves() {
    for (minutes, expected) in [(FREEZE.0.start, Some("S16")), (FREEZE.0.end, None)] {
        let pass = |tale: &mut Tale| {
            let minutes = u64::try_from(minutes).unwrap();
            tale.world.pass(std::time::Duration::from_mins(minutes));
        };
        let mut tale = Tale::of(Setup { freeze: Some(0), ..Setup::plain() });
        let (_, node) = tale.introduce(1);
        tale.checked(node);
        pass(&mut tale);
        tale.land(node);
        assert_eq!(tale.verdict(), expected, "landed after {minutes} minutes");

        let mut tale = Tale::of(Setup { freeze: Some(1), ..Setup::plain() });
        let introduced = tale.person_pushes(1);
        pass(&mut tale);
        let report = tale.report(1, introduced, introduced, DeploymentStatus::Succeeded);
        tale.write(vec![report, Record::Accepted { intent: tale.promotion(1, introduced) }]);
        assert_eq!(tale.verdict(), expected, "promoted after {minutes} minutes");
    }
}

#[test]
fn s17_finds_observers_and_previews_that_write() {
    let mut tale = Tale::new();
    tale.write(Vec::new());
    assert_eq!(tale.verdict(), None);
    tale.world.replicas[0].policy = Arc::new(Policy { mode: Mode::Observe, ..tale.world.policy.clone() });
    assert_eq!(tale.verdict(), Some("S17"), "in the mode that only observes");

    let mut tale = Tale::of(Setup { roll_out: RollOut::Approval, ..Setup::plain() });
    tale.write(vec![Record::Generation { generation: 2 }]);
    assert_eq!(tale.verdict(), None);
    tale.write(Vec::new());
    assert_eq!(tale.verdict(), Some("S17"), "by an older configuration");

    let mut tale = Tale::new();
    let intent = tale.intent(1);
    tale.write(vec![Record::Accepted { intent }]);
    assert_eq!(tale.verdict(), Some("S17"), "without an announcement");
}

#[test]
fn s18_finds_a_key_that_acts_twice_or_for_something_else() {
    let pause = || Operation::Pause { reason: "incident".to_owned() };
    let resume = || Operation::Resume { reason: "it is over".to_owned() };
    let asked = OperationKey::new("", "");
    let key = OperationKey::new("ops", "1");
    for (again, changed, expected) in [
        (pause(), false, None),
        (pause(), true, Some("S18")),
        (resume(), true, Some("S18")),
        (resume(), false, Some("S18")),
    ] {
        let mut tale = Tale::new();
        tale.call(0, Request::Operate(pause()), Some(key));
        tale.write(vec![Record::Operated { key, asked, intents: Vec::new() }]);
        tale.operated(0, true);
        let view = tale.world.view();
        tale.world.trace.push(Event::Observed { replica: 0, view });
        tale.call(1, Request::Operate(again.clone()), Some(key));
        tale.operated(1, changed);
        assert_eq!(tale.verdict(), expected, "{again:?}, changed: {changed}");
    }
    let mut tale = Tale::new();
    tale.call(0, Request::Operate(pause()), Some(key));
    tale.operated(0, true);
    assert_eq!(tale.verdict(), Some("S18"), "without a record");
}

#[test]
fn l1_finds_an_intent_without_end_and_reason() {
    let mut tale = Tale::new();
    tale.introduce(1);
    assert_eq!(tale.verdict_at_rest(), Some("L1"));
    tale.says(cfgupdater_core::Code::Stalled);
    assert_eq!(tale.verdict_at_rest(), None);
    tale.says(cfgupdater_core::Code::Fault);
    assert_eq!(tale.verdict_at_rest(), Some("L1"), "a fault that nobody made");
}

#[test]
fn l2_finds_silence_about_checks_that_never_end() {
    let mut tale = Tale::new();
    tale.introduce(1);
    tale.says(cfgupdater_core::Code::Queued);
    assert_eq!(tale.verdict_at_rest(), Some("L2"));
}

#[test]
fn l3_finds_a_green_commit_that_did_not_land() {
    let mut tale = Tale::new();
    let (_, node) = tale.introduce(1);
    tale.checked(node);
    tale.says(cfgupdater_core::Code::Stalled);
    assert_eq!(tale.verdict_at_rest(), Some("L3"));
}

#[test]
fn l5_finds_work_without_cause() {
    let mut tale = Tale::new();
    let stable = tale.world.remote.refs.stable;
    tale.write(Vec::new());
    for _ in 0..20 {
        let view = tale.world.view();
        for to in [None, Some(stable)] {
            tale.world.set(Edit::Auto { from: None, to }, Actor::Replica(0), Some(&view));
        }
    }
    assert_eq!(tale.verdict_at_rest(), Some("L5"));
}

#[test]
fn l6_finds_a_proven_release_that_went_nowhere() {
    let mut tale = Tale::new();
    let introduced = tale.person_pushes(1);
    let stable = tale.world.remote.refs.stable;
    let view = tale.world.view();
    tale.world.set(Edit::Auto { from: None, to: Some(stable) }, Actor::Replica(0), Some(&view));
    assert_eq!(tale.verdict_at_rest(), None);
    // A target that would have said so had it been asked.
    tale.world.setup.pulled = true;
    assert_eq!(tale.verdict_at_rest(), Some("L6"));
    tale.world.setup.mute = 1;
    assert_eq!(tale.verdict_at_rest(), None);
    let report = tale.report(1, introduced, introduced, DeploymentStatus::Succeeded);
    tale.write(vec![report]);
    assert_eq!(tale.verdict_at_rest(), Some("L6"));
}
