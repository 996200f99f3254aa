//! The service's own check of generated files.

use std::time::Duration;

use cfgupdater::View;
use cfgupdater::core::{
    CommitId, End, GitRepo, IntentId, NewCommit, Outcome, RenderFailure, RenderFailureKind, TreeEdit, Verdict,
};

use crate::in_memory::{PATIENCE, end, push};
use crate::place::{Place, says};

/// Long enough for nothing to happen by it.
const NEVER: Duration = Duration::from_hours(1);

fn verdict_of(view: &View, commit: CommitId) -> Verdict {
    view.snapshot.as_ref().unwrap().verdict_of(&commit)
}

fn has_landed(id: IntentId) -> impl Fn(&View) -> bool {
    move |view| matches!(end(view, id), Some(End::Landed { .. }))
}

#[tokio::test]
async fn a_rendering_that_hangs_keeps_nobody_waiting_and_decides_nothing() {
    let mut place = Place::new(true);
    let told = place.announce(1).await;
    place.policy.resync = NEVER;
    let place = place.restart(|renderer| renderer.hold(true)).await;
    place.renderer.wait_until_asked(1).await;
    place.pass(told.commit.unwrap());
    let view = place.repo.fresh_view(PATIENCE).await;
    assert_eq!(verdict_of(&view, told.commit.unwrap()), Verdict::Pending);
    assert!(says(&view, "are being rendered") && end(&view, told.intent).is_none(), "{:?}", view.why);
    assert_eq!(place.announce(1).await.outcome, Outcome::Duplicate);
    assert_eq!(place.renderer.asked(), 1, "one at a time, and none twice");
    // Its end is heard of at once, without any other reason to look.
    place.renderer.hold(false);
    let view = place.wait_for("its landing", has_landed(told.intent)).await;
    assert!(!says(&view, "are being rendered"), "{:?}", view.why);
    assert!(place.renderer.asked() <= 2, "stable at most beside it");
    place.engine.stop().await;
}

#[tokio::test]
async fn what_is_rendered_for_no_branch_any_more_is_given_up() {
    let place = Place::new(true).restart(|renderer| renderer.hold(true)).await;
    place.renderer.wait_until_asked(1).await;
    let tip = push(&place.server, "README", "newer\n", "docs: newer");
    // One is rendered at a time, so the first has ended.
    place.renderer.wait_until_asked(2).await;
    place.renderer.hold(false);
    let is_known = |view: &View| {
        view.snapshot.as_ref().is_some_and(|snapshot| snapshot.branches.stable == tip)
            && !says(view, "are being rendered")
    };
    place.wait_for("what is known of the newer one", is_known).await;
    assert_eq!(place.renderer.asked(), 2);
    place.engine.stop().await;
}

#[tokio::test]
async fn a_place_that_can_not_render_is_told_and_tried_again_and_makes_nothing_red() {
    let mut place = Place::new(true);
    let told = place.announce(1).await;
    place.policy.resync = NEVER;
    let failure = RenderFailure::new(RenderFailureKind::Environment, "no make here");
    let place = place.restart(|renderer| renderer.fail(Some(failure))).await;
    place.wait_for("why it waits", |view| says(view, "no make here; it is tried again")).await;
    place.pass(told.commit.unwrap());
    let view = place.repo.fresh_view(PATIENCE).await;
    assert_eq!((verdict_of(&view, told.commit.unwrap()), end(&view, told.intent)), (Verdict::Pending, None));
    place.renderer.fail(None);
    place.wait_for("its landing", has_landed(told.intent)).await;
    place.engine.stop().await;
}

#[tokio::test]
async fn a_tool_that_is_missing_after_a_restart_makes_no_commit_red() {
    let place = Place::new(true);
    let told = place.announce(1).await;
    let failure = RenderFailure::new(RenderFailureKind::Tree, "jsonnet: not found");
    let place = place.restart(|renderer| renderer.fail(Some(failure))).await;
    place.wait_for("why it waits", |view| says(view, "nobody is blamed")).await;
    place.pass(told.commit.unwrap());
    let view = place.repo.fresh_view(PATIENCE).await;
    assert_eq!(end(&view, told.intent), None);
    assert_eq!(view.snapshot.as_ref().unwrap().chain.len(), 1);
    place.renderer.fail(None);
    place.wait_for("its landing once the tool is back", has_landed(told.intent)).await;
    place.engine.stop().await;
}

#[tokio::test]
async fn a_commit_that_holds_something_else_is_red_where_stable_proves_the_renderer() {
    let place = Place::new(true);
    let told = place.announce(1).await;
    let repo = place.server.repo();
    let ours = repo.commit(&told.commit.unwrap()).unwrap();
    let blob = repo.write_blob(b"forged\n").unwrap();
    let edit = TreeEdit::file("generated/images.json".parse().unwrap(), blob);
    let identity = &place.policy.identity;
    let forged = NewCommit::new(
        repo.edit_tree(Some(&ours.tree), &[edit]).unwrap(),
        ours.parents.clone(),
        (&identity.name, &identity.email),
        ours.committed_at,
        ours.message.clone(),
    );
    let forged = repo.write_commit(&forged).unwrap();
    repo.set_ref(&place.policy.auto.to_ref(), Some(*forged.object_id()));
    for commit in [ours.parents[0], forged] {
        place.pass(commit);
    }
    let evicted = |view: &View| matches!(end(view, told.intent), Some(End::Evicted { evidence }) if evidence.commit == forged);
    place.wait_for("its eviction", evicted).await;
    place.engine.stop().await;
}
