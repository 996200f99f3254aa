//! What is written, and what waits for a better moment.

use std::time::Duration;

use super::*;

/// Plans after files could not be rendered and nobody was to blame.
fn plan_unrendered(scene: &Scene) -> Plan {
    let until = scene.now.after(Duration::from_secs(2));
    let scope = Scope { auto_waits: Some(("make: *** error".to_owned(), until)), ..Scope::default() };
    decide(&scene.snapshot(), &scene.policy, &[], &scope).plan
}

#[test]
fn the_first_write_says_which_configuration_it_is_by() {
    let mut scene = Scene::new();
    scene.policy.generation = 2;
    scene.accept(intent(1));
    let mut snapshot = scene.snapshot();
    snapshot.branches.state = None;
    let transaction = write(plan(&snapshot, &scene.policy));
    assert_eq!((transaction.state, transaction.auto.is_some()), (None, true));
    assert_eq!(transaction.records, [Record::Generation { generation: 2 }]);
}

#[test]
fn every_write_names_the_state_it_believes_in() {
    let mut scene = chain_of(&[RED]);
    assert_eq!(write(scene.plan()).state, Some(commit(200)));
    scene.policy.generation = 2;
    assert_eq!(write(scene.plan()).state, Some(commit(200)));
}

#[test]
fn nothing_is_added_while_the_forge_would_cancel_the_checks_of_the_tip() {
    for (tip, waits) in [(None, true), (RUNNING, true), (RED, false)] {
        let mut scene = chain_of(&[RUNNING, tip.clone()]);
        scene.capabilities.cancels_superseded = true;
        scene.accept(intent(3));
        let plan = scene.plan();
        let queued: Vec<&str> =
            plan.why.iter().filter(|r| r.code == Code::Queued).map(|r| r.subject.as_str()).collect();
        assert_eq!(queued, if waits { vec!["wave staging"] } else { vec![] }, "{tip:?}");
        assert_eq!(plan.effect.is_none(), waits, "{tip:?}");
        scene.capabilities.cancels_superseded = false;
        assert!(scene.plan().effect.is_some(), "elsewhere it is added at once");
    }
}

#[test]
fn a_rebuild_does_not_wait_for_the_checks_of_what_it_takes_out() {
    let mut scene = chain_of(&[GREEN, RED, RUNNING]);
    scene.state.paused = Some(note("ops", "so that the green one stays", scene.now));
    scene.capabilities.cancels_superseded = true;
    let auto = write(scene.plan()).auto.unwrap();
    assert_eq!((auto.keep, auto.intents), (vec![commit(1)], vec![intent(3).id]));
}

#[test]
fn an_auto_without_commits_takes_the_first_one_whatever_the_forge_cancels() {
    let mut scene = Scene::new();
    scene.capabilities.cancels_superseded = true;
    scene.accept(intent(1));
    assert_eq!(write(scene.plan()).auto.unwrap().intents, [intent(1).id]);
}

#[test]
fn while_files_can_not_be_rendered_nothing_is_added_and_everybody_is_told() {
    let mut scene = chain_of(&[RUNNING]);
    scene.accept(intent(2));
    let plan = plan_unrendered(&scene);
    assert_eq!((plan.effect.is_none(), codes(&plan).contains(&Code::Rendering)), (true, true), "{plan:?}");
    assert_eq!(plan.look_again, Some(scene.now.after(Duration::from_secs(2))));
    assert!(scene.plan().effect.is_some(), "else it is added");
}

#[test]
fn a_rebuild_waits_for_rendering_but_what_it_decided_is_recorded() {
    let scene = chain_of(&[RED, RUNNING]);
    let transaction = write(plan_unrendered(&scene));
    assert_eq!((ends(&transaction).len(), transaction.auto), (1, None));
}

#[test]
fn taking_commits_off_auto_needs_no_rendering() {
    let scene = chain_of(&[RED]);
    let auto = write(plan_unrendered(&scene)).auto.unwrap();
    assert_eq!((auto.base, auto.keep, auto.intents), (commit(0), vec![], vec![]));
}

#[test]
fn a_chain_that_state_does_not_name_is_recorded_while_files_can_not_be_rendered() {
    let mut scene = chain_of(&[RUNNING]);
    scene.state.built.clear();
    scene.accept(intent(2));
    let auto = write(plan_unrendered(&scene)).auto.unwrap();
    assert_eq!((auto.keep, auto.intents), (vec![commit(1)], vec![]));
}

#[test]
fn an_auto_that_fell_behind_moves_with_the_next_write() {
    let mut scene = Scene::new();
    scene.relation = Some(Relation::Behind);
    scene.accept(intent(1));
    let auto = write(scene.plan()).auto.unwrap();
    assert_eq!((auto.base, auto.intents), (commit(0), vec![intent(1).id]));
}

#[test]
fn what_others_put_on_auto_is_parked_once_under_the_topmost_of_its_commits() {
    let mut scene = chain_of(&[RUNNING]);
    for n in [8, 9] {
        scene.chain.push(ChainCommit { id: commit(n), subject: "oops".to_owned(), intent: None });
    }
    assert_eq!(write(scene.plan()).park, [commit(9)]);
    // Nothing is parked that stays where it is.
    scene.policy.generation = 1;
    assert_eq!(write(scene.plan()).park, []);
}

#[test]
fn where_the_forge_runs_checks_on_request_it_is_asked_for_those_that_are_undecided() {
    let mut scene = chain_of(&[None, RUNNING, RED]);
    assert_eq!(scene.plan().request_checks, [], "others start them by themselves");
    scene.capabilities.requests_checks = true;
    let plan = scene.plan();
    assert_eq!((plan.effect, plan.request_checks), (None, vec![commit(1), commit(2)]));
}

#[test]
fn the_scratch_branch_that_is_right_already_is_left_alone() {
    let mut scene = chain_of(&[None, RED]);
    scene.probe = Some(commit(7));
    assert_eq!(scene.plan().effect, Some(Effect::Probe { from: Some(commit(7)), to: commit(1) }));
    scene.probe = Some(commit(1));
    assert_eq!(scene.plan().effect, None);
}

#[test]
fn a_freeze_window_that_ends_is_looked_at_again() {
    let mut scene = Scene::new();
    // The scene plays on a Thursday.
    scene.policy.waves[0].freeze.push("Thu 00:00 - Fri 00:00 UTC".parse().unwrap());
    scene.accept(intent(1));
    let plan = scene.plan();
    assert_eq!((plan.effect.is_none(), codes(&plan)), (true, vec![Code::Frozen]));
    assert_eq!(plan.look_again, Some(crate::testing::at(86_400)));
}

#[test]
fn what_waits_for_several_times_is_looked_at_again_at_the_first() {
    let mut scene = Scene::new();
    scene.policy.waves[0].freeze.push("Thu 00:00 - Fri 00:00 UTC".parse().unwrap());
    scene.policy.waves[1].freeze.push("Thu 00:00 - Thu 12:00 UTC".parse().unwrap());
    scene.land(1, &intent(1), 1);
    scene.state.stable_seen = Some(commit(1));
    for target in ["staging-1", "staging-2"] {
        scene.report("staging", target, 1, 1, Succeeded);
    }
    scene.accept(Intent { accepted_on: commit(1), ..intent(2) });
    let plan = scene.plan();
    assert_eq!(codes(&plan), [Code::Frozen, Code::Frozen], "{plan:?}");
    assert_eq!(plan.look_again, Some(crate::testing::at(43_200)));
}
