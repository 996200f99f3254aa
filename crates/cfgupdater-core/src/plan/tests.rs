//! Plans of small scenes, one rule each.

mod announcing;
mod answering;
mod judging;
mod landed;
mod previews;
mod writing;

use std::time::Duration;

use super::*;
use crate::call::{Outcome, Request};
use crate::check::{CheckRun, CheckState, RequiredChecks};
use crate::end::{By, CheckOutcome, Evidence};
use crate::intent::{Action, Intent};
use crate::operate::Operation;
use crate::policy::{Landing, Mode};
use crate::reason::Code;
use crate::record::DeploymentStatus::{Failed, Succeeded};
use crate::snapshot::{ChainCommit, Fault, Relation};
use crate::testing::{Scene, announcement, commit, introduce, promote};
use crate::verdict::Verdict;
use crate::verify_generated::GENERATED_CHECK;

fn intent(n: u8) -> Intent {
    introduce("app", "staging", n)
}

fn write(plan: Plan) -> Transaction {
    match plan.effect {
        Some(Effect::Write(transaction)) => transaction,
        other => panic!("expected a write, found {other:?}; why: {:?}", plan.why),
    }
}

fn codes(plan: &Plan) -> Vec<Code> {
    plan.why.iter().map(|reason| reason.code).collect()
}

fn ends(transaction: &Transaction) -> Vec<(IntentId, &End)> {
    let end = |record| match record {
        &Record::Ended { id, ref end } => Some((id, end)),
        _ => None,
    };
    transaction.records.iter().filter_map(end).collect()
}

/// Intents 1, 2, … are on auto as commits 1, 2, ….
fn chain_of(checks: &[Option<CheckState>]) -> Scene {
    let mut scene = Scene::new();
    for (n, state) in (1..).zip(checks) {
        scene.on_auto(n, intent(n));
        if let Some(state) = state {
            scene.check(n, state.clone());
        }
    }
    scene
}

const GREEN: Option<CheckState> = Some(CheckState::Success);
const RED: Option<CheckState> = Some(CheckState::Failure);
const RUNNING: Option<CheckState> = Some(CheckState::Running);

#[test]
fn at_rest_there_is_nothing_to_do() {
    let plan = Scene::new().plan();
    assert_eq!((plan.effect, plan.why), (None, Vec::new()));
}

#[test]
fn auto_is_created_at_stable() {
    let mut scene = Scene::new();
    scene.relation = Some(Relation::Absent);
    let auto = write(scene.plan()).auto.unwrap();
    assert_eq!((auto.from, auto.base, auto.intents), (None, commit(0), Vec::new()));
}

#[test]
fn the_newest_green_commit_lands_before_anything_else() {
    let scene = chain_of(&[RED, GREEN, RUNNING]);
    assert_eq!(scene.plan().effect, Some(Effect::Land { from: commit(0), to: commit(2) }));
}

#[test]
fn every_commit_must_be_green_where_the_operator_wants_it() {
    let mut scene = chain_of(&[GREEN, RUNNING, GREEN]);
    scene.policy.landing = Landing::EveryCommit;
    assert_eq!(scene.plan().effect, Some(Effect::Land { from: commit(0), to: commit(1) }));
}

#[test]
fn nothing_lands_while_landing_is_paused() {
    let mut scene = chain_of(&[GREEN]);
    scene.state.paused = Some(note("ops", "audit", scene.now));
    let plan = scene.plan();
    assert_eq!((plan.effect.is_none(), codes(&plan)), (true, vec![Code::Paused]));
}

#[test]
fn nothing_lands_without_required_checks() {
    let mut scene = chain_of(&[GREEN]);
    scene.policy.required = Some(RequiredChecks::default());
    let plan = scene.plan();
    assert!(plan.effect.is_none() && codes(&plan).contains(&Code::NoRequiredChecks));
}

#[test]
fn a_red_commit_above_green_is_evicted_and_the_rest_is_applied_again() {
    let scene = chain_of(&[RED, RUNNING]);
    let transaction = write(scene.plan());
    assert!(matches!(ends(&transaction)[..], [(id, End::Evicted { evidence })]
        if id == intent(1).id && evidence.commit == commit(1) && evidence.check == "ci"));
    let auto = transaction.auto.unwrap();
    assert_eq!((auto.base, auto.keep, auto.intents), (commit(0), vec![], vec![intent(2).id]));
}

#[test]
fn an_eviction_keeps_what_lies_beneath_under_its_sha() {
    let mut scene = chain_of(&[GREEN, RED, None]);
    scene.state.paused = Some(note("ops", "so that the green one stays", scene.now));
    let auto = write(scene.plan()).auto.unwrap();
    assert_eq!((auto.base, auto.keep, auto.intents), (commit(1), vec![commit(1)], vec![intent(3).id]));
}

#[test]
fn nobody_is_evicted_while_stable_is_red() {
    let mut scene = chain_of(&[RED]);
    scene.check(0, CheckState::Failure);
    let plan = scene.plan();
    assert!(plan.effect.is_none() && codes(&plan).contains(&Code::StableNotGreen), "{plan:?}");
}

#[test]
fn an_untested_stable_is_tested_before_anybody_is_evicted() {
    let mut scene = chain_of(&[RED]);
    scene.checks.remove(&commit(0));
    assert_eq!(scene.plan().effect, Some(Effect::Probe { from: None, to: commit(0) }));
    scene.capabilities.requests_checks = true;
    let plan = scene.plan();
    assert_eq!((plan.effect, plan.request_checks), (None, vec![commit(0)]));
}

#[test]
fn an_untested_commit_beneath_a_red_one_is_probed() {
    let scene = chain_of(&[None, RED]);
    assert_eq!(scene.plan().effect, Some(Effect::Probe { from: None, to: commit(1) }));
}

#[test]
fn a_newer_configuration_takes_over_before_anything_is_done_by_it() {
    for checked in [GREEN, RUNNING] {
        let mut scene = chain_of(&[checked]);
        scene.policy.generation = 2;
        let transaction = write(scene.plan());
        assert_eq!(transaction.records, [Record::Generation { generation: 2 }]);
        assert_eq!(transaction.auto, None);
        scene.state.generation = 2;
        assert!(!matches!(scene.plan().effect, Some(Effect::Write(_))), "once");
        scene.state.generation = 1;
        scene.policy.mode = Mode::Observe;
        assert!(!matches!(scene.plan().effect, Some(Effect::Write(_))), "an observer answers its callers");
    }
}

#[test]
fn what_landed_is_recorded_with_where_stable_was_seen() {
    let mut scene = chain_of(&[GREEN]);
    scene.chain.clear();
    scene.land(1, &intent(1), 1);
    scene.landed.insert(intent(1).id, commit(1));
    let transaction = write(scene.plan());
    assert_eq!(ends(&transaction), [(intent(1).id, &End::Landed { commit: commit(1) })]);
    assert!(transaction.records.contains(&Record::StableSeen { commit: commit(1) }));
}

#[test]
fn a_diverged_auto_is_rebuilt_on_stable() {
    let mut scene = chain_of(&[GREEN, GREEN]);
    scene.person_pushes(9, &[]);
    scene.relation = Some(Relation::Diverged);
    let auto = write(scene.plan()).auto.unwrap();
    assert_eq!((auto.base, auto.keep.len(), auto.intents), (commit(9), 0, vec![intent(1).id, intent(2).id]));
}

#[test]
fn an_auto_that_fell_behind_with_nothing_on_it_is_left_alone() {
    let mut scene = Scene::new();
    scene.relation = Some(Relation::Behind);
    assert_eq!(scene.plan().effect, None);
}

#[test]
fn a_persons_edit_supersedes_and_an_equal_one_subsumes() {
    for (edit, subsumed) in [(7, false), (1, true)] {
        let mut scene = chain_of(&[RUNNING]);
        scene.person_pushes(9, &[("staging", edit)]);
        scene.relation = Some(Relation::Diverged);
        let transaction = write(scene.plan());
        let by = By::Commit(commit(9));
        let end = if subsumed { End::Subsumed { by } } else { End::Superseded { by } };
        assert_eq!(ends(&transaction), [(intent(1).id, &end)]);
    }
}

#[test]
fn a_foreign_commit_is_parked_and_taken_out() {
    let mut scene = chain_of(&[GREEN]);
    scene.chain.push(ChainCommit { id: commit(8), subject: "oops".to_owned(), intent: None });
    scene.checks.remove(&commit(1));
    let transaction = write(scene.plan());
    assert_eq!(transaction.park, [commit(8)]);
    assert_eq!(transaction.auto.unwrap().keep, [commit(1)]);
}

#[test]
fn a_hold_takes_back_promotions_and_queues_introductions() {
    let mut scene = Scene::new();
    scene.land(5, &intent(5), 5);
    scene.state.stable_seen = Some(commit(5));
    scene.on_auto(1, Intent { accepted_on: commit(5), ..intent(1) });
    scene.check(1, CheckState::Running);
    scene.on_auto(2, promote("app", "staging", "internal", 5));
    for wave in ["staging", "internal"] {
        let note = note("ops", "incident", scene.now);
        scene.state.apply(&Record::Held { wave: wave.parse().unwrap(), note }, scene.now);
    }
    let plan = scene.plan();
    assert!(codes(&plan).contains(&Code::Held));
    let transaction = write(plan);
    assert!(matches!(ends(&transaction)[..], [(_, End::Withdrawn { .. })]));
    assert_eq!(transaction.auto.unwrap().intents, []);
}

#[test]
fn a_promotion_of_what_a_person_took_back_is_withdrawn() {
    let mut scene = Scene::new();
    scene.on_auto(2, promote("app", "staging", "internal", 1));
    let transaction = write(scene.plan());
    assert!(matches!(&ends(&transaction)[..], [(_, End::Withdrawn { reason, actor: None })]
        if reason.contains("no longer holds")));
}

#[test]
fn a_promotion_whose_source_fails_is_withdrawn_and_derived_again() {
    let mut scene = Scene::new();
    scene.land(1, &intent(1), 1);
    scene.state.stable_seen = Some(commit(1));
    for target in ["staging-1", "staging-2"] {
        scene.report("staging", target, 1, 1, Succeeded);
    }
    let promotion = promote("app", "staging", "internal", 1);
    scene.on_auto(2, promotion.clone());
    scene.check(2, CheckState::Success);
    assert!(matches!(scene.plan().effect, Some(Effect::Land { .. })));
    scene.report("staging", "staging-2", 1, 1, Failed);
    let plan = scene.plan();
    assert!(codes(&plan).contains(&Code::TargetFailed), "{plan:?}");
    let transaction = write(plan);
    assert!(
        matches!(&ends(&transaction)[..], [(id, End::Withdrawn { actor: None, .. })] if *id == promotion.id),
        "{transaction:?}"
    );
    let reason = "staging-2 failed".to_owned();
    let withdrawn = ended(promotion.id, End::Withdrawn { reason, actor: None });
    scene.state.apply(&withdrawn, scene.now);
    scene.chain.clear();
    assert_eq!(scene.plan().effect, None, "it waits");
    scene.report("staging", "staging-2", 1, 1, Succeeded);
    let transaction = write(scene.plan());
    let [Record::Accepted { intent: again }] = &transaction.records[..] else { panic!("{transaction:?}") };
    assert_eq!((again.release, again.action.attempt()), (promotion.release, 2));
}

#[test]
fn a_proven_release_is_promoted_with_its_own_images() {
    let mut scene = Scene::new();
    scene.land(1, &intent(1), 1);
    scene.state.stable_seen = Some(commit(1));
    for target in ["staging-1", "staging-2"] {
        scene.report("staging", target, 1, 1, Succeeded);
    }
    let transaction = write(scene.plan());
    let [Record::Accepted { intent: promotion }] = &transaction.records[..] else {
        panic!("{transaction:?}")
    };
    assert_eq!((promotion.wave.as_str(), promotion.release), ("internal", intent(1).release));
    assert_eq!(transaction.auto.unwrap().intents, [promotion.id]);
}

#[test]
fn images_that_were_not_read_are_looked_for_soon() {
    let mut scene = Scene::new();
    scene.land(1, &intent(1), 1);
    scene.state.stable_seen = Some(commit(1));
    for target in ["staging-1", "staging-2"] {
        scene.report("staging", target, 1, 1, Succeeded);
    }
    scene.images.clear();
    let plan = scene.plan();
    assert!(plan.effect.is_none() && plan.look_again.is_some_and(|at| at > scene.now));
}

fn call(request: Request) -> Call {
    Call::new("app-ci", request)
}

fn outcome(reply: &Reply) -> Outcome {
    match reply {
        Reply::Now(Ok(Answer::Announced(told))) | Reply::OnceWritten(Answer::Announced(told)) => told.outcome,
        other => panic!("{other:?}"),
    }
}

#[test]
fn two_equal_calls_in_one_batch_make_one_intent() {
    let scene = Scene::new();
    let announce = call(Request::Announce(announcement("app", 1)));
    let decision = decide(&scene.snapshot(), &scene.policy, &[&announce, &announce], &Scope::default());
    let outcomes: Vec<Outcome> = decision.replies.iter().map(outcome).collect();
    assert_eq!(outcomes, [Outcome::Queued, Outcome::Duplicate]);
    assert!(decision.replies.iter().all(|reply| matches!(reply, Reply::OnceWritten(_))));
    assert_eq!(write(decision.plan).auto.unwrap().intents.len(), 1);
}

#[test]
fn a_repeated_announcement_is_told_its_end() {
    let mut scene = chain_of(&[GREEN]);
    scene.chain.clear();
    scene.land(1, &intent(1), 1);
    scene.landed.insert(intent(1).id, commit(1));
    let announce = call(Request::Announce(announcement("app", 1)));
    let decision = decide(&scene.snapshot(), &scene.policy, &[&announce], &Scope::default());
    let Reply::OnceWritten(Answer::Announced(told)) = &decision.replies[0] else { panic!("{decision:?}") };
    assert_eq!(
        (told.outcome, told.end.clone()),
        (Outcome::Duplicate, Some(End::Landed { commit: commit(1) }))
    );
}

#[test]
fn what_the_wave_has_already_is_unchanged() {
    let mut scene = Scene::new();
    scene.person_pushes(1, &[("staging", 1)]);
    scene.state.stable_seen = Some(commit(1));
    let announce = call(Request::Announce(announcement("app", 1)));
    let decision = decide(&scene.snapshot(), &scene.policy, &[&announce], &Scope::default());
    assert_eq!((outcome(&decision.replies[0]), decision.plan.effect), (Outcome::Unchanged, None));
}

#[test]
fn sequences_order_announcements_and_can_not_be_mixed() {
    let scene = Scene::new();
    let sequenced = |n: u8, sequence: Option<u64>| {
        let mut announced = announcement("app", n);
        announced.sequence = sequence;
        call(Request::Announce(announced))
    };
    let calls = [
        sequenced(1, Some(5)),
        sequenced(2, Some(4)),
        sequenced(3, Some(5)),
        sequenced(4, None),
        sequenced(5, Some(6)),
    ];
    let calls: Vec<&Call> = calls.iter().collect();
    let replies = decide(&scene.snapshot(), &scene.policy, &calls, &Scope::default()).replies;
    assert_eq!(outcome(&replies[0]), Outcome::Queued);
    assert_eq!(outcome(&replies[1]), Outcome::Stale);
    for reply in &replies[2..4] {
        assert!(
            matches!(reply, Reply::Now(Err(refusal)) if refusal.kind == RefusalKind::Conflict),
            "{reply:?}"
        );
    }
    assert_eq!(outcome(&replies[4]), Outcome::Queued);
}

#[test]
fn a_set_that_was_announced_without_sequences_goes_on_without() {
    let mut scene = Scene::new();
    scene.accept(intent(1));
    scene.accept(intent(2));
    let mut announced = announcement("app", 3);
    announced.sequence = Some(1);
    let announce = call(Request::Announce(announced));
    let replies = decide(&scene.snapshot(), &scene.policy, &[&announce], &Scope::default()).replies;
    assert!(
        matches!(&replies[0], Reply::Now(Err(refusal)) if refusal.kind == RefusalKind::Conflict),
        "{replies:?}"
    );
}

#[test]
fn a_fault_stops_everything_and_says_what_to_do() {
    let mut snapshot = chain_of(&[GREEN]).snapshot();
    snapshot.faults.push(Fault::StableRewound { seen: commit(77) });
    let announce = call(Request::Announce(announcement("app", 9)));
    let decision = decide(&snapshot, &Scene::new().policy, &[&announce], &Scope::default());
    assert!(decision.plan.effect.is_none());
    assert!(matches!(&decision.replies[0], Reply::Now(Err(refusal))
        if refusal.kind == RefusalKind::Unavailable && refusal.detail.contains("accept the new tip")));
}

#[test]
fn a_check_that_ended_on_a_later_commit_makes_a_late_one_time_out() {
    let mut scene = chain_of(&[RUNNING, GREEN]);
    scene.state.paused = Some(note("ops", "so that nothing lands", scene.now));
    let hours = |hours| std::time::Duration::from_hours(hours);
    assert!(scene.plan().look_again.is_some());
    scene.now = scene.now.after(hours(3));
    let transaction = write(scene.plan());
    assert!(matches!(ends(&transaction)[..], [(id, End::Evicted { .. })] if id == intent(1).id));
}

#[test]
fn an_outage_of_ci_evicts_nothing() {
    let mut scene = chain_of(&[None, None]);
    scene.now = scene.now.after(std::time::Duration::from_hours(3));
    let plan = scene.plan();
    assert!(plan.effect.is_none() && codes(&plan).contains(&Code::Stalled), "{plan:?}");
}

#[test]
fn where_every_commit_must_be_green_the_untested_ones_are_tested() {
    let mut scene = chain_of(&[None, None, GREEN]);
    assert!(matches!(scene.plan().effect, Some(Effect::Land { .. })));
    scene.policy.landing = Landing::EveryCommit;
    assert_eq!(scene.plan().effect, Some(Effect::Probe { from: None, to: commit(1) }));
    scene.check(1, CheckState::Running);
    assert_eq!(scene.plan().effect, None, "one at a time");
}

#[test]
fn nothing_lands_in_another_order_than_it_was_accepted_in() {
    let mut scene = chain_of(&[GREEN, GREEN]);
    scene.chain.swap(0, 1);
    let auto = write(scene.plan()).auto.unwrap();
    assert_eq!(auto.intents, [intent(1).id, intent(2).id]);
}

#[test]
fn an_edit_under_a_copied_message_is_still_a_persons() {
    let mut scene = chain_of(&[GREEN]);
    scene.relation = Some(Relation::Diverged);
    scene.land(9, &intent(1), 7);
    let transaction = write(scene.plan());
    let by = By::Commit(commit(9));
    assert_eq!(ends(&transaction), [(intent(1).id, &End::Superseded { by })]);
}

/// Intent 1 was evicted as this commit.
fn evict(scene: &mut Scene, n: u8) {
    scene.accept(intent(1));
    let (commit, check) = (commit(n), "ci".to_owned());
    let evidence = Evidence { commit, check, outcome: CheckOutcome::Failed, link: None, summary: None };
    scene.state.apply(&ended(intent(1).id, End::Evicted { evidence }), scene.now);
}

#[test]
fn an_evicted_commit_that_a_person_merged_has_landed() {
    let mut scene = chain_of(&[]);
    evict(&mut scene, 1);
    assert_eq!(scene.state.traces().collect::<Vec<_>>(), [(intent(1).id, commit(1))]);
    scene.landed.insert(intent(1).id, commit(1));
    assert_eq!(ends(&write(scene.plan())), [(intent(1).id, &End::Landed { commit: commit(1) })]);
    // An older commit of the same intent says nothing.
    scene.landed.insert(intent(1).id, commit(7));
    assert_eq!(scene.plan().effect, None);
}

#[test]
fn what_landed_although_it_was_evicted_meanwhile_has_landed() {
    let mut scene = chain_of(&[]);
    evict(&mut scene, 1);
    scene.land(1, &intent(1), 1);
    let transaction = write(scene.plan());
    assert_eq!(ends(&transaction), [(intent(1).id, &End::Landed { commit: commit(1) })]);
    for record in &transaction.records {
        scene.state.apply(record, scene.now);
    }
    assert_eq!(scene.plan().effect, None);
}

#[test]
fn a_copy_of_our_commit_that_a_person_pushed_subsumes_and_needs_its_own_verdict() {
    let mut scene = chain_of(&[None]);
    scene.relation = Some(Relation::Diverged);
    scene.land(9, &intent(1), 1);
    scene.landed.insert(intent(1).id, commit(9));
    let by = By::Commit(commit(9));
    assert_eq!(ends(&write(scene.plan())), [(intent(1).id, &End::Subsumed { by })]);
    assert_eq!(scene.snapshot().stable_verdict(), Verdict::Missing);
}

#[test]
fn a_copy_of_a_commit_that_a_hold_took_off_auto_is_no_landing_of_ours() {
    let mut scene = chain_of(&[]);
    scene.accept(intent(1));
    scene.land(9, &intent(1), 1);
    scene.landed.insert(intent(1).id, commit(9));
    let transaction = write(scene.plan());
    assert_eq!(ends(&transaction), [(intent(1).id, &End::Subsumed { by: By::Commit(commit(9)) })]);
    for record in &transaction.records {
        scene.state.apply(record, scene.now);
    }
    assert_eq!(scene.snapshot().stable_verdict(), Verdict::Missing);
}

#[test]
fn a_check_that_ended_without_a_result_is_not_said_to_run() {
    let broken = Some(CheckState::Infrastructure("runner_system_failure".to_owned()));
    let why = chain_of(&[broken]).plan().why;
    let text = why.iter().find(|reason| reason.code == Code::Checks).map(|reason| reason.text.as_str());
    let text = text.expect("it waits");
    assert!(text.ends_with("(ended without a result: runner_system_failure)"), "{text}");
}

#[test]
fn a_chain_that_state_does_not_name_is_recorded_as_it_is() {
    let mut scene = chain_of(&[RUNNING, RUNNING]);
    scene.capabilities.cancels_superseded = true;
    scene.state.built.pop();
    let auto = write(scene.plan()).auto.unwrap();
    assert_eq!((auto.from, auto.base), (Some(commit(2)), commit(2)));
    assert_eq!((auto.keep, auto.intents), (vec![commit(1), commit(2)], vec![]));
}

#[test]
fn a_chain_that_state_does_not_name_is_recorded_while_nothing_may_be_added() {
    let mut scene = chain_of(&[GREEN, RUNNING]);
    scene.capabilities.cancels_superseded = true;
    scene.state.built.clear();
    scene.accept(intent(3));
    let auto = write(scene.plan()).auto.unwrap();
    assert_eq!((auto.keep, auto.intents), (vec![commit(1), commit(2)], vec![]));
}

#[test]
fn what_landed_by_hand_with_a_higher_sequence_supersedes_what_was_accepted_since() {
    let with = |n, sequence| {
        let mut intent = intent(n);
        if let Action::Introduce { sequence: said, .. } = &mut intent.action {
            *said = Some(sequence);
        }
        intent
    };
    for (second, superseded) in [(1, true), (9, false)] {
        let mut scene = chain_of(&[]);
        scene.accept(with(1, 4));
        scene.accept(with(2, second));
        scene.land(7, &with(1, 4), 1);
        scene.landed.insert(intent(1).id, commit(7));
        let ended = ends(&write(scene.plan()))
            .iter()
            .any(|(id, end)| *id == intent(2).id && **end == End::Superseded { by: By::Commit(commit(7)) });
        assert_eq!(ended, superseded, "{second}");
    }
}

#[test]
fn a_green_commit_that_state_does_not_name_is_recorded_before_it_lands() {
    let mut scene = chain_of(&[GREEN, GREEN]);
    scene.state.built.clear();
    let transaction = write(scene.plan());
    assert_eq!(transaction.auto.as_ref().unwrap().keep, vec![commit(1), commit(2)]);
    scene.state.built.extend([1, 2].map(|n| crate::record::Built {
        commit: commit(n),
        intent: intent(n).id,
        at: scene.now,
    }));
    assert!(matches!(scene.plan().effect, Some(Effect::Land { to, .. }) if to == commit(2)));
}

#[test]
fn a_stable_tip_that_we_landed_is_green_whatever_is_reported_later() {
    let mut scene = chain_of(&[GREEN]);
    scene.chain.clear();
    scene.land(1, &intent(1), 1);
    scene.check(1, CheckState::Failure);
    assert_eq!(scene.snapshot().stable_verdict(), Verdict::Green);
}

#[test]
fn checks_that_never_start_on_a_probed_commit_are_reported_and_evict_nobody() {
    let mut scene = chain_of(&[None, RED]);
    assert_eq!(scene.plan().effect, Some(Effect::Probe { from: None, to: commit(1) }));
    scene.probe = Some(commit(1));
    scene.now = scene.now.after(scene.policy.not_started_timeout);
    let plan = scene.plan();
    assert_eq!(plan.effect, None);
    assert!(codes(&plan).contains(&Code::Stalled), "{:?}", plan.why);
}

#[test]
fn what_the_service_itself_found_starts_no_clock_for_ci() {
    let mut scene = chain_of(&[None, RED]);
    scene.policy.required = Some(RequiredChecks::named(["ci", GENERATED_CHECK]));
    for n in 0..3 {
        let found = CheckRun::new(GENERATED_CHECK, 1, CheckState::Success);
        scene.checks.entry(commit(n)).or_default().push(found);
    }
    assert_eq!(scene.plan().effect, Some(Effect::Probe { from: None, to: commit(1) }));
    scene.probe = Some(commit(1));
    scene.now = scene.now.after(scene.policy.not_started_timeout);
    let plan = scene.plan();
    assert_eq!(plan.effect, None, "CI tests pushed tips only: nobody knows when it could have begun");
    assert!(codes(&plan).contains(&Code::Stalled), "{:?}", plan.why);
}

#[test]
fn a_finding_that_ends_by_itself_is_looked_at_again_then() {
    let scene = chain_of(&[]);
    let mut snapshot = scene.snapshot();
    assert_eq!(plan(&snapshot, &scene.policy).look_again, None);
    let finding = |text| Reason::new(Code::Rendering, "commit", text);
    let until = [scene.now.after(Duration::from_secs(9)), scene.now.after(Duration::from_secs(5))];
    snapshot.findings =
        vec![finding("one"), finding("two").until(until[0]), finding("three").until(until[1])];
    assert_eq!(plan(&snapshot, &scene.policy).look_again, Some(until[1]));
}

#[test]
fn while_stable_is_being_tested_nobody_is_evicted_and_everybody_is_told() {
    let mut scene = chain_of(&[RED]);
    scene.checks.remove(&commit(0));
    scene.check(0, CheckState::Infrastructure("cancelled".to_owned()));
    let plan = scene.plan();
    assert!(plan.effect.is_none() && codes(&plan).contains(&Code::StableNotGreen), "{plan:?}");
}

#[test]
fn an_older_intent_does_not_land_over_a_newer_one_that_a_person_landed_by_hand() {
    let mut scene = chain_of(&[GREEN, GREEN]);
    scene.relation = Some(Relation::Diverged);
    scene.land(9, &intent(2), 2);
    scene.landed.insert(intent(2).id, commit(9));
    let by = By::Commit(commit(9));
    let transaction = write(scene.plan());
    assert_eq!(
        ends(&transaction),
        [(intent(2).id, &End::Subsumed { by }), (intent(1).id, &End::Superseded { by })]
    );
}

#[test]
fn checks_of_a_commit_that_state_does_not_know_are_watched_too() {
    let mut scene = chain_of(&[None, RED]);
    scene.state.built.clear();
    scene.check(1, CheckState::Running);
    scene.now = scene.now.after(scene.policy.running_timeout);
    let plan = scene.plan();
    assert!(codes(&plan).contains(&Code::Stalled), "{plan:?}");
    assert!(ends(&write(plan)).is_empty(), "nobody is blamed by a guess");
}

#[test]
fn two_acceptances_at_once_are_one_and_nobody_is_told_before_it_is_written() {
    let mut scene = Scene::new();
    scene.faults = vec![Fault::StableRewound { seen: commit(7) }];
    let accept = Call::new("ops", Request::Operate(Operation::Accept { reason: "on purpose".to_owned() }));
    let decision = decide(&scene.snapshot(), &scene.policy, &[&accept, &accept], &Scope::default());
    assert!(matches!(&decision.replies[..], [Reply::OnceWritten(_), Reply::Later]), "{:?}", decision.replies);
}
