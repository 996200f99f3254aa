//! Which releases may move on at all, and what is read and told of them.

use super::*;
use crate::object_id::CommitId;
use crate::record::DeploymentStatus::{Failed, Succeeded};
use crate::record::Record;
use crate::testing::{self, Scene, at, commit, images, introduce, promote};

fn step(scene: &Scene, from: usize) -> Step<'_> {
    let (set, waves) = (&scene.policy.sets[0], &scene.policy.waves);
    let (state, history, now) = (&scene.state, &scene.history, scene.now);
    Step { set, from: &waves[from], to: &waves[from + 1], state, history, now }
}

fn promoted(scene: &Scene) -> Option<CommitId> {
    match step(scene, 0).progress() {
        Progress::Promote { introduction, .. } => Some(introduction.commit),
        _ => None,
    }
}

fn waits(scene: &Scene) -> String {
    match step(scene, 0).progress() {
        Progress::Wait(reason) => reason.to_string(),
        other => panic!("{other:?}"),
    }
}

fn reported(scene: &mut Scene, n: u8, release: u8) {
    for target in ["staging-1", "staging-2"] {
        scene.report("staging", target, n, release, Succeeded);
    }
}

fn release(n: u8) -> Release {
    images(&[("web", n)]).release()
}

/// Releases 1 and 2 came into staging with commits 1 and 2.
fn two_releases() -> Scene {
    let mut scene = Scene::new();
    for n in [1, 2] {
        scene.land(n, &introduce("app", "staging", n), n);
    }
    scene
}

fn waive(scene: &mut Scene, target: &str, until: Option<Timestamp>) {
    let note = crate::plan::note("ops", "cluster is gone", scene.now);
    let (wave, target) = ("staging".parse().unwrap(), target.parse().unwrap());
    scene.state.apply(&Record::Waived { wave, target, until, note }, scene.now);
}

#[test]
fn what_came_in_after_what_the_next_wave_has_moves_on() {
    let mut scene = two_releases();
    scene.land(3, &promote("app", "staging", "internal", 1), 1);
    reported(&mut scene, 2, 2);
    assert_eq!(promoted(&scene), Some(commit(2)));
}

#[test]
fn a_commit_that_edits_both_waves_leaves_nothing_to_promote() {
    let mut scene = two_releases();
    scene.person_pushes(3, &[("staging", 8), ("internal", 9)]);
    reported(&mut scene, 3, 8);
    assert_eq!(step(&scene, 0).progress(), Progress::Nothing);
}

#[test]
fn what_the_next_wave_has_is_not_promoted_again_although_it_came_in_again() {
    let mut scene = two_releases();
    scene.land(3, &promote("app", "staging", "internal", 1), 1);
    scene.person_pushes(4, &[("staging", 1)]);
    reported(&mut scene, 4, 1);
    assert_eq!(step(&scene, 0).progress(), Progress::Nothing);
}

#[test]
fn images_that_are_gone_are_no_release() {
    let mut scene = two_releases();
    let changed = [(Scene::slot("staging"), None)].into();
    let (intent, writes, app_sha) = (None, None, None);
    scene.history.push(crate::history::HistoryCommit { id: commit(3), intent, writes, app_sha, changed });
    reported(&mut scene, 2, 2);
    assert_eq!(promoted(&scene), Some(commit(2)));
    assert_eq!(step(&scene, 0).promotable().iter().map(|c| c.commit).collect::<Vec<_>>(), [2, 1].map(commit));
}

#[test]
fn a_release_that_came_in_twice_is_one_candidate_at_its_last_place() {
    let mut scene = two_releases();
    scene.person_pushes(3, &[("staging", 1)]);
    assert_eq!(step(&scene, 0).promotable().iter().map(|c| c.commit).collect::<Vec<_>>(), [3, 2].map(commit));
}

#[test]
fn an_unlanded_promotion_counts_as_what_the_next_wave_has() {
    let mut scene = two_releases();
    scene.accept(promote("app", "staging", "internal", 2));
    reported(&mut scene, 1, 1);
    assert_eq!(step(&scene, 0).progress(), Progress::Nothing);
}

#[test]
fn promotions_of_other_waves_and_sets_count_for_nothing_here() {
    let mut scene = two_releases();
    reported(&mut scene, 2, 2);
    for other in [promote("app", "internal", "production", 2), promote("db", "staging", "internal", 2)] {
        scene.accept(other);
        assert!(!step(&scene, 0).is_under_way());
        assert_eq!(promoted(&scene), Some(commit(2)));
    }
    scene.accept(promote("app", "staging", "internal", 2));
    assert!(step(&scene, 0).is_under_way());
}

#[test]
fn a_promotion_that_ended_is_not_under_way() {
    let mut scene = two_releases();
    let promotion = promote("app", "staging", "internal", 2);
    let (id, reason) = (promotion.id, "held".to_owned());
    scene.accept(promotion);
    scene.state.apply(&crate::plan::ended(id, crate::end::End::Withdrawn { reason, actor: None }), scene.now);
    assert!(!step(&scene, 0).is_under_way());
}

#[test]
fn a_rollback_of_the_next_wave_is_no_promotion_under_way() {
    let mut scene = two_releases();
    let action = Action::RollBack { config_sha: commit(2), number: 1 };
    scene.accept(Intent { action, ..promote("app", "staging", "internal", 2) });
    assert!(!step(&scene, 0).is_under_way());
}

#[test]
fn a_waived_target_is_neither_waited_for_nor_believed() {
    let mut scene = two_releases();
    scene.report("staging", "staging-1", 2, 2, Succeeded);
    scene.report("staging", "staging-2", 2, 2, Failed);
    assert!(waits(&scene).contains("staging-2 reported"));
    waive(&mut scene, "staging-2", None);
    assert_eq!(promoted(&scene), Some(commit(2)));
    let waited_for: Vec<String> = step(&scene, 0).waited_for().map(ToString::to_string).collect();
    assert_eq!(waited_for, ["staging-1"]);
}

#[test]
fn a_waiver_is_over_at_its_time() {
    let mut scene = two_releases();
    scene.report("staging", "staging-1", 2, 2, Succeeded);
    waive(&mut scene, "staging-2", Some(at(2000)));
    scene.now = at(1999);
    assert_eq!(promoted(&scene), Some(commit(2)));
    scene.now = at(2000);
    assert_eq!(promoted(&scene), None);
}

#[test]
fn a_report_of_a_waived_target_has_images_read_since_the_waiver_may_end() {
    let mut scene = Scene::new();
    for n in 1..=30 {
        scene.land(n, &introduce("app", "staging", n), n);
    }
    waive(&mut scene, "staging-1", None);
    scene.report("staging", "staging-1", 2, 2, Succeeded);
    assert!(step(&scene, 0).promotable().iter().any(|candidate| candidate.commit == commit(2)));
}

#[test]
fn the_proven_release_is_told_whatever_stands_against_it() {
    let mut scene = two_releases();
    assert_eq!(step(&scene, 0).proven(), None);
    reported(&mut scene, 1, 1);
    scene.policy.waves[1].approval = true;
    assert_eq!(step(&scene, 0).proven(), Some(release(1)));
}

#[test]
fn soaking_starts_with_the_last_targets_first_report() {
    let mut scene = two_releases();
    scene.policy.waves[0].soak = std::time::Duration::from_mins(1);
    scene.report("staging", "staging-1", 2, 2, Succeeded);
    scene.now = at(1100);
    scene.report("staging", "staging-2", 2, 2, Succeeded);
    scene.now = at(1150);
    scene.report("staging", "staging-1", 2, 2, Succeeded);
    scene.now = at(1159);
    assert!(waits(&scene).ends_with("(until 1970-01-01T00:19:20Z)"), "{}", waits(&scene));
    scene.now = at(1160);
    assert_eq!(promoted(&scene), Some(commit(2)));
}

#[test]
fn an_approval_lets_in_the_release_it_names_and_no_other() {
    let mut scene = two_releases();
    reported(&mut scene, 2, 2);
    scene.policy.waves[1].approval = true;
    let (wave, set) = Scene::slot("internal");
    let note = crate::plan::note("ops", "looks fine", scene.now);
    scene.state.apply(&Record::Approved { wave, set, release: release(1), note }, scene.now);
    assert!(waits(&scene).contains("needs an operator's approval"));
    scene.policy.waves[1].approval = false;
    assert_eq!(promoted(&scene), Some(commit(2)), "where none is needed none is missing");
}

#[test]
fn whoever_is_waited_for_is_named_with_the_release() {
    let mut scene = two_releases();
    scene.report("staging", "staging-1", 2, 2, Succeeded);
    let short = release(2).short();
    assert_eq!(waits(&scene), format!("wave staging: waiting for staging-2 to report release {short}"));
    let (changed, intent, writes) = ([(Scene::slot("staging"), Some(release(3)))].into(), None, None);
    let app_sha = Some(testing::app_sha(3));
    scene.history.push(crate::history::HistoryCommit { id: commit(3), intent, writes, app_sha, changed });
    let labelled = format!("release {} (app 0303030303)", release(3).short());
    assert!(waits(&scene).ends_with(&format!("waiting for staging-1, staging-2 to report {labelled}")));
}
