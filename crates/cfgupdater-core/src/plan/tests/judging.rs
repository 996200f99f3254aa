//! Who is judged by what, and what people are told meanwhile.

use std::time::Duration;

use super::*;
use crate::testing::at;

/// What people are told about a subject.
fn told(plan: &Plan, code: Code) -> Vec<String> {
    plan.why.iter().filter(|reason| reason.code == code).map(ToString::to_string).collect()
}

fn hours(scene: &Scene, hours: u64) -> crate::timestamp::Timestamp {
    scene.now.after(Duration::from_hours(hours))
}

#[test]
fn an_eviction_cites_the_check_that_failed_and_where_to_read_more() {
    let mut scene = chain_of(&[RED]);
    scene.policy.required = Some(RequiredChecks::named(["build", "ci"]));
    for n in [0, 1] {
        let mut build = crate::check::CheckRun::new("build", 1, CheckState::Success);
        build.link = Some("https://ci.example.com/build".to_owned());
        scene.checks.get_mut(&commit(n)).unwrap().push(build);
    }
    let run = &mut scene.checks.get_mut(&commit(1)).unwrap()[0];
    run.link = Some("https://ci.example.com/ci".to_owned());
    run.summary = Some("2 tests failed".to_owned());
    let transaction = write(scene.plan());
    let [(_, End::Evicted { evidence })] = &ends(&transaction)[..] else { panic!("{transaction:?}") };
    assert_eq!((evidence.check.as_str(), evidence.outcome), ("ci", CheckOutcome::Failed));
    assert_eq!(evidence.link.as_deref(), Some("https://ci.example.com/ci"));
    assert_eq!(evidence.summary.as_deref(), Some("2 tests failed"));
}

#[test]
fn nobody_is_evicted_from_an_auto_that_diverged() {
    let mut scene = chain_of(&[RED]);
    scene.relation = Some(Relation::Diverged);
    assert_eq!(ends(&write(scene.plan())), [], "it is rebuilt, and judged by its new SHA");
}

#[test]
fn nothing_lands_from_an_auto_that_diverged() {
    let mut scene = chain_of(&[GREEN]);
    scene.person_pushes(9, &[]);
    scene.relation = Some(Relation::Diverged);
    assert!(write(scene.plan()).auto.is_some());
}

#[test]
fn an_untested_stable_is_said_to_be_tested_where_the_forge_does_it() {
    let mut scene = chain_of(&[RED]);
    scene.checks.remove(&commit(0));
    let why = told(&scene.plan(), Code::StableNotGreen);
    assert!(why[0].contains("pushed to cfgupdater/probe"), "{why:?}");
    scene.capabilities.requests_checks = true;
    let why = told(&scene.plan(), Code::StableNotGreen);
    assert!(why[0].ends_with("its checks are asked for"), "{why:?}");
}

#[test]
fn a_red_stable_is_said_to_be_red_and_a_running_one_to_run() {
    let mut scene = chain_of(&[RED]);
    scene.check(0, CheckState::Failure);
    let why = told(&scene.plan(), Code::StableNotGreen);
    assert!(why.len() == 1 && why[0].contains("is red itself"), "{why:?}");
    scene.check(0, CheckState::Running);
    let why = told(&scene.plan(), Code::StableNotGreen);
    assert!(why.len() == 1 && why[0].contains("is being tested"), "{why:?}");
}

#[test]
fn stable_is_no_topic_while_a_commit_beneath_the_red_one_is_tested() {
    let scene = chain_of(&[RUNNING, RED]);
    assert_eq!(told(&scene.plan(), Code::StableNotGreen), [""; 0]);
}

#[test]
fn whoever_waits_for_checks_is_told_which_and_how_far_they_are() {
    let mut scene = chain_of(&[RUNNING]);
    scene.policy.required = Some(RequiredChecks::named(["ci", "lint"]));
    let why = told(&scene.plan(), Code::Checks);
    assert!(why[0].ends_with("waits for check ci (running), check lint (not started)"), "{why:?}");
    scene.check(1, CheckState::Success);
    let why = told(&scene.plan(), Code::Checks);
    assert!(why[0].ends_with("waits for check lint (not started)"), "{why:?}");
}

#[test]
fn an_operator_who_wants_no_check_is_not_told_that_there_is_none() {
    let mut scene = Scene::new();
    scene.policy.required = Some(RequiredChecks { allow_empty: true, ..RequiredChecks::default() });
    assert_eq!(codes(&scene.plan()), []);
}

#[test]
fn only_the_tip_may_be_untested_where_every_commit_must_be_green() {
    let mut scene = chain_of(&[GREEN, None]);
    scene.policy.landing = Landing::EveryCommit;
    scene.state.paused = Some(note("ops", "so that nothing lands", scene.now));
    assert_eq!(scene.plan().effect, None, "it is on auto, where CI tests it");
}

#[test]
fn what_lies_beneath_an_undecided_tip_is_not_tested_for_its_own_sake() {
    let mut scene = chain_of(&[None, RUNNING]);
    assert_eq!(scene.plan().effect, None);
    scene.policy.landing = Landing::EveryCommit;
    assert!(matches!(scene.plan().effect, Some(Effect::Probe { .. })), "unless it must be green itself");
}

#[test]
fn checks_that_a_forge_never_starts_beneath_the_tip_are_no_delay() {
    let mut scene = chain_of(&[None, RUNNING]);
    scene.now = scene.now.after(scene.policy.not_started_timeout);
    assert_eq!(told(&scene.plan(), Code::Stalled), [""; 0]);
    scene.capabilities.requests_checks = true;
    let why = told(&scene.plan(), Code::Stalled);
    assert!(why.len() == 1 && why[0].contains("has not started since"), "{why:?}");
}

#[test]
fn a_check_that_runs_too_long_is_said_not_to_end() {
    let mut scene = chain_of(&[RUNNING]);
    scene.now = hours(&scene, 3);
    let why = told(&scene.plan(), Code::Stalled);
    assert!(why.len() == 1 && why[0].contains("required check ci has not ended since"), "{why:?}");
}

#[test]
fn the_clock_of_a_commit_that_state_does_not_name_starts_when_its_intent_was_accepted() {
    let mut scene = chain_of(&[RUNNING]);
    scene.state.built.clear();
    scene.now = at(100).after(scene.policy.running_timeout);
    assert_eq!(told(&scene.plan(), Code::Stalled).len(), 1);
}

#[test]
fn a_late_check_above_a_commit_that_is_not_green_evicts_nobody() {
    let mut scene = chain_of(&[RUNNING, RUNNING, GREEN]);
    scene.state.paused = Some(note("ops", "so that nothing lands", scene.now));
    scene.checks.get_mut(&commit(1)).unwrap().clear();
    scene.now = hours(&scene, 3);
    let plan = scene.plan();
    assert_eq!((plan.effect.is_none(), told(&plan, Code::Stalled).len()), (true, 1), "{plan:?}");
}

#[test]
fn a_check_that_is_late_on_every_commit_evicts_nobody() {
    let mut scene = chain_of(&[RUNNING, RUNNING]);
    scene.now = hours(&scene, 3);
    let plan = scene.plan();
    assert_eq!((plan.effect.is_none(), told(&plan, Code::Stalled).len()), (true, 2), "{plan:?}");
}

#[test]
fn a_check_that_ended_on_an_earlier_commit_alone_evicts_nobody() {
    let mut scene = chain_of(&[GREEN, RUNNING]);
    scene.state.paused = Some(note("ops", "so that nothing lands", scene.now));
    scene.now = hours(&scene, 3);
    assert!(scene.plan().effect.is_none(), "CI may have stopped since");
}

#[test]
fn a_commit_that_state_does_not_name_is_not_evicted_for_a_late_check() {
    let mut scene = chain_of(&[RUNNING, GREEN]);
    scene.state.built.remove(0);
    scene.now = hours(&scene, 3);
    let plan = scene.plan();
    assert_eq!(told(&plan, Code::Stalled).len(), 1);
    assert_eq!(ends(&write(plan)), []);
}

#[test]
fn a_probe_that_came_to_nothing_is_nobodys_fault() {
    let mut scene = chain_of(&[None, GREEN]);
    scene.state.paused = Some(note("ops", "so that nothing lands", scene.now));
    scene.probe = Some(commit(1));
    scene.now = scene.now.after(scene.policy.not_started_timeout);
    let plan = scene.plan();
    assert_eq!((plan.effect.is_none(), told(&plan, Code::Stalled).len()), (true, 1), "{plan:?}");
    scene.capabilities.requests_checks = true;
    assert_eq!(ends(&write(scene.plan())).len(), 1, "what was asked for is missed");
}
