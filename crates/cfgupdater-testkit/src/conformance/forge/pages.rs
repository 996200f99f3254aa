//! Complete, or an error.

use std::collections::BTreeSet;

use cfgupdater_core::{CheckState, CommitId, Verdict, explain};

use super::case::{CaseResult, Unmet, broken, ensure};
use super::harness::{CheckKind, ForgeHarness, Posted, Trouble};
use super::scene::{CI, Scene, word_for};

pub(super) async fn one_check_is_complete(harness: &dyn ForgeHarness) -> CaseResult {
    complete(harness, 1).await
}

pub(super) async fn a_full_page_is_complete(harness: &dyn ForgeHarness) -> CaseResult {
    complete(harness, 100).await
}

pub(super) async fn a_full_page_and_one_is_complete(harness: &dyn ForgeHarness) -> CaseResult {
    complete(harness, 101).await
}

pub(super) async fn three_pages_are_complete(harness: &dyn ForgeHarness) -> CaseResult {
    complete(harness, 250).await
}

/// Sees all of `count` checks in the answer. 100 is what forges put on a page at most.
async fn complete(harness: &dyn ForgeHarness, count: usize) -> CaseResult {
    let scene = Scene::set(harness).await;
    for kind in harness.kinds() {
        let commit = harness.commit().await;
        let posted = post_many(harness, commit, &kind, count).await?;
        let runs = scene.runs(commit).await?;
        let read: BTreeSet<String> = runs.into_iter().map(|run| run.name).collect();
        let (kind, lost) = (&kind.name, posted.difference(&read).collect::<Vec<_>>());
        ensure!(lost.is_empty(), "of {count} checks ({kind}) {} are lost: {lost:?}", lost.len());
        ensure!(read.len() == count, "of {count} checks ({kind}) {} are made", read.len());
    }
    Ok(())
}

async fn post_many(
    harness: &dyn ForgeHarness,
    commit: CommitId,
    kind: &CheckKind,
    count: usize,
) -> Result<BTreeSet<String>, Unmet> {
    let passed = word_for(kind, &CheckState::Success)?;
    let names: BTreeSet<String> = (1..=count).map(|number| format!("check-{number}")).collect();
    let posted: Vec<Posted> = names.iter().map(|name| Posted::new(&kind.name, name, passed)).collect();
    harness.post_all(commit, &posted).await?;
    Ok(names)
}

pub(super) async fn the_oldest_failure_is_seen(harness: &dyn ForgeHarness) -> CaseResult {
    let scene = Scene::set(harness).await;
    for kind in harness.kinds() {
        let commit = harness.commit().await;
        scene.post_as(commit, &kind, None, CI, &CheckState::Failure).await?;
        post_many(harness, commit, &kind, 205).await?;
        scene.post_as(commit, &kind, None, "last", &CheckState::Failure).await?;
        for name in [CI, "last"] {
            let verdict = scene.verdict(commit, name).await?;
            ensure!(verdict == Verdict::Red, "`{name}` failed among 207 checks, and is {verdict:?}");
        }
    }
    Ok(())
}

pub(super) async fn many_commits_are_answered_at_once(harness: &dyn ForgeHarness) -> CaseResult {
    let scene = Scene::set(harness).await;
    let mut commits = Vec::new();
    for number in 0..30 {
        let commit = harness.commit().await;
        scene.post(commit, &format!("check-{number}"), &CheckState::Success).await?;
        commits.push(commit);
    }
    let checks = match scene.forge.checks(&commits).await {
        Ok(checks) => checks,
        Err(error) => return broken(explain(&error)),
    };
    for (number, commit) in commits.iter().enumerate() {
        let names: Vec<&str> =
            checks.get(commit).into_iter().flatten().map(|run| run.name.as_str()).collect();
        ensure!(names == [format!("check-{number}")], "commit {number} of 30 has the checks {names:?}");
    }
    Ok(())
}

pub(super) async fn a_page_that_fails_fails_the_whole(harness: &dyn ForgeHarness) -> CaseResult {
    for page in [1, 2, 3] {
        spoilt(harness, Trouble::PageFails(page)).await?;
    }
    for page in [2, 3] {
        // Not every list has pages that can be missing.
        match spoilt(harness, Trouble::PageIsMissing(page)).await {
            Err(Unmet::Unable(_)) => {}
            result => result?,
        }
    }
    Ok(())
}

pub(super) async fn a_page_that_is_cut_fails_the_whole(harness: &dyn ForgeHarness) -> CaseResult {
    for page in [1, 2, 3] {
        spoilt(harness, Trouble::PageIsCut(page)).await?;
    }
    Ok(())
}

pub(super) async fn a_page_that_leaves_something_out_fails_the_whole(
    harness: &dyn ForgeHarness,
) -> CaseResult {
    spoilt(harness, Trouble::PageIsShort).await
}

/// Sees an error where one of two commits can't be read whole.
async fn spoilt(harness: &dyn ForgeHarness, trouble: Trouble) -> CaseResult {
    let scene = Scene::set(harness).await;
    harness.cause(trouble).await?;
    harness.cure().await;
    for kind in harness.kinds() {
        let commit = harness.commit().await;
        post_many(harness, commit, &kind, 250).await?;
        let other = scene.green_commit().await?;
        harness.cause(trouble).await?;
        let answer = scene.forge.checks(&[other, commit]).await;
        harness.cure().await;
        let answered = answer.ok().map(|checks| checks.get(&commit).map_or(0, Vec::len));
        ensure!(answered.is_none(), "{trouble:?} ({}): the answer has {answered:?} of 250", kind.name);
    }
    Ok(())
}
