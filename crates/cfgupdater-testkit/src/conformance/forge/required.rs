//! What the forge itself requires.

use std::collections::BTreeSet;

use cfgupdater_core::{Error, ErrorKind, RequiredCheck, RequiredChecks, Verdict, explain, verdict};

use super::case::{CaseResult, Unable, Unmet, broken, ensure};
use super::harness::{ForgeHarness, Trouble};
use super::scene::{CI, Scene};

pub(super) async fn no_required_set_is_none(harness: &dyn ForgeHarness) -> CaseResult {
    let read = required(&Scene::set(harness).await).await?;
    ensure!(read.is_none(), "the stable branch requires nothing yet, and it reads {read:?}");
    Ok(())
}

pub(super) async fn the_required_set_is_read(harness: &dyn ForgeHarness) -> CaseResult {
    let names = ["ci", "ci/lint (stable, x86)", "Ünit tests"].map(RequiredCheck::named);
    requires(harness, &names).await
}

pub(super) async fn a_required_source_is_kept(harness: &dyn ForgeHarness) -> CaseResult {
    let source = harness.kinds().into_iter().find_map(|kind| kind.sources.into_iter().next());
    let Some(source) = source else { return Err(Unable::to("report as one of two sources").into()) };
    let bound = RequiredCheck { name: CI.to_owned(), source: Some(source) };
    requires(harness, &[bound, RequiredCheck::named("lint")]).await
}

/// Requires these checks, and reads them.
async fn requires(harness: &dyn ForgeHarness, checks: &[RequiredCheck]) -> CaseResult {
    let scene = Scene::set(harness).await;
    harness.require(checks).await?;
    let read = required(&scene).await?.unwrap_or_default();
    let expected: BTreeSet<RequiredCheck> = checks.iter().cloned().collect();
    ensure!(read.checks == expected, "the forge requires {expected:?}, the adapter reads {:?}", read.checks);
    ensure!(!read.allow_empty, "an adapter never allows an empty set");
    Ok(())
}

pub(super) async fn a_changed_required_set_is_seen(harness: &dyn ForgeHarness) -> CaseResult {
    let scene = Scene::set(harness).await;
    for name in ["one", "another"] {
        harness.require(&[RequiredCheck::named(name)]).await?;
        let read = required(&scene).await?;
        let expected = RequiredChecks::named([name]);
        ensure!(read.as_ref() == Some(&expected), "`{name}` is required, the same adapter reads {read:?}");
    }
    Ok(())
}

pub(super) async fn an_empty_required_set_allows_nothing(harness: &dyn ForgeHarness) -> CaseResult {
    let scene = Scene::set(harness).await;
    let commit = scene.green_commit().await?;
    harness.require(&[]).await?;
    let read = required(&scene).await?.unwrap_or_default();
    let verdict = verdict(&read, &scene.runs(commit).await?);
    ensure!(verdict == Verdict::Missing, "nothing is required, and a commit is {verdict:?} by {read:?}");
    Ok(())
}

pub(super) async fn a_required_set_that_may_not_be_read_is_an_error(
    harness: &dyn ForgeHarness,
) -> CaseResult {
    let error = unreadable(harness, Trouble::RequiredForbidden).await?;
    let kinds = [ErrorKind::Forbidden, ErrorKind::NotFound];
    ensure!(kinds.contains(&error.kind()), "its kind is {:?}, not one of {kinds:?}", error.kind());
    Ok(())
}

pub(super) async fn a_required_set_that_is_out_of_reach_is_an_error(
    harness: &dyn ForgeHarness,
) -> CaseResult {
    let error = unreadable(harness, Trouble::Unavailable).await?;
    ensure!(error.kind() == ErrorKind::Unavailable, "its kind is {:?}", error.kind());
    Ok(())
}

async fn unreadable(harness: &dyn ForgeHarness, trouble: Trouble) -> Result<Error, Unmet> {
    let scene = Scene::set(harness).await;
    harness.require(&[RequiredCheck::named(CI)]).await?;
    harness.cause(trouble).await?;
    match scene.forge.required_checks().await {
        Err(error) => Ok(error),
        Ok(read) => broken(format!("{trouble:?}: the answer is {read:?} where it must be an error")),
    }
}

async fn required(scene: &Scene<'_>) -> Result<Option<RequiredChecks>, Unmet> {
    match scene.forge.required_checks().await {
        Ok(read) => Ok(read),
        Err(error) => broken(format!("the required checks could not be read: {}", explain(&error))),
    }
}
