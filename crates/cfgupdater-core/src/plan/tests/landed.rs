//! What stable's history says has landed, and what it doesn't.

use super::*;

#[test]
fn a_landing_of_what_state_never_accepted_is_nothing_to_record() {
    let mut scene = Scene::new();
    scene.landed.insert(intent(1).id, commit(0));
    assert_eq!(scene.plan().effect, None, "it would be recorded again each time");
}

#[test]
fn a_landing_by_another_intents_commit_is_no_landing_of_ours() {
    let mut scene = chain_of(&[RUNNING, RUNNING]);
    scene.chain.clear();
    scene.land(2, &intent(1), 1);
    scene.landed.insert(intent(1).id, commit(2));
    let end = End::Subsumed { by: By::Commit(commit(2)) };
    assert!(ends(&write(scene.plan())).contains(&(intent(1).id, &end)), "state names commit 2 for intent 2");
}

#[test]
fn a_copy_of_what_was_evicted_as_another_commit_subsumes_it() {
    let mut scene = chain_of(&[]);
    evict(&mut scene, 1);
    scene.land(9, &intent(1), 1);
    let end = End::Subsumed { by: By::Commit(commit(9)) };
    assert_eq!(ends(&write(scene.plan())), [(intent(1).id, &end)]);
}

#[test]
fn a_repeated_announcement_is_told_the_commit_on_auto_or_else_the_one_on_stable() {
    let mut scene = chain_of(&[RUNNING, RUNNING]);
    let told = |scene: &Scene, n| {
        let announce = call(Request::Announce(announcement("app", n)));
        let decision = decide(&scene.snapshot(), &scene.policy, &[&announce], &Scope::default());
        match decision.replies.into_iter().next() {
            Some(Reply::Now(Ok(Answer::Announced(told)))) => (told.outcome, told.commit, told.end),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(told(&scene, 2), (Outcome::Duplicate, Some(commit(2)), None));
    // One that state has forgotten is still known by its commit.
    scene.land(7, &intent(7), 7);
    scene.state.stable_seen = Some(commit(7));
    scene.state.intents.clear();
    scene.chain.clear();
    let end = End::Landed { commit: commit(7) };
    assert_eq!(told(&scene, 7), (Outcome::Duplicate, Some(commit(7)), Some(end)));
}

#[test]
fn a_stable_tip_that_changed_nothing_of_ours_needs_its_own_verdict() {
    let mut scene = chain_of(&[None]);
    scene.chain.clear();
    scene.person_pushes(1, &[]);
    assert_eq!(scene.snapshot().stable_verdict(), Verdict::Missing, "although state names it");
}
