//! In which order announcements count, and what was announced before.

use super::*;
use crate::call::Refusal;
use crate::intent::Announcement;
use crate::policy::SetPolicy;
use crate::state::SequenceFloor;

fn sequenced(set: &str, n: u8, sequence: Option<u64>) -> Announcement {
    Announcement { sequence, ..announcement(set, n) }
}

/// What an announcement comes to, or the field that is refused.
fn announced(scene: &Scene, announced: Announcement) -> Result<Outcome, Option<&'static str>> {
    let announce = call(Request::Announce(announced));
    let decision = decide(&scene.snapshot(), &scene.policy, &[&announce], &Scope::default());
    match &decision.replies[0] {
        Reply::Now(Err(Refusal { field, .. })) => Err(*field),
        reply => Ok(outcome(reply)),
    }
}

/// An accepted announcement with this sequence.
fn accepted(n: u8, sequence: u64) -> Intent {
    let said = sequenced("app", n, Some(sequence));
    let action = Action::Introduce { app_sha: said.app_sha, sequence: said.sequence, attempt: 1 };
    Intent { id: said.intent_id(), action, ..intent(n) }
}

#[test]
fn sets_are_ordered_each_for_itself() {
    let mut scene = Scene::new();
    scene.policy.sets.push(SetPolicy::new("db".parse().unwrap()));
    scene.accept(accepted(1, 9));
    assert_eq!(announced(&scene, sequenced("db", 2, Some(3))), Ok(Outcome::Queued));
    assert_eq!(announced(&scene, sequenced("db", 2, None)), Ok(Outcome::Queued));
    assert_eq!(announced(&scene, sequenced("app", 2, Some(3))), Ok(Outcome::Stale));
    assert_eq!(announced(&scene, sequenced("other", 2, None)), Err(Some("set")));
}

#[test]
fn a_sequence_that_failed_by_its_own_fault_makes_no_lower_one_stale() {
    let mut scene = Scene::new();
    let failed = accepted(1, 9);
    scene.accept(accepted(2, 5));
    scene.accept(failed.clone());
    assert_eq!(announced(&scene, sequenced("app", 3, Some(7))), Ok(Outcome::Stale));
    scene.state.apply(&ended(failed.id, End::Refused { reason: "hook".to_owned() }), scene.now);
    assert_eq!(announced(&scene, sequenced("app", 3, Some(7))), Ok(Outcome::Queued));
    assert_eq!(announced(&scene, sequenced("app", 3, Some(4))), Ok(Outcome::Stale));
}

#[test]
fn what_is_left_of_old_announcements_still_orders_new_ones() {
    let mut scene = Scene::new();
    let floor = SequenceFloor { highest: Some(5), unordered: false };
    scene.state.sequences.insert("app".parse().unwrap(), floor);
    assert_eq!(announced(&scene, sequenced("app", 1, Some(4))), Ok(Outcome::Stale));
    assert_eq!(announced(&scene, sequenced("app", 1, Some(6))), Ok(Outcome::Queued));
    assert_eq!(announced(&scene, sequenced("app", 1, None)), Err(Some("sequence")));
    let floor = SequenceFloor { highest: None, unordered: true };
    scene.state.sequences.insert("app".parse().unwrap(), floor);
    assert_eq!(announced(&scene, sequenced("app", 1, Some(6))), Err(Some("sequence")));
    assert_eq!(announced(&scene, sequenced("app", 1, None)), Ok(Outcome::Queued));
}
