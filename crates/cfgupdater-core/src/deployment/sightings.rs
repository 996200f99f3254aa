//! What a deploy tool answers when it is asked, beside what it sends.

use super::*;
use crate::call::{Answer, Call, Request, Sighting};
use crate::plan::{Effect, Reply, Scope, decide};
use crate::promote::{Progress, Step};
use crate::record::DeploymentStatus::{Failed, Succeeded};
use crate::record::Record;
use crate::testing::{self, Scene, at};

fn said(target: &str, n: u8, status: DeploymentStatus) -> DeploymentReport {
    DeploymentReport {
        wave: "staging".parse().unwrap(),
        target: target.parse().unwrap(),
        status,
        claim: Claim::Revision(testing::commit(n)),
        set: None,
        observed_at: None,
    }
}

/// Releases 1 and 2 came into staging with commits 1 and 2.
fn two_releases() -> Scene {
    let mut scene = Scene::new();
    for n in [1, 2] {
        scene.land(n, &testing::introduce("app", "staging", n), n);
    }
    scene
}

/// Makes a call and applies what it leads to; tells whether it was recorded.
fn take(scene: &mut Scene, request: Request) -> bool {
    let call = Call::new("argocd", request);
    let decision = decide(&scene.snapshot(), &scene.policy, &[&call], &Scope::default());
    if let Some(Effect::Write(transaction)) = &decision.plan.effect {
        for record in transaction.records.iter().filter(|r| matches!(r, Record::Reported { .. })) {
            scene.state.apply(record, scene.now);
        }
    }
    match &decision.replies[0] {
        Reply::Now(Ok(Answer::Reported(answer))) | Reply::OnceWritten(Answer::Reported(answer)) => {
            answer.recorded
        }
        other => panic!("{other:?}"),
    }
}

fn sight(scene: &mut Scene, report: DeploymentReport) -> bool {
    let asked_at = scene.now;
    scene.now = scene.now.after(std::time::Duration::from_secs(1));
    let recorded = take(scene, Request::Sight(Sighting { report, asked_at }));
    // The next question is asked once this answer is recorded.
    scene.now = scene.now.after(std::time::Duration::from_secs(1));
    recorded
}

fn promotes(scene: &Scene) -> bool {
    let (set, waves) = (&scene.policy.sets[0], &scene.policy.waves);
    let (state, history, now) = (&scene.state, &scene.history, scene.now);
    let progress = Step { set, from: &waves[0], to: &waves[1], state, history, now }.progress();
    matches!(progress, Progress::Promote { .. })
}

#[test]
fn a_word_that_was_sent_moves_no_target_back_and_an_answer_does() {
    let mut scene = two_releases();
    assert!(take(&mut scene, Request::Report(said("staging-1", 2, Succeeded))));
    scene.now = at(1100);
    assert!(!take(&mut scene, Request::Report(said("staging-1", 1, Succeeded))));
    assert!(sight(&mut scene, said("staging-1", 1, Succeeded)));
    let newest = &scene.state.targets.values().next().unwrap().newest;
    assert_eq!((newest.revision, newest.asked_at), (Some(testing::commit(1)), Some(at(1100))));
}

#[test]
fn what_a_target_no_longer_runs_proves_nothing() {
    let mut scene = two_releases();
    for target in ["staging-1", "staging-2"] {
        take(&mut scene, Request::Report(said(target, 2, Succeeded)));
    }
    assert!(promotes(&scene));
    scene.now = at(1100);
    sight(&mut scene, said("staging-1", 1, Succeeded));
    assert!(!promotes(&scene), "an early success that was taken back");
    sight(&mut scene, said("staging-1", 2, Succeeded));
    assert!(promotes(&scene));
}

#[test]
fn an_answer_that_is_older_than_the_last_word_moves_nothing_back() {
    let mut scene = two_releases();
    scene.now = at(1100);
    take(&mut scene, Request::Report(said("staging-1", 2, Succeeded)));
    let sighting = |n, status| Sighting { report: said("staging-1", n, status), asked_at: at(1099) };
    assert!(!take(&mut scene, Request::Sight(sighting(1, Succeeded))));
    assert!(!take(&mut scene, Request::Sight(sighting(2, Failed))), "of the same revision, too");
    scene.land(3, &testing::introduce("app", "staging", 3), 3);
    assert!(take(&mut scene, Request::Sight(sighting(3, Failed))), "something newer");
}

#[test]
fn an_answer_that_names_releases_is_ordered_by_what_they_brought() {
    let mut scene = two_releases();
    let told = |n: u8| {
        let claim = Claim::Release(testing::images(&[("web", n)]).release());
        DeploymentReport { claim, ..said("staging-1", n, Succeeded) }
    };
    scene.now = at(1100);
    take(&mut scene, Request::Report(told(1)));
    let asked = |n, seconds| Request::Sight(Sighting { report: told(n), asked_at: at(seconds) });
    assert!(take(&mut scene, asked(2, 1099)), "something newer");
    scene.now = at(1200);
    assert!(!take(&mut scene, asked(1, 1100)), "it contradicts a word that was heard since");
}

#[test]
fn a_target_that_is_back_at_what_it_ran_before_is_news() {
    let mut scene = two_releases();
    for n in [1, 2] {
        assert!(take(&mut scene, Request::Report(said("staging-1", n, Succeeded))));
    }
    scene.now = at(1100);
    assert!(sight(&mut scene, said("staging-1", 1, Succeeded)), "what it said of release 1 counts still");
}

#[test]
fn an_answer_heals_a_lost_word_and_repeats_nothing() {
    let mut scene = two_releases();
    assert!(sight(&mut scene, said("staging-1", 2, Succeeded)));
    assert!(!sight(&mut scene, said("staging-1", 2, Succeeded)));
    assert!(sight(&mut scene, said("staging-1", 2, Failed)));
    assert!(sight(&mut scene, said("staging-1", 2, Succeeded)));
}

#[test]
fn a_success_that_is_sent_again_after_a_failure_changes_nothing() {
    let mut scene = two_releases();
    let seen =
        |status, seconds| DeploymentReport { observed_at: Some(at(seconds)), ..said("staging-1", 2, status) };
    assert!(take(&mut scene, Request::Report(seen(Succeeded, 500))));
    assert!(take(&mut scene, Request::Report(seen(Failed, 600))));
    assert!(!take(&mut scene, Request::Report(seen(Succeeded, 500))));
}

#[test]
fn what_repeats_itself_is_known_without_a_reading() {
    let mut scene = two_releases();
    let (policy, report) = (scene.policy.clone(), said("staging-1", 2, Succeeded));
    let news = |scene: &Scene, report: &DeploymentReport, asked: Option<Timestamp>| {
        is_news(report, asked, &policy, &scene.snapshot())
    };
    assert!(news(&scene, &report, None));
    take(&mut scene, Request::Report(report.clone()));
    assert!(!news(&scene, &report, None));
    // A commit that changes no images is the same release; one that isn't known yet may be anything.
    scene.person_pushes(3, &[]);
    assert!(!news(&scene, &said("staging-1", 3, Succeeded), None));
    assert!(news(&scene, &said("staging-1", 4, Succeeded), None));
    assert!(news(&scene, &said("staging-1", 3, Failed), None));
    assert!(!news(&scene, &said("staging-1", 1, Succeeded), None), "older");
    assert!(news(&scene, &said("staging-1", 1, Succeeded), Some(at(2000))), "moved back");
}

/// What a target's tool sends of a revision, and when it saw it.
fn seen(n: u8, status: DeploymentStatus, seconds: i64) -> DeploymentReport {
    DeploymentReport { observed_at: Some(at(seconds)), ..said("staging-1", n, status) }
}

#[test]
fn a_word_seen_before_the_target_was_asked_restores_nothing_that_the_answer_took_back() {
    let mut scene = two_releases();
    take(&mut scene, Request::Report(said("staging-2", 2, Succeeded)));
    assert!(take(&mut scene, Request::Report(seen(2, Succeeded, 500))));
    assert!(promotes(&scene));
    scene.now = at(1100);
    assert!(sight(&mut scene, said("staging-1", 1, Succeeded)));
    assert!(!take(&mut scene, Request::Report(seen(2, Succeeded, 500))), "replayed");
    assert!(!take(&mut scene, Request::Report(seen(2, Succeeded, 1100))), "as old as the question");
    // What is heard since doesn't make it any newer.
    assert!(take(&mut scene, Request::Report(seen(1, Failed, 1150))));
    assert!(!take(&mut scene, Request::Report(seen(2, Succeeded, 500))), "replayed once more");
    assert!(!promotes(&scene));
    assert!(take(&mut scene, Request::Report(seen(2, Succeeded, 1200))), "deployed again");
    assert!(promotes(&scene));
}

#[test]
fn an_answer_to_an_older_question_restores_nothing_either() {
    let mut scene = two_releases();
    take(&mut scene, Request::Report(said("staging-1", 2, Succeeded)));
    scene.now = at(1100);
    assert!(sight(&mut scene, said("staging-1", 1, Succeeded)));
    let crossed = Sighting { report: said("staging-1", 2, Succeeded), asked_at: at(1099) };
    assert!(!take(&mut scene, Request::Sight(crossed)));
}

#[test]
fn releases_and_revisions_are_ordered_by_what_they_brought() {
    let mut scene = two_releases();
    let release = |n: u8| Claim::Release(testing::images(&[("web", n)]).release());
    let told = |n: u8| DeploymentReport { claim: release(n), ..said("staging-1", n, Succeeded) };
    assert!(take(&mut scene, Request::Report(told(2))));
    assert!(!take(&mut scene, Request::Report(seen(1, Failed, 400))), "an older revision");
    assert!(!take(&mut scene, Request::Report(told(1))), "an older release");
    assert!(take(&mut scene, Request::Report(seen(2, Failed, 600))));
    assert!(!take(&mut scene, Request::Report(told(1))), "an older release than the revision's");
    // A release that came in again is known by its last introduction: only time tells which one was meant.
    scene.person_pushes(3, &[("staging", 1)]);
    let early = DeploymentReport { observed_at: Some(at(550)), ..told(1) };
    assert!(!take(&mut scene, Request::Report(early)));
    let later = DeploymentReport { observed_at: Some(at(650)), ..told(1) };
    assert!(take(&mut scene, Request::Report(later.clone())));
    scene.person_pushes(4, &[("staging", 2)]);
    scene.person_pushes(5, &[("staging", 1)]);
    assert!(!take(&mut scene, Request::Report(later)), "the same word is not about what came in since");
}

#[test]
fn a_revision_without_images_is_no_news_once_it_is_known() {
    let mut scene = Scene::new();
    scene.person_pushes(1, &[]);
    let (policy, snapshot) = (scene.policy.clone(), scene.snapshot());
    assert!(!is_news(&said("staging-1", 1, Succeeded), None, &policy, &snapshot));
    assert!(is_news(&said("staging-1", 2, Succeeded), None, &policy, &snapshot), "it isn't known yet");
    let release = Claim::Release(testing::images(&[("web", 1)]).release());
    let told = DeploymentReport { claim: release, ..said("staging-1", 1, Succeeded) };
    assert!(is_news(&told, None, &policy, &snapshot), "it may have come in since");
}

#[test]
fn a_success_from_between_two_failures_comes_too_late() {
    let mut scene = two_releases();
    scene.person_pushes(3, &[]);
    scene.person_pushes(4, &[]);
    take(&mut scene, Request::Report(said("staging-2", 2, Succeeded)));
    assert!(take(&mut scene, Request::Report(said("staging-1", 2, Failed))));
    assert!(take(&mut scene, Request::Report(said("staging-1", 4, Failed))), "it fails further on");
    assert!(!take(&mut scene, Request::Report(said("staging-1", 4, Failed))), "repeated");
    assert!(!take(&mut scene, Request::Report(said("staging-1", 3, Succeeded))), "from between");
    assert!(!promotes(&scene));
    assert!(take(&mut scene, Request::Report(said("staging-1", 4, Succeeded))), "mended");
    assert!(promotes(&scene));
}
