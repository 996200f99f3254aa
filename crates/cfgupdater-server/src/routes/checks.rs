//! `POST /v1/repos/{repo}/statuses/{sha}` and `GET /v1/repos/{repo}/checks/{sha}/{context}`

use axum::extract::State;
use cfgupdater::core::{CheckState, CommitId, ForgeAction, ForgeAnswer};

use crate::api::{CheckReported, Status, StatusState};
use crate::extract::{Json, Path};
use crate::problem::Problem;
use crate::state::AppState;
use crate::tokens::{Caller, Scope};

/// Longest name of a check, link and description, in bytes.
const LONGEST: usize = 1024;

#[utoipa::path(post, path = "/v1/repos/{repo}/statuses/{sha}", tag = "checks",
    description = "Reports a check of a commit, with the local forge.",
    params(("repo" = String, Path, description = "The repository"), ("sha" = String, Path, description = "The full commit id")),
    request_body = Status,
    responses((status = 200, description = "Recorded", body = CheckReported), (status = 422, description = "Something is wrong with it", body = Problem)))]
pub(crate) async fn report(
    State(state): State<AppState>,
    caller: Caller,
    Path((repo, sha)): Path<(String, String)>,
    Json(said): Json<Status>,
) -> Result<axum::Json<CheckReported>, Problem> {
    let repo = state.repo(&repo)?;
    caller.needs(&Scope::Status)?;
    let commit = commit(&sha)?;
    check_text(&said)?;
    let check = match said.state {
        StatusState::Pending => CheckState::Running,
        StatusState::Success => CheckState::Success,
        StatusState::Failure | StatusState::Error => CheckState::Failure,
    };
    let action = ForgeAction::ReportCheck {
        commit,
        context: said.context.clone(),
        state: check,
        source: caller.name,
        link: said.link,
        summary: said.description,
    };
    repo.perform(action).await?;
    Ok(axum::Json(CheckReported { commit, context: said.context, state: said.state }))
}

#[utoipa::path(get, path = "/v1/repos/{repo}/checks/{sha}/{context}", tag = "checks",
    description = "Shows the kept output of a check that the service ran, as plain text.",
    params(("repo" = String, Path, description = "The repository"), ("sha" = String, Path, description = "The full commit id"),
        ("context" = String, Path, description = "The check")),
    responses((status = 200, description = "The end of its output", body = String), (status = 404, description = "Nothing is kept", body = Problem)))]
pub(crate) async fn evidence(
    State(state): State<AppState>,
    caller: Caller,
    Path((repo, sha, context)): Path<(String, String, String)>,
) -> Result<String, Problem> {
    let repo = state.repo(&repo)?;
    caller.needs(&Scope::Read)?;
    let commit = commit(&sha)?;
    match repo.perform(ForgeAction::ReadEvidence { commit, context }).await? {
        ForgeAnswer::Evidence(Some(text)) => Ok(text),
        _ => Err(Problem::unknown("no output is kept of this check on this commit")),
    }
}

fn commit(text: &str) -> Result<CommitId, Problem> {
    text.parse().map_err(|error| Problem::invalid(format!("sha: {error}")).at("sha"))
}

fn check_text(said: &Status) -> Result<(), Problem> {
    let fields = [("link", said.link.as_deref()), ("description", said.description.as_deref())];
    let texts = fields
        .into_iter()
        .filter_map(|(name, text)| Some((name, text?)))
        .chain([("context", said.context.as_str())]);
    for (name, text) in texts {
        if text.is_empty() || text.len() > LONGEST || text.chars().any(char::is_control) {
            let detail = format!("{name} must be 1 to {LONGEST} bytes without control characters");
            return Err(Problem::invalid(detail).at(name));
        }
    }
    Ok(())
}
