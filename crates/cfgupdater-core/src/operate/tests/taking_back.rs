//! What is taken back, tried again, or not waited for any more.

use super::*;

fn back(to: u8) -> Operation {
    Operation::RollBack { wave: staging(), to: commit(to), reason: why() }
}

fn retry(intent: &Intent) -> Operation {
    Operation::Retry { intent: intent.id, reason: why() }
}

/// Stable's commit `n` holds release `r` in staging.
fn holds(scene: &mut Scene, n: u8, r: u8) {
    let releases = [(Scene::slot("staging"), images(&[("web", r)]).release())].into();
    scene.revisions.insert(commit(n), Some(Revision { on_stable: true, releases }));
}

#[test]
fn going_back_to_what_is_there_only_holds_the_wave() {
    let mut scene = two_releases();
    holds(&mut scene, 2, 2);
    let operated = act(&mut scene, back(2)).unwrap();
    assert!(matches!(&operated.records[..], [Record::Held { .. }]), "{operated:?}");
}

#[test]
fn a_wave_that_is_held_already_is_not_held_again() {
    let mut scene = two_releases();
    act(&mut scene, Operation::Hold { wave: staging(), reason: why() }).unwrap();
    let operated = act(&mut scene, back(1)).unwrap();
    assert!(matches!(&operated.records[..], [Record::Accepted { .. }]), "{operated:?}");
}

#[test]
fn a_rollback_that_waits_is_what_the_wave_will_have() {
    let mut scene = two_releases();
    holds(&mut scene, 2, 2);
    act(&mut scene, back(1)).unwrap();
    let forth = act(&mut scene, back(2)).unwrap();
    assert_eq!(forth.intents.len(), 1, "it would not stay where it is");
    assert_eq!(act(&mut scene, back(1)).unwrap().intents.len(), 1, "the one that was asked for last counts");
}

#[test]
fn each_time_the_same_way_is_taken_back_has_a_number_of_its_own() {
    let mut scene = two_releases();
    let mut numbers = Vec::new();
    for _ in 0..3 {
        let id = act(&mut scene, back(1)).unwrap().intents[0];
        numbers.push(scene.state.intents[&id].intent.action.attempt());
        scene.state.apply(&ended(id, End::Landed { commit: commit(3) }), scene.now);
    }
    assert_eq!(numbers, [1, 2, 3]);
}

#[test]
fn an_announcement_that_waits_is_no_way_back() {
    let mut scene = two_releases();
    scene.accept(introduce("app", "staging", 1));
    assert_eq!(act(&mut scene, back(1)).unwrap().intents.len(), 1);
}

#[test]
fn what_a_rollback_of_another_wave_wants_says_nothing_of_this_one() {
    let mut scene = two_releases();
    let action = crate::intent::Action::RollBack { config_sha: commit(1), number: 1 };
    scene.accept(Intent { action, ..introduce("app", "internal", 1) });
    assert_eq!(act(&mut scene, back(1)).unwrap().intents.len(), 1);
}

#[test]
fn images_that_were_not_read_are_asked_for_again() {
    let mut scene = two_releases();
    scene.images.clear();
    let refused = act(&mut scene, back(1)).unwrap_err();
    assert_eq!(refused.kind, RefusalKind::Unavailable);
    assert!(
        scene.state.live().is_empty()
            && !changes(&mut scene, Operation::Release { wave: staging(), reason: why() })
    );
}

#[test]
fn a_retry_looks_at_what_came_into_its_own_slot_alone() {
    let mut scene = Scene::new();
    scene.person_pushes(5, &[("staging", 9)]);
    let intent = Intent { accepted_on: commit(5), ..introduce("app", "staging", 1) };
    scene.accept(intent.clone());
    evict(&mut scene, intent.id);
    // Neither what was there before nor what other waves got is newer.
    scene.person_pushes(6, &[("internal", 9)]);
    scene.accept(introduce("app", "internal", 2));
    scene.accept(introduce("db", "staging", 3));
    assert!(changes(&mut scene, retry(&intent)));
}

#[test]
fn a_retry_goes_before_nothing_newer_that_landed() {
    let mut scene = Scene::new();
    let (old, new) = (introduce("app", "staging", 1), introduce("app", "staging", 2));
    scene.accept(old.clone());
    evict(&mut scene, old.id);
    scene.accept(new.clone());
    scene.state.apply(&ended(new.id, End::Landed { commit: commit(2) }), scene.now);
    let refused = act(&mut scene, retry(&old)).unwrap_err();
    assert!(refused.detail.contains(&format!("intent {} came into wave `staging`", new.id)), "{refused}");
    let landed = act(&mut scene, retry(&new)).unwrap_err();
    assert!(landed.detail.contains("there is nothing to retry"), "{landed}");
}

#[test]
fn a_waiver_that_is_over_needs_no_end() {
    let mut scene = Scene::new();
    assert!(changes(&mut scene, waive(Some(at(2000)))));
    scene.now = at(2000);
    assert!(!changes(&mut scene, waive(Some(at(500)))));
    assert!(!changes(&mut scene, waive(Some(at(2000)))), "nor is one begun that is over at once");
    assert!(changes(&mut scene, waive(None)));
}
