//! What a declined write is laid to, and what goes on meanwhile.

use super::*;
use crate::snapshot::Relation;

#[test]
fn a_rebuild_that_is_declined_makes_nobody_suspicious() {
    let mut scene = Scene::new();
    for n in [1, 2] {
        scene.on_auto(n, introduce("app", "staging", n));
    }
    scene.person_pushes(9, &[]);
    scene.state.stable_seen = Some(commit(9));
    scene.relation = Some(Relation::Diverged);
    let both = [1, 2].map(|n| introduce("app", "staging", n).id);
    let mut reconciler = started(&scene);
    assert_eq!(on_auto(&reconciler.step(scene.now, observed(&scene))), both);
    assert!(observes(&reconciler.step(scene.now, declined())));
    assert_eq!(on_auto(&reconciler.step(scene.now, observed(&scene))), both, "the remote took them before");
    assert!(!observes(&reconciler.step(scene.now, declined())), "it is left in peace for a while");
}

#[test]
fn what_is_on_auto_already_is_not_suspected_of_what_is_added_to_it() {
    let mut scene = Scene::new();
    scene.on_auto(1, introduce("app", "staging", 1));
    for n in [2, 3] {
        scene.accept(introduce("app", "staging", n));
    }
    let added = [2, 3].map(|n| introduce("app", "staging", n).id);
    let mut reconciler = started(&scene);
    assert_eq!(on_auto(&reconciler.step(scene.now, observed(&scene))), added);
    assert!(observes(&reconciler.step(scene.now, declined())));
    assert_eq!(on_auto(&reconciler.step(scene.now, observed(&scene))), [added[0]], "each is tried alone");
}

#[test]
fn an_accepted_intent_that_is_declined_stands_in_no_callers_way() {
    let mut scene = Scene::new();
    let mut reconciler = idle(&scene);
    let (bad, called) = (introduce("app", "staging", 1), introduce("app", "staging", 2));
    scene.accept(bad.clone());
    let commands = call_and_observe(&mut reconciler, &scene, &[announce(2)]);
    assert_eq!(on_auto(&commands), [bad.id, called.id]);
    assert!(observes(&reconciler.step(scene.now, declined())));
    assert_eq!(on_auto(&reconciler.step(scene.now, observed(&scene))), [bad.id], "the call is held back");
    assert!(observes(&reconciler.step(scene.now, declined())));
    assert!(observes(&reconciler.step(scene.now, observed(&scene))), "nothing is left to write without it");
    assert_eq!(on_auto(&reconciler.step(scene.now, observed(&scene))), [called.id]);
}

/// A batch of one call was declined, and its caller gave up while it was looked at again.
fn given_up(hint: bool) -> Vec<Command> {
    let scene = Scene::new();
    let mut reconciler = idle(&scene);
    call_and_observe(&mut reconciler, &scene, &[announce(1)]);
    assert!(observes(&reconciler.step(scene.now, declined())));
    let late = scene.now.after(PATIENCE);
    assert!(matches!(answers(&reconciler.step(late, Input::Tick))[..], [(0, Err(_))]));
    if hint {
        reconciler.step(late, Input::Look);
    }
    reconciler.step(late, observed(&scene))
}

#[test]
fn a_hint_that_comes_while_calls_are_taken_apart_is_not_lost() {
    assert!(observes(&given_up(true)));
    assert!(!observes(&given_up(false)), "without one there is nothing to look for");
}
