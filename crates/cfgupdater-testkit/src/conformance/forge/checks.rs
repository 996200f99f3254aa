//! What checks say.

use std::collections::BTreeSet;

use cfgupdater_core::{CheckState, RequiredChecks, Verdict, explain, verdict};

use super::case::{CaseResult, broken, ensure};
use super::harness::{ForgeHarness, Posted};
use super::scene::{CI, Scene};

const FAILURE: CheckState = CheckState::Failure;
const SUCCESS: CheckState = CheckState::Success;

/// Words that no forge documents, some of them close to one that it does.
const UNKNOWN_WORDS: [&str; 7] =
    ["vindicated", "succes", "successful_maybe", "not success", "SUCCESS?", "passed-ish", "0"];

/// Names that get lost where they are split, trimmed, folded or put into a URL.
const AWKWARD_NAMES: [&str; 8] = [
    "ci/build (ubuntu, 22.04)",
    "a name with spaces",
    "UPPER and lower",
    "ünïcode ✓",
    "100%2Fslash",
    "quote\"and\\backslash",
    "[brackets]*?",
    "a/b/../c?d=e&f=g#h",
];

pub(super) async fn a_commit_without_checks_has_none(harness: &dyn ForgeHarness) -> CaseResult {
    let scene = Scene::set(harness).await;
    let runs = scene.runs(harness.commit().await).await?;
    ensure!(runs.is_empty(), "a commit that nothing was said of has {runs:?}");
    Ok(())
}

pub(super) async fn asking_for_no_commit_is_answered(harness: &dyn ForgeHarness) -> CaseResult {
    let scene = Scene::set(harness).await;
    scene.green_commit().await?;
    match scene.forge.checks(&[]).await {
        Ok(checks) => ensure!(checks.is_empty(), "nothing was asked for, and the answer is {checks:?}"),
        Err(error) => return broken(format!("nothing was asked for, and it fails: {}", explain(&error))),
    }
    Ok(())
}

pub(super) async fn every_conclusion_means_what_the_forge_documents(
    harness: &dyn ForgeHarness,
) -> CaseResult {
    let scene = Scene::set(harness).await;
    for kind in harness.kinds() {
        for (word, expected) in &kind.words {
            let commit = harness.commit().await;
            harness.post(commit, &Posted::new(&kind.name, CI, word)).await?;
            let runs = scene.runs(commit).await?;
            let [run] = runs.as_slice() else { return broken(format!("one `{word}` is read as {runs:?}")) };
            let same = std::mem::discriminant(&run.state) == std::mem::discriminant(expected);
            ensure!(same, "{} `{word}` is {:?}, not {expected:?}", kind.name, run.state);
        }
    }
    Ok(())
}

pub(super) async fn an_unknown_conclusion_is_neither_green_nor_red(harness: &dyn ForgeHarness) -> CaseResult {
    let scene = Scene::set(harness).await;
    for kind in harness.kinds() {
        for word in UNKNOWN_WORDS {
            let commit = harness.commit().await;
            harness.post(commit, &Posted::new(&kind.name, CI, word)).await?;
            // To refuse the whole answer is safe too.
            let Ok(mut checks) = scene.forge.checks(&[commit]).await else { continue };
            let runs = checks.remove(&commit).unwrap_or_default();
            ensure!(!runs.is_empty(), "{} `{word}` is left out", kind.name);
            let verdict = verdict(&RequiredChecks::named([CI]), &runs);
            ensure!(verdict == Verdict::Pending, "{} `{word}` is {verdict:?}", kind.name);
        }
    }
    Ok(())
}

pub(super) async fn the_latest_attempt_counts(harness: &dyn ForgeHarness) -> CaseResult {
    let scene = Scene::set(harness).await;
    for kind in harness.kinds() {
        let red = [&SUCCESS, &FAILURE];
        let green = [&FAILURE, &SUCCESS];
        let green_at_last = [&SUCCESS, &FAILURE, &FAILURE, &SUCCESS];
        for attempts in [red.as_slice(), &green, &green_at_last] {
            let commit = harness.commit().await;
            for state in attempts {
                scene.post_as(commit, &kind, None, CI, state).await?;
            }
            let verdict = scene.verdict(commit, CI).await?;
            let expected = if attempts.last() == Some(&&SUCCESS) { Verdict::Green } else { Verdict::Red };
            ensure!(verdict == expected, "the {} attempts {attempts:?} are {verdict:?}", kind.name);
        }
    }
    Ok(())
}

pub(super) async fn a_check_that_runs_again_is_pending(harness: &dyn ForgeHarness) -> CaseResult {
    let scene = Scene::set(harness).await;
    for kind in harness.kinds() {
        for first in [SUCCESS, FAILURE] {
            let commit = harness.commit().await;
            scene.post_as(commit, &kind, None, CI, &first).await?;
            scene.post_as(commit, &kind, None, CI, &CheckState::Running).await?;
            let verdict = scene.verdict(commit, CI).await?;
            ensure!(verdict == Verdict::Pending, "{first:?} that runs again is {verdict:?}");
        }
    }
    Ok(())
}

pub(super) async fn results_belong_to_their_sha(harness: &dyn ForgeHarness) -> CaseResult {
    let scene = Scene::set(harness).await;
    let [green, red, silent] = [harness.commit().await, harness.commit().await, harness.commit().await];
    scene.post(green, CI, &SUCCESS).await?;
    scene.post(red, CI, &FAILURE).await?;
    let expected = [(green, Verdict::Green), (red, Verdict::Red), (silent, Verdict::Missing)];
    let together = match scene.forge.checks(&[green, red, silent]).await {
        Ok(checks) => checks,
        Err(error) => return broken(explain(&error)),
    };
    for (commit, expected) in expected {
        let alone = scene.verdict(commit, CI).await?;
        ensure!(alone == expected, "a commit that is {expected:?} reads as {alone:?}");
        let runs = together.get(&commit).map_or(&[][..], Vec::as_slice);
        let among = verdict(&RequiredChecks::named([CI]), runs);
        ensure!(among == expected, "a commit that is {expected:?} reads as {among:?} among others");
    }
    Ok(())
}

pub(super) async fn only_commits_asked_for_are_answered(harness: &dyn ForgeHarness) -> CaseResult {
    let scene = Scene::set(harness).await;
    let (asked, other) = (scene.green_commit().await?, scene.green_commit().await?);
    let checks = match scene.forge.checks(&[asked, asked]).await {
        Ok(checks) => checks,
        Err(error) => return broken(format!("a commit asked for twice fails: {}", explain(&error))),
    };
    ensure!(!checks.contains_key(&other), "{other} was not asked for");
    ensure!(checks.len() == 1, "one commit was asked for, {} are answered", checks.len());
    Ok(())
}

pub(super) async fn names_are_kept_as_they_are(harness: &dyn ForgeHarness) -> CaseResult {
    let scene = Scene::set(harness).await;
    for kind in harness.kinds() {
        let commit = harness.commit().await;
        for name in AWKWARD_NAMES {
            scene.post_as(commit, &kind, None, name, &SUCCESS).await?;
        }
        let read: BTreeSet<String> = scene.runs(commit).await?.into_iter().map(|run| run.name).collect();
        let posted: BTreeSet<String> = AWKWARD_NAMES.iter().map(|name| (*name).to_owned()).collect();
        ensure!(read == posted, "{} names {posted:?} are read as {read:?}", kind.name);
    }
    Ok(())
}

pub(super) async fn names_that_resemble_each_other_are_different_checks(
    harness: &dyn ForgeHarness,
) -> CaseResult {
    let scene = Scene::set(harness).await;
    let commit = harness.commit().await;
    for name in ["ci", "ci ", "CI", "ci/build", "my ci"] {
        let state = if name == "ci" { FAILURE } else { SUCCESS };
        scene.post(commit, name, &state).await?;
    }
    let (ci, build) = (scene.verdict(commit, "ci").await?, scene.verdict(commit, "ci/build").await?);
    ensure!(ci == Verdict::Red, "`ci` failed, others passed, and it is {ci:?}");
    ensure!(build == Verdict::Green, "`ci/build` passed, `ci` failed, and it is {build:?}");
    Ok(())
}

pub(super) async fn a_second_read_sees_what_changed(harness: &dyn ForgeHarness) -> CaseResult {
    let scene = Scene::set(harness).await;
    let commit = harness.commit().await;
    ensure!(scene.verdict(commit, CI).await? == Verdict::Missing, "nothing was said yet");
    for (state, expected) in [(SUCCESS, Verdict::Green), (FAILURE, Verdict::Red), (SUCCESS, Verdict::Green)] {
        scene.post(commit, CI, &state).await?;
        let verdict = scene.verdict(commit, CI).await?;
        ensure!(verdict == expected, "the newest attempt is {state:?}, the same adapter reads {verdict:?}");
    }
    Ok(())
}
