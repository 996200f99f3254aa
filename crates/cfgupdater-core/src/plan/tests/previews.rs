//! What an announcement would come to; nothing is written for the question.

use super::*;
use crate::call::Previewed;

fn preview(scene: &Scene, n: u8) -> Previewed {
    let asked = call(Request::Preview(announcement("app", n)));
    let decision = decide(&scene.snapshot(), &scene.policy, &[&asked], &Scope::default());
    match decision.replies.into_iter().next() {
        Some(Reply::Now(Ok(Answer::Previewed(told)))) => told,
        other => panic!("{other:?}"),
    }
}

/// What would change, as people read it.
fn changes(scene: &Scene, n: u8) -> Vec<String> {
    preview(scene, n).changes.iter().map(ToString::to_string).collect()
}

#[test]
fn what_would_go_onto_auto_is_told_from_what_would_wait() {
    let mut scene = Scene::new();
    let told = preview(&scene, 1);
    assert_eq!((told.intent, told.outcome), (intent(1).id, Outcome::Committed));
    let held = Record::Held { wave: "staging".parse().unwrap(), note: note("ops", "incident", scene.now) };
    scene.state.apply(&held, scene.now);
    assert_eq!(preview(&scene, 1).outcome, Outcome::Queued);
}

#[test]
fn what_would_change_is_told_against_what_the_wave_is_about_to_have() {
    let mut scene = Scene::new();
    assert_eq!(changes(&scene, 3), ["web: nothing -> r.example.com/web:v3"]);
    scene.person_pushes(1, &[("staging", 1)]);
    scene.state.stable_seen = Some(commit(1));
    assert_eq!(changes(&scene, 3), ["web: r.example.com/web:v1 -> r.example.com/web:v3"]);
    scene.on_auto(2, Intent { accepted_on: commit(1), ..intent(2) });
    assert_eq!(changes(&scene, 3), ["web: r.example.com/web:v2 -> r.example.com/web:v3"]);
}

#[test]
fn what_was_announced_before_would_change_nothing() {
    let mut scene = Scene::new();
    scene.on_auto(1, intent(1));
    let told = preview(&scene, 1);
    assert_eq!((told.outcome, told.changes), (Outcome::Duplicate, Vec::new()));
    scene.person_pushes(5, &[("staging", 5)]);
    assert_eq!(preview(&scene, 5).outcome, Outcome::Unchanged);
}
