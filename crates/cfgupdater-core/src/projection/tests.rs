//! Which intents belong on auto, and how those end that don't.

use super::*;
use crate::record::Record;
use crate::testing::{Scene, commit, images, introduce, promote};

fn projected(scene: &Scene) -> Projection {
    project(&scene.state, &scene.history, &scene.policy, scene.now)
}

fn intent(n: u8) -> Intent {
    introduce("app", "staging", n)
}

/// One that was accepted when stable was at this commit.
fn accepted_on(n: u8, intent: Intent) -> Intent {
    Intent { accepted_on: commit(n), ..intent }
}

fn with_sequence(n: u8, sequence: u64) -> Intent {
    let mut intent = intent(n);
    if let Action::Introduce { sequence: said, .. } = &mut intent.action {
        *said = Some(sequence);
    }
    intent
}

/// An operator takes staging back to release `n`.
fn roll_back(n: u8) -> Intent {
    let action = Action::RollBack { config_sha: commit(n), number: 1 };
    let (wave, set) = Scene::slot("staging");
    let release = images(&[("web", n)]).release();
    let id = action.intent_id(&set, &wave, release, &images(&[("web", n)]));
    Intent { id, action, ..intent(n) }
}

fn hold(scene: &mut Scene, wave: &str) {
    let note = crate::plan::note("ops", "incident", scene.now);
    scene.state.apply(&Record::Held { wave: wave.parse().unwrap(), note }, scene.now);
}

#[test]
fn intents_are_applied_in_the_order_of_their_acceptance() {
    let mut scene = Scene::new();
    for n in [3, 1, 2] {
        scene.accept(intent(n));
    }
    let projection = projected(&scene);
    assert_eq!(projection.chain, [3, 1, 2].map(|n| intent(n).id));
    let staging = projection.effective(&Scene::slot("staging"), &scene.history);
    assert_eq!(staging, Some((intent(2).release, By::Intent(intent(2).id))), "the last one is what remains");
}

#[test]
fn a_slot_that_no_intent_writes_has_what_stable_has() {
    let mut scene = Scene::new();
    let effective = |scene: &Scene, wave| projected(scene).effective(&Scene::slot(wave), &scene.history);
    assert_eq!(effective(&scene, "staging"), None);
    scene.person_pushes(1, &[("staging", 1)]);
    assert_eq!(effective(&scene, "staging"), Some((intent(1).release, By::Commit(commit(1)))));
    assert_eq!(effective(&scene, "internal"), None);
}

#[test]
fn what_is_no_longer_configured_is_withdrawn() {
    let mut scene = Scene::new();
    scene.accept(introduce("app", "canary", 2));
    scene.accept(introduce("db", "staging", 1));
    scene.accept(intent(1));
    let projection = projected(&scene);
    let ends = projection.ended.iter().map(|(_, end)| end.to_string()).collect::<Vec<_>>();
    assert!(ends.iter().all(|end| end.contains("no longer configured")), "{ends:?}");
    assert_eq!((ends.len(), projection.chain), (2, vec![intent(1).id]));
}

#[test]
fn an_edit_that_was_there_when_an_intent_was_accepted_is_not_newer_than_it() {
    let mut scene = Scene::new();
    scene.person_pushes(5, &[("staging", 9)]);
    scene.accept(accepted_on(5, intent(1)));
    assert_eq!(projected(&scene).chain, [intent(1).id]);
}

#[test]
fn what_stable_has_already_is_subsumed() {
    let mut scene = Scene::new();
    scene.person_pushes(5, &[("staging", 1)]);
    scene.accept(accepted_on(5, intent(1)));
    let by = By::Commit(commit(5));
    assert_eq!(projected(&scene).ended, [(intent(1).id, End::Subsumed { by })]);
}

#[test]
fn an_edit_of_another_wave_stands_in_nobodys_way() {
    let mut scene = Scene::new();
    scene.accept(intent(1));
    scene.person_pushes(5, &[("internal", 9)]);
    assert_eq!(projected(&scene).chain, [intent(1).id]);
}

#[test]
fn an_older_intent_that_landed_meanwhile_stands_in_nobodys_way() {
    let mut scene = Scene::new();
    scene.accept(intent(1));
    scene.accept(intent(2));
    scene.land(5, &intent(1), 1);
    assert!(projected(&scene).chain.contains(&intent(2).id));
}

#[test]
fn of_two_with_one_sequence_the_one_accepted_last_is_newer() {
    let mut scene = Scene::new();
    scene.accept(with_sequence(1, 4));
    scene.accept(with_sequence(2, 4));
    scene.land(5, &with_sequence(2, 4), 2);
    let by = By::Commit(commit(5));
    assert!(projected(&scene).ended.contains(&(intent(1).id, End::Superseded { by })));
}

#[test]
fn a_sequence_decides_whatever_was_accepted_first() {
    let mut scene = Scene::new();
    scene.accept(with_sequence(1, 4));
    scene.accept(with_sequence(2, 3));
    scene.land(5, &with_sequence(2, 3), 2);
    assert_eq!(projected(&scene).chain[0], intent(1).id, "the lower one landed late");
}

#[test]
fn a_hold_queues_introductions_and_lets_the_rollback_that_holds_pass() {
    let mut scene = Scene::new();
    scene.person_pushes(1, &[("staging", 1)]);
    scene.person_pushes(2, &[("staging", 2)]);
    scene.accept(accepted_on(2, intent(3)));
    scene.accept(accepted_on(2, roll_back(1)));
    hold(&mut scene, "staging");
    let projection = projected(&scene);
    assert_eq!(projection.chain, [roll_back(1).id]);
    let queued = projection.queued.iter().map(|(id, reason)| (*id, reason.code)).collect::<Vec<_>>();
    assert_eq!(queued, [(intent(3).id, Code::Held)]);
}

#[test]
fn a_hold_withdraws_promotions_since_they_are_derived_again() {
    let mut scene = Scene::new();
    scene.land(1, &intent(1), 1);
    let promotion = accepted_on(1, promote("app", "staging", "internal", 1));
    scene.accept(promotion.clone());
    assert_eq!(projected(&scene).chain, [promotion.id]);
    hold(&mut scene, "internal");
    let ended = projected(&scene).ended;
    assert!(
        matches!(&ended[..], [(id, End::Withdrawn { reason, actor: None })]
            if *id == promotion.id && reason.starts_with("held by ops")),
        "{ended:?}"
    );
}

#[test]
fn what_a_remote_may_have_declined_stays_off_auto_and_is_told_so() {
    let mut scene = Scene::new();
    for n in [1, 2] {
        scene.accept(intent(n));
    }
    let mut projection = projected(&scene);
    projection.leave_out(&BTreeSet::from([intent(1).id]));
    assert_eq!(projection.chain, [intent(2).id]);
    let [(id, reason)] = &projection.queued[..] else { panic!("{projection:?}") };
    assert_eq!((*id, reason.code), (intent(1).id, Code::Remote));
}
