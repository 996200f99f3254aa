//! What only some forges can do.

use cfgupdater_core::{
    Capabilities, CheckState, CommitId, ErrorKind, ForgeAction, ForgeAnswer, Verdict, explain,
};

use super::case::{CaseResult, Unmet, broken, ensure};
use super::harness::{ForgeHarness, Trouble};
use super::scene::{CI, Scene};

pub(super) async fn what_is_not_declared_is_unsupported(harness: &dyn ForgeHarness) -> CaseResult {
    let scene = Scene::set(harness).await;
    let commit = harness.commit().await;
    let capabilities = scene.forge.capabilities();
    let actions = [
        (capabilities.requests_checks, request(commit)),
        (capabilities.takes_reports, report(commit, CheckState::Success)),
        (capabilities.keeps_evidence, ForgeAction::ReadEvidence { commit, context: CI.to_owned() }),
    ];
    for (_, action) in actions.into_iter().filter(|(declared, _)| !declared) {
        let text = format!("{action:?}");
        let answer = scene.forge.perform(action).await;
        let kind = answer.as_ref().err().map(cfgupdater_core::Error::kind);
        ensure!(kind == Some(ErrorKind::Unsupported), "{text} is not declared, and answers {answer:?}");
    }
    Ok(())
}

pub(super) async fn a_requested_check_gets_a_result(harness: &dyn ForgeHarness) -> CaseResult {
    let scene = declaring(harness, "request checks", |can| can.requests_checks).await?;
    let commit = harness.commit().await;
    done(&scene, request(commit)).await?;
    harness.settle().await?;
    let runs = scene.runs(commit).await?;
    ensure!(runs.iter().any(|run| run.state.is_finished()), "a requested check ended as {runs:?}");
    Ok(())
}

pub(super) async fn asking_again_starts_nothing(harness: &dyn ForgeHarness) -> CaseResult {
    let scene = declaring(harness, "request checks", |can| can.requests_checks).await?;
    let commit = harness.commit().await;
    done(&scene, request(commit)).await?;
    harness.settle().await?;
    let before = scene.runs(commit).await?;
    done(&scene, request(commit)).await?;
    harness.settle().await?;
    let after = scene.runs(commit).await?;
    ensure!(before == after, "a check that had ended was run again: {before:?}, then {after:?}");
    Ok(())
}

pub(super) async fn a_report_is_read_back(harness: &dyn ForgeHarness) -> CaseResult {
    let scene = declaring(harness, "take reports", |can| can.takes_reports).await?;
    for state in [CheckState::Running, CheckState::Success, CheckState::Failure] {
        let commit = harness.commit().await;
        done(&scene, report(commit, state.clone())).await?;
        let runs = scene.runs(commit).await?;
        let [run] = runs.as_slice() else { return broken(format!("one report is read as {runs:?}")) };
        let read = (run.name.as_str(), &run.state, run.source.as_deref());
        ensure!(read == (CI, &state, Some("reporter")), "a report of {state:?} is read as {run:?}");
        ensure!(run.link.as_deref() == Some("https://ci.example.com/7"), "its link is {:?}", run.link);
        ensure!(run.summary.as_deref() == Some("all of it"), "its summary is {:?}", run.summary);
    }
    Ok(())
}

pub(super) async fn a_later_report_counts(harness: &dyn ForgeHarness) -> CaseResult {
    let scene = declaring(harness, "take reports", |can| can.takes_reports).await?;
    let commit = harness.commit().await;
    for (state, expected) in [
        (CheckState::Success, Verdict::Green),
        (CheckState::Failure, Verdict::Red),
        (CheckState::Running, Verdict::Pending),
        (CheckState::Success, Verdict::Green),
    ] {
        done(&scene, report(commit, state.clone())).await?;
        let verdict = scene.verdict(commit, CI).await?;
        ensure!(verdict == expected, "{state:?} was reported last, and it is {verdict:?}");
    }
    Ok(())
}

pub(super) async fn a_report_in_unknown_words_never_passes(harness: &dyn ForgeHarness) -> CaseResult {
    let scene = declaring(harness, "take reports", |can| can.takes_reports).await?;
    let commit = harness.commit().await;
    let unknown = report(commit, CheckState::Unknown("vindicated".to_owned()));
    if let Err(error) = scene.forge.perform(unknown).await {
        ensure!(error.kind() == ErrorKind::Invalid, "it is refused as {:?}", error.kind());
    }
    let verdict = scene.verdict(commit, CI).await?;
    let harmless = [Verdict::Pending, Verdict::Missing].contains(&verdict);
    ensure!(harmless, "a report in unknown words makes a commit {verdict:?}");
    Ok(())
}

pub(super) async fn evidence_of_an_unknown_check_is_none(harness: &dyn ForgeHarness) -> CaseResult {
    let scene = declaring(harness, "keep evidence", |can| can.keeps_evidence).await?;
    let commit = scene.green_commit().await?;
    let read = ForgeAction::ReadEvidence { commit, context: "no such check".to_owned() };
    match scene.forge.perform(read).await {
        Ok(ForgeAnswer::Evidence(None)) => Ok(()),
        other => broken(format!("evidence of a check that never was is {other:?}")),
    }
}

pub(super) async fn preflight_is_quiet_where_all_is_well(harness: &dyn ForgeHarness) -> CaseResult {
    let scene = Scene::set(harness).await;
    let fatal = match scene.forge.preflight().await {
        Ok(findings) => findings.into_iter().find(|finding| finding.fatal),
        Err(error) => return broken(format!("preflight fails: {}", explain(&error))),
    };
    ensure!(fatal.is_none(), "all is well, and preflight finds {fatal:?}");
    Ok(())
}

pub(super) async fn preflight_tells_of_a_revoked_token(harness: &dyn ForgeHarness) -> CaseResult {
    let scene = Scene::set(harness).await;
    harness.cause(Trouble::TokenRevoked).await?;
    let told = scene.forge.preflight().await.map_or(true, |findings| findings.iter().any(|one| one.fatal));
    ensure!(told, "the token is revoked, and preflight finds nothing fatal");
    Ok(())
}

/// Sets the scene for a case that only applies to adapters which declare something.
async fn declaring<'a>(
    harness: &'a dyn ForgeHarness,
    what: &str,
    declared: impl Fn(&Capabilities) -> bool,
) -> Result<Scene<'a>, Unmet> {
    let scene = Scene::set(harness).await;
    let applies = declared(&scene.forge.capabilities());
    if applies { Ok(scene) } else { Err(Unmet::Undeclared(what.to_owned())) }
}

async fn done(scene: &Scene<'_>, action: ForgeAction) -> CaseResult {
    let text = format!("{action:?}");
    match scene.forge.perform(action).await {
        Ok(_) => Ok(()),
        Err(error) => broken(format!("{text} fails: {}", explain(&error))),
    }
}

fn request(commit: CommitId) -> ForgeAction {
    ForgeAction::RequestChecks { commits: vec![commit] }
}

fn report(commit: CommitId, state: CheckState) -> ForgeAction {
    ForgeAction::ReportCheck {
        commit,
        context: CI.to_owned(),
        state,
        source: "reporter".to_owned(),
        link: Some("https://ci.example.com/7".to_owned()),
        summary: Some("all of it".to_owned()),
    }
}
