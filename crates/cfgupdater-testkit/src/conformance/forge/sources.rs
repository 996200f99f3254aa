//! Who said it.

use cfgupdater_core::{CheckState, RequiredChecks, Verdict, verdict};

use super::case::{CaseResult, Unable, Unmet, ensure};
use super::harness::{CheckKind, ForgeHarness};
use super::scene::{CI, Scene};

const FAILURE: CheckState = CheckState::Failure;
const SUCCESS: CheckState = CheckState::Success;

pub(super) async fn sources_are_kept(harness: &dyn ForgeHarness) -> CaseResult {
    let scene = Scene::set(harness).await;
    for (kind, [first, second]) in told_apart(harness)? {
        for source in [&first, &second] {
            let commit = harness.commit().await;
            scene.post_as(commit, &kind, Some(source), CI, &SUCCESS).await?;
            let read: Vec<_> = scene.runs(commit).await?.into_iter().map(|run| run.source).collect();
            ensure!(read == [Some(source.clone())], "a {} by {source} is read as by {read:?}", kind.name);
        }
    }
    Ok(())
}

pub(super) async fn what_one_source_says_is_not_said_by_another(harness: &dyn ForgeHarness) -> CaseResult {
    let scene = Scene::set(harness).await;
    for (kind, [first, second]) in told_apart(harness)? {
        let commit = harness.commit().await;
        scene.post_as(commit, &kind, Some(&first), CI, &FAILURE).await?;
        scene.post_as(commit, &kind, Some(&second), CI, &SUCCESS).await?;
        // A forge may let the second replace the first; it is still not the first who says so.
        let by_first = scene.verdict_by(commit, &first).await?;
        ensure!(by_first != Verdict::Green, "{second} passed it, and as a check of {first} it is green");
        let by_second = scene.verdict_by(commit, &second).await?;
        ensure!(by_second == Verdict::Green, "{second} passed it last, and its check is {by_second:?}");
    }
    Ok(())
}

pub(super) async fn a_failure_is_not_hidden_by_an_earlier_source(harness: &dyn ForgeHarness) -> CaseResult {
    let scene = Scene::set(harness).await;
    for (kind, [first, second]) in told_apart(harness)? {
        let commit = harness.commit().await;
        scene.post_as(commit, &kind, Some(&first), CI, &SUCCESS).await?;
        scene.post_as(commit, &kind, Some(&second), CI, &FAILURE).await?;
        let by_any = scene.verdict(commit, CI).await?;
        ensure!(by_any == Verdict::Red, "{second} failed it last, and by whichever source it is {by_any:?}");
    }
    Ok(())
}

pub(super) async fn a_name_in_two_kinds_must_pass_in_both(harness: &dyn ForgeHarness) -> CaseResult {
    let scene = Scene::set(harness).await;
    let kinds = harness.kinds();
    let [one, other, ..] = kinds.as_slice() else {
        return Err(Unable::to("report a name in two kinds").into());
    };
    for (passes, fails) in [(one, other), (other, one)] {
        let commit = harness.commit().await;
        scene.post_as(commit, fails, None, CI, &FAILURE).await?;
        scene.post_as(commit, passes, None, CI, &SUCCESS).await?;
        let runs = scene.runs(commit).await?;
        let verdict = verdict(&RequiredChecks::named([CI]), &runs);
        let (passed, failed) = (&passes.name, &fails.name);
        ensure!(verdict == Verdict::Red, "passed as {passed}, failed as {failed}: {verdict:?}");
    }
    Ok(())
}

/// Returns the kinds that tell who reports, with two who do.
fn told_apart(harness: &dyn ForgeHarness) -> Result<Vec<(CheckKind, [String; 2])>, Unmet> {
    let two = |kind: CheckKind| {
        let sources = kind.sources.get(..2)?.to_vec().try_into().ok()?;
        Some((kind, sources))
    };
    let told: Vec<_> = harness.kinds().into_iter().filter_map(two).collect();
    if told.is_empty() { Err(Unable::to("report as one of two sources").into()) } else { Ok(told) }
}
