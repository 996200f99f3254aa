//! `GET /v1/repos`, `/v1/repos/{repo}` and its log

use axum::extract::State;
use serde::Deserialize;

use crate::api::{Log, RepoStatus};
use crate::extract::{Parameters, Path};
use crate::problem::Problem;
use crate::state::AppState;
use crate::status::shown;
use crate::tokens::{Caller, Scope};

/// How many transitions a page holds, and at most.
const PAGE: usize = 100;
const LARGEST_PAGE: usize = 1000;

#[utoipa::path(get, path = "/v1/repos", tag = "read", description = "Lists the repositories.",
    responses((status = 200, description = "Their names", body = Vec<String>)))]
pub(crate) async fn list(
    State(state): State<AppState>,
    caller: Caller,
) -> Result<axum::Json<Vec<String>>, Problem> {
    caller.needs(&Scope::Read)?;
    Ok(axum::Json(state.names().map(ToString::to_string).collect()))
}

#[utoipa::path(get, path = "/v1/repos/{repo}", tag = "read",
    description = "Shows branches, chain, waves, and why what waits waits.",
    params(("repo" = String, Path, description = "The repository")),
    responses((status = 200, description = "Its state", body = RepoStatus), (status = 404, description = "There is none", body = Problem)))]
pub(crate) async fn status(
    State(state): State<AppState>,
    caller: Caller,
    Path(repo): Path<String>,
) -> Result<axum::Json<RepoStatus>, Problem> {
    let handle = state.repo(&repo)?;
    caller.needs(&Scope::Read)?;
    let findings = state.findings(handle.name());
    Ok(axum::Json(shown(&*handle.settled_view().await, findings.as_deref())))
}

/// The parameters of a page.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Page {
    after: Option<String>,
    limit: Option<usize>,
}

#[utoipa::path(get, path = "/v1/repos/{repo}/log", tag = "read", description = "Shows the audit trail, newest first.",
    params(("repo" = String, Path, description = "The repository"),
        ("after" = Option<String>, Query, description = "What `next` of the page before was"),
        ("limit" = Option<usize>, Query, description = "How many transitions, 1000 at most; those that were recorded together stay together")),
    responses((status = 200, description = "A page", body = Log), (status = 404, description = "There is none", body = Problem)))]
pub(crate) async fn log(
    State(state): State<AppState>,
    caller: Caller,
    Path(repo): Path<String>,
    Parameters(page): Parameters<Page>,
) -> Result<axum::Json<Log>, Problem> {
    let repo = state.repo(&repo)?;
    caller.needs(&Scope::Read)?;
    let page = repo.log(page.after, page.limit.unwrap_or(PAGE).clamp(1, LARGEST_PAGE)).await?;
    let items = page.items.iter().filter_map(|item| serde_json::to_value(item).ok()).collect();
    Ok(axum::Json(Log { items, next: page.next }))
}
