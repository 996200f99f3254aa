//! Statuses and check runs of a commit, as the attempts they are.

use std::collections::{BTreeMap, BTreeSet};

use cfgupdater_core::{CheckRun, CheckState, CommitId, Error, ErrorKind};
use cfgupdater_forge_http::{Trouble, summary, time, word};
use serde::{Deserialize, Serialize};

use crate::client::{Client, array};
use crate::repository::target;
use crate::settings::RepositoryName;

/// A status, of which only a login tells who made it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Status {
    id: u64,
    context: String,
    state: String,
    creator: Option<Account>,
    target_url: Option<String>,
    description: Option<String>,
    updated_at: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Account {
    login: String,
}

/// A check run, which an App made.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Run {
    id: u64,
    name: String,
    head_sha: String,
    status: String,
    conclusion: Option<String>,
    app: Option<App>,
    html_url: Option<String>,
    details_url: Option<String>,
    started_at: Option<String>,
    completed_at: Option<String>,
    output: Option<Output>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct App {
    id: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Output {
    title: Option<String>,
}

#[derive(Deserialize)]
struct RunPage {
    total_count: usize,
    check_runs: Vec<Run>,
}

/// Reads every status and the latest check runs of a commit, all pages.
pub(crate) async fn read(
    client: &Client,
    repository: &RepositoryName,
    commit: CommitId,
) -> Result<Vec<CheckRun>, Error> {
    let sha = commit.to_string();
    let Some(statuses) = known(statuses(client, repository, &sha).await)? else { return Ok(Vec::new()) };
    let what = format!("reading the check runs of {sha}");
    let runs = target(repository, &["commits", &sha, "check-runs"]) + "?filter=latest&per_page=100";
    let Some(runs) = known(client.list(&what, &runs, run_page, |run: &Run| run.id).await)? else {
        return Ok(Vec::new());
    };
    if let Some(stranger) = runs.iter().find(|run| run.head_sha != sha) {
        let message = format!(
            "{what}: GitHub answered with a run of {}; it is read again",
            stranger.head_sha.escape_debug()
        );
        return Err(Error::new(ErrorKind::Unavailable, message));
    }
    Ok(statuses.into_iter().chain(runs.into_iter().map(of_run)).collect())
}

/// Reads every status of a commit, or of the tip of a branch.
pub(crate) async fn statuses(
    client: &Client,
    repository: &RepositoryName,
    commit: &str,
) -> Result<Vec<CheckRun>, Trouble> {
    let what = format!("reading the statuses of {commit}");
    let target = target(repository, &["commits", commit, "statuses"]) + "?per_page=100";
    let statuses = client.list(&what, &target, array, |status: &Status| status.id).await?;
    Ok(in_every_spelling(&statuses.into_iter().map(of_status).collect::<Vec<_>>()))
}

/// Repeats each status under every spelling of its context: cases are not told apart, so that a failed `CI` replaces an
/// older `ci` that passed.
///
/// Source: <https://docs.github.com/en/rest/commits/statuses#create-a-commit-status>.
fn in_every_spelling(statuses: &[CheckRun]) -> Vec<CheckRun> {
    let mut spellings: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for status in statuses {
        spellings.entry(status.name.to_lowercase()).or_default().insert(status.name.clone());
    }
    let repeated = |status: &CheckRun| {
        let names = spellings[&status.name.to_lowercase()].iter();
        let renamed = |name: &String| {
            let mut status = status.clone();
            status.name.clone_from(name);
            status
        };
        names.map(renamed).collect::<Vec<_>>()
    };
    statuses.iter().flat_map(repeated).collect()
}

fn run_page(body: &[u8]) -> serde_json::Result<(Vec<Run>, Option<usize>)> {
    let page: RunPage = serde_json::from_slice(body)?;
    Ok((page.check_runs, Some(page.total_count)))
}

/// Tells apart a commit that the API doesn't know yet, which has no checks, from everything else that goes wrong.
fn known<T>(read: Result<T, Trouble>) -> Result<Option<T>, Error> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(trouble) if trouble.status == Some(422) && trouble.body.contains("No commit found") => Ok(None),
        Err(trouble) => Err(trouble.into()),
    }
}

/// Source: <https://docs.github.com/en/rest/commits/statuses>.
fn of_status(status: Status) -> CheckRun {
    let state = match status.state.as_str() {
        "success" => CheckState::Success,
        "failure" | "error" => CheckState::Failure,
        "pending" => CheckState::Running,
        _ => CheckState::Unknown(word(&status.state)),
    };
    let mut run = CheckRun::new(status.context, status.id, state);
    "status".clone_into(&mut run.series);
    run.source = status.creator.map(|creator| person(creator.login));
    run.at = status.updated_at.as_deref().and_then(time);
    run.link = status.target_url.filter(|link| !link.is_empty());
    run.summary = status.description.as_deref().and_then(summary);
    run
}

/// Somebody may call himself by the number of an App, and is not that App.
fn person(login: String) -> String {
    if login.bytes().all(|byte| byte.is_ascii_digit()) { format!("@{login}") } else { login }
}

/// What two Apps say under one name doesn't replace each other.
fn of_run(run: Run) -> CheckRun {
    let source = run.app.map(|app| app.id.to_string());
    let mut check = CheckRun::new(run.name, run.id, run_state(&run.status, run.conclusion.as_deref()));
    check.series = format!("check_run/{}", source.as_deref().unwrap_or_default());
    check.source = source;
    check.at = run.completed_at.or(run.started_at).as_deref().and_then(time);
    check.link = run.html_url.or(run.details_url).filter(|link| !link.is_empty());
    check.summary = run.output.and_then(|output| output.title).as_deref().and_then(summary);
    check
}

/// Conclusions are an open set: what isn't known is neither passed nor failed.
///
/// Source: <https://docs.github.com/en/rest/checks/runs>, and for `stale` and `startup_failure`, which its schema lacks,
/// <https://docs.github.com/en/graphql/reference/enums#checkconclusionstate>.
fn run_state(status: &str, conclusion: Option<&str>) -> CheckState {
    match (status, conclusion) {
        ("completed", Some("success" | "neutral" | "skipped")) => CheckState::Success,
        ("completed", Some("failure" | "timed_out" | "action_required")) => CheckState::Failure,
        ("completed", Some(of_ci @ ("cancelled" | "stale" | "startup_failure"))) => {
            CheckState::Infrastructure(of_ci.to_owned())
        }
        ("completed", other) => CheckState::Unknown(word(other.unwrap_or("no conclusion"))),
        ("in_progress", _) => CheckState::Running,
        ("queued" | "requested" | "waiting" | "pending", _) => CheckState::Queued,
        (other, _) => CheckState::Unknown(word(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_documented_conclusion_has_a_meaning() {
        let done = |conclusion| run_state("completed", Some(conclusion));
        for passes in ["success", "neutral", "skipped"] {
            assert_eq!(done(passes), CheckState::Success);
        }
        for fails in ["failure", "timed_out", "action_required"] {
            assert_eq!(done(fails), CheckState::Failure);
        }
        for broken in ["cancelled", "stale", "startup_failure"] {
            assert_eq!(done(broken), CheckState::Infrastructure(broken.to_owned()));
        }
        assert_eq!(run_state("in_progress", None), CheckState::Running);
        for queued in ["queued", "requested", "waiting", "pending"] {
            assert_eq!(run_state(queued, None), CheckState::Queued);
        }
    }

    #[test]
    fn what_is_not_documented_is_neither_green_nor_red() {
        assert_eq!(run_state("completed", Some("neat")), CheckState::Unknown("neat".to_owned()));
        assert_eq!(run_state("completed", None), CheckState::Unknown("no conclusion".to_owned()));
        assert_eq!(run_state("dreaming", Some("success")), CheckState::Unknown("dreaming".to_owned()));
        // A run that is asked for again keeps its old conclusion for a moment.
        assert_eq!(run_state("queued", Some("success")), CheckState::Queued);
    }

    #[test]
    fn an_answer_of_github_itself_is_read() {
        let body =
            concat!(env!("CARGO_MANIFEST_DIR"), "/tests/payloads/octocrab-0.54.9/commit_check_runs.json");
        let (runs, total) = run_page(&std::fs::read(body).unwrap()).unwrap();
        assert_eq!((runs.len(), total), (2, Some(2)));
        for run in runs {
            let check = of_run(run);
            assert_eq!((check.source.as_deref(), check.state), (Some("15368"), CheckState::Success));
            assert!(check.at.is_some() && check.link.is_some());
        }
    }

    #[test]
    fn a_status_counts_in_every_spelling() {
        let status = |name: &str, id, state| CheckRun::new(name, id, state);
        let read = in_every_spelling(&[
            status("CI", 2, CheckState::Failure),
            status("ci", 1, CheckState::Success),
            status("lint", 3, CheckState::Success),
        ]);
        let required = cfgupdater_core::RequiredChecks::named(["ci"]);
        assert_eq!(cfgupdater_core::verdict(&required, &read), cfgupdater_core::Verdict::Red);
        assert_eq!(read.len(), 5);
    }

    #[test]
    fn who_said_it_is_kept() {
        let run: Run = serde_json::from_value(serde_json::json!({
            "id": 9, "name": "ci", "head_sha": "x", "status": "completed", "conclusion": "success",
            "app": { "id": 15368 }, "completed_at": "2026-01-31T09:30:00Z", "output": { "title": "a\u{1b}b" }
        }))
        .unwrap();
        let check = of_run(run);
        assert_eq!(check.source.as_deref(), Some("15368"));
        assert_eq!((check.series.as_str(), check.attempt), ("check_run/15368", 9));
        assert_eq!(check.summary.as_deref(), Some("a b"));
        assert_eq!(check.at, "2026-01-31T09:30:00Z".parse().ok());

        let status: Status = serde_json::from_value(serde_json::json!({
            "id": 3, "context": "ci", "state": "error", "creator": { "login": "jenkins" }
        }))
        .unwrap();
        let check = of_status(status);
        assert_eq!((check.source.as_deref(), check.series.as_str()), (Some("jenkins"), "status"));
        assert_eq!(check.state, CheckState::Failure);
    }
}
