//! Who waits for how long, and what people are told meanwhile.

use super::*;

/// A commit of auto is green, and the reconciler is landing it.
fn landing() -> (Scene, Reconciler) {
    let mut scene = Scene::new();
    scene.on_auto(1, introduce("app", "staging", 1));
    scene.check(1, CheckState::Success);
    let mut reconciler = started(&scene);
    assert!(matches!(effect(&reconciler.step(scene.now, observed(&scene))), Some(Effect::Land { .. })));
    (scene, reconciler)
}

fn trouble(commands: &[Command]) -> Vec<String> {
    let remote = published(commands).into_iter().filter(|reason| reason.code == Code::Remote);
    remote.map(|reason| reason.text).collect()
}

fn requests_checks(commands: &[Command]) -> bool {
    commands.iter().any(|command| matches!(command, Command::RequestChecks(_)))
}

#[test]
fn a_caller_is_told_in_time_while_a_reading_or_a_write_takes_long() {
    let scene = Scene::new();
    let mut reconciler = started(&scene);
    let commands = reconciler.step(scene.now, Input::Call { id: CallId(1), call: announce(1) });
    assert_eq!(woken_at(&commands), Some(scene.now.after(PATIENCE)), "it is reading");
    let mut reconciler = idle(&scene);
    let commands = call_and_observe(&mut reconciler, &scene, &[announce(1)]);
    assert_eq!(woken_at(&commands), Some(scene.now.after(PATIENCE)), "it is writing");
}

#[test]
fn a_caller_whose_patience_is_over_is_not_answered_again_once_it_is_written() {
    let scene = Scene::new();
    let mut reconciler = idle(&scene);
    call_and_observe(&mut reconciler, &scene, &[announce(1)]);
    let late = scene.now.after(PATIENCE);
    assert!(matches!(answers(&reconciler.step(late, Input::Tick))[..], [(0, Err(_))]));
    assert_eq!(answers(&reconciler.step(late, written(1))), []);
}

#[test]
fn nothing_is_read_while_something_is_written() {
    let (scene, mut reconciler) = landing();
    for input in [Input::Look, Input::Tick] {
        assert!(!observes(&reconciler.step(scene.now.after(scene.policy.resync), input)));
    }
}

#[test]
fn a_call_that_comes_while_something_lands_waits_for_a_reading_of_its_own() {
    let (scene, mut reconciler) = landing();
    reconciler.step(scene.now, Input::Call { id: CallId(1), call: announce(2) });
    let commands = reconciler.step(scene.now, Input::Performed(Ok(Written::default())));
    assert_eq!((observes(&commands), answers(&commands)), (true, vec![]));
}

#[test]
fn calls_that_were_read_for_are_not_promised_what_a_landing_does_not_write() {
    let mut scene = Scene::new();
    let mut reconciler = idle(&scene);
    scene.on_auto(1, introduce("app", "staging", 1));
    scene.check(1, CheckState::Success);
    let commands = call_and_observe(&mut reconciler, &scene, &[announce(2)]);
    assert!(matches!(effect(&commands), Some(Effect::Land { .. })));
    assert_eq!(answers(&commands), []);
    assert_eq!(answers(&reconciler.step(scene.now, Input::Performed(Ok(Written::default())))), []);
}

#[test]
fn races_that_are_lost_again_and_again_are_given_a_pause() {
    let mut scene = Scene::new();
    scene.accept(introduce("app", "staging", 1));
    let mut reconciler = started(&scene);
    for lost in 1..=6 {
        assert!(effect(&reconciler.step(scene.now, observed(&scene))).is_some());
        let commands = reconciler.step(scene.now, Input::Performed(Err(Failure::Stale)));
        assert_eq!(observes(&commands), lost <= 5, "{lost}");
        assert!(lost <= 5 || woken_at(&commands).is_some_and(|at| at > scene.now));
    }
}

#[test]
fn a_declined_landing_is_told_until_one_passes() {
    let (mut scene, mut reconciler) = landing();
    let told = trouble(&reconciler.step(scene.now, declined()));
    assert!(told.len() == 1 && told[0].contains("secret found"), "{told:?}");
    assert_eq!(trouble(&reconciler.step(scene.now, observed(&scene))), told);
    scene.now = scene.now.after(Duration::from_secs(1));
    reconciler.step(scene.now, Input::Tick);
    assert!(matches!(effect(&reconciler.step(scene.now, observed(&scene))), Some(Effect::Land { .. })));
    reconciler.step(scene.now, Input::Performed(Ok(Written::default())));
    assert_eq!(trouble(&reconciler.step(scene.now, observed(&scene))), [""; 0]);
}

#[test]
fn a_remote_that_is_back_is_no_trouble_any_more() {
    let scene = Scene::new();
    let mut reconciler = started(&scene);
    let told = trouble(&reconciler.step(scene.now, down(Retry::Backoff)));
    assert_eq!(told, ["connection refused"]);
    let later = scene.now.after(Duration::from_secs(1));
    assert!(observes(&reconciler.step(later, Input::Tick)));
    reconciler.step(later, observed(&scene));
    reconciler.step(later, Input::Look);
    assert_eq!(trouble(&reconciler.step(later, observed(&scene))), [""; 0]);
}

#[test]
fn checks_are_asked_for_by_whoever_acts_and_not_by_whoever_only_observes() {
    let mut scene = Scene::new();
    scene.capabilities.requests_checks = true;
    assert!(
        !requests_checks(&started(&scene).step(scene.now, observed(&scene))),
        "there are none to ask for"
    );
    scene.on_auto(1, introduce("app", "staging", 1));
    assert!(requests_checks(&started(&scene).step(scene.now, observed(&scene))));
    scene.policy.mode = Mode::Observe;
    assert!(!requests_checks(&started(&scene).step(scene.now, observed(&scene))));
}

#[test]
fn what_could_not_be_rendered_is_forgotten_once_auto_is_written() {
    let mut scene = Scene::new();
    for n in [1, 2] {
        scene.accept(introduce("app", "staging", n));
    }
    let mut reconciler = started(&scene);
    assert_eq!(on_auto(&reconciler.step(scene.now, observed(&scene))).len(), 2);
    reconciler.step(scene.now, unrendered(1, Culprit::Intent));
    assert_eq!(on_auto(&reconciler.step(scene.now, observed(&scene))).len(), 1, "without the guilty one");
    reconciler.step(scene.now, written(2));
    assert_eq!(
        on_auto(&reconciler.step(scene.now, observed(&scene))).len(),
        2,
        "state names it as live still"
    );
}
