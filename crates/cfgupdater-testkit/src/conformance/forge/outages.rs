//! What goes wrong is told, and told apart from an empty answer.

use std::time::Duration;

use cfgupdater_core::{CheckState, CommitId, Error, ErrorKind, ObjectId, Retry, Verdict, explain};

use super::case::{CaseResult, Unmet, broken, ensure};
use super::harness::{ForgeHarness, Trouble};
use super::scene::{CI, Scene};
use crate::conformance::dropping::drop_after;

/// How often a call is polled before it is dropped.
const POLLS: usize = 12;

pub(super) async fn a_commit_the_forge_does_not_know_yet_has_no_checks(
    harness: &dyn ForgeHarness,
) -> CaseResult {
    let scene = Scene::set(harness).await;
    let known = scene.green_commit().await?;
    let stranger = stranger_like(known);
    let checks = match scene.forge.checks(&[stranger, known]).await {
        Ok(checks) => checks,
        Err(error) => return broken(format!("a commit nobody knows yet fails: {}", explain(&error))),
    };
    let runs = checks.get(&stranger).map_or(0, Vec::len);
    ensure!(runs == 0, "a commit nobody knows has {runs} checks");
    ensure!(checks.get(&known).is_some_and(|runs| runs.len() == 1), "the known commit's check is lost");
    Ok(())
}

/// Returns an id of the same format that no commit has.
fn stranger_like(known: CommitId) -> CommitId {
    let bytes: Vec<u8> = known.object_id().as_bytes().iter().map(|byte| !byte).collect();
    CommitId::new(ObjectId::from_bytes(&bytes).expect("as long as the other"))
}

pub(super) async fn a_commit_known_later_shows_its_checks(harness: &dyn ForgeHarness) -> CaseResult {
    let scene = Scene::set(harness).await;
    let commit = harness.commit().await;
    scene.post(commit, CI, &CheckState::Success).await?;
    harness.cause(Trouble::CommitUnknown(commit)).await?;
    let early = scene.verdict(commit, CI).await?;
    ensure!(early == Verdict::Missing, "a commit that the API doesn't know is {early:?}");
    harness.cure().await;
    let later = scene.verdict(commit, CI).await?;
    ensure!(later == Verdict::Green, "once the API knows the commit, it is {later:?}");
    Ok(())
}

pub(super) async fn a_repository_that_is_gone_is_an_error(harness: &dyn ForgeHarness) -> CaseResult {
    let error = refused(harness, Trouble::RepositoryGone).await?;
    let kinds = [ErrorKind::NotFound, ErrorKind::Forbidden];
    ensure!(kinds.contains(&error.kind()), "its kind is {:?}, not one of {kinds:?}", error.kind());
    Ok(())
}

pub(super) async fn a_rate_limit_is_told_with_its_advice(harness: &dyn ForgeHarness) -> CaseResult {
    let after = Duration::from_mins(7);
    let error = refused(harness, Trouble::RateLimited { after: Some(after) }).await?;
    ensure!(error.kind() == ErrorKind::RateLimited, "its kind is {:?}", error.kind());
    let Retry::After(pause) = error.retry() else {
        return broken(format!("the forge said {after:?}, the advice is {:?}", error.retry()));
    };
    // Some forges name a point in time, in whole seconds, by their own clock.
    let near = after.abs_diff(pause) <= Duration::from_mins(1);
    ensure!(near, "the forge said {after:?}, the advice is {pause:?}");
    Ok(())
}

pub(super) async fn a_rate_limit_without_advice_may_be_tried_again(harness: &dyn ForgeHarness) -> CaseResult {
    let error = refused(harness, Trouble::RateLimited { after: None }).await?;
    ensure!(error.kind() == ErrorKind::RateLimited, "its kind is {:?}", error.kind());
    ensure!(error.retry() != Retry::Never, "the advice is never to try again");
    Ok(())
}

pub(super) async fn an_outage_may_be_tried_again(harness: &dyn ForgeHarness) -> CaseResult {
    let error = refused(harness, Trouble::Unavailable).await?;
    ensure!(error.kind() == ErrorKind::Unavailable, "its kind is {:?}", error.kind());
    ensure!(error.retry() != Retry::Never, "the advice is never to try again");
    Ok(())
}

pub(super) async fn a_revoked_token_is_an_error(harness: &dyn ForgeHarness) -> CaseResult {
    let error = refused(harness, Trouble::TokenRevoked).await?;
    ensure!(error.kind() == ErrorKind::Unauthenticated, "its kind is {:?}", error.kind());
    Ok(())
}

pub(super) async fn an_expired_token_is_renewed(harness: &dyn ForgeHarness) -> CaseResult {
    let scene = Scene::set(harness).await;
    let commit = scene.green_commit().await?;
    harness.cause(Trouble::TokenExpired).await?;
    let verdict = scene.verdict(commit, CI).await?;
    ensure!(verdict == Verdict::Green, "after the token expired, a green commit is {verdict:?}");
    Ok(())
}

pub(super) async fn a_missing_right_is_an_error(harness: &dyn ForgeHarness) -> CaseResult {
    let error = refused(harness, Trouble::ChecksForbidden).await?;
    let kinds = [ErrorKind::Forbidden, ErrorKind::NotFound];
    ensure!(kinds.contains(&error.kind()), "its kind is {:?}, not one of {kinds:?}", error.kind());
    Ok(())
}

/// Causes a trouble and returns the error that reading checks meets.
async fn refused(harness: &dyn ForgeHarness, trouble: Trouble) -> Result<Error, Unmet> {
    let scene = Scene::set(harness).await;
    let commit = scene.green_commit().await?;
    harness.cause(trouble).await?;
    let error = scene.refusal(commit).await?;
    ensure!(!error.to_string().trim().is_empty(), "the error of {trouble:?} says nothing");
    Ok(error)
}

pub(super) async fn what_failed_works_once_the_trouble_is_over(harness: &dyn ForgeHarness) -> CaseResult {
    let scene = Scene::set(harness).await;
    let commit = scene.green_commit().await?;
    harness.cause(Trouble::Unavailable).await?;
    scene.refusal(commit).await?;
    harness.cure().await;
    let verdict = scene.verdict(commit, CI).await?;
    ensure!(verdict == Verdict::Green, "after an outage, a green commit is {verdict:?}");
    Ok(())
}

pub(super) async fn calls_at_once_are_all_answered(harness: &dyn ForgeHarness) -> CaseResult {
    let scene = Scene::set(harness).await;
    let (green, red) = (scene.green_commit().await?, harness.commit().await);
    scene.post(red, CI, &CheckState::Failure).await?;
    let (first, second, _, third) = tokio::join!(
        scene.verdict(green, CI),
        scene.verdict(red, CI),
        scene.forge.required_checks(),
        scene.verdict(green, CI),
    );
    let verdicts = [first?, second?, third?];
    let expected = [Verdict::Green, Verdict::Red, Verdict::Green];
    ensure!(verdicts == expected, "calls at once answer {verdicts:?}, not {expected:?}");
    Ok(())
}

pub(super) async fn a_cancelled_call_leaves_nothing_behind(harness: &dyn ForgeHarness) -> CaseResult {
    let scene = Scene::set(harness).await;
    let commit = scene.green_commit().await?;
    for polls in 1..=POLLS {
        drop_after(polls, scene.forge.checks(&[commit])).await;
        let verdict = scene.verdict(commit, CI).await?;
        ensure!(verdict == Verdict::Green, "after a call was dropped, a green commit is {verdict:?}");
    }
    Ok(())
}
