//! One intent: what became of it, and what operators do to it.

use std::time::Duration;

use axum::extract::State;
use cfgupdater::View;
use cfgupdater::core::{IntentId, Operation};
use serde::Deserialize;

use crate::api::{Because, IntentView, Operated};
use crate::extract::{Json, Parameters, Path};
use crate::problem::Problem;
use crate::routes::operate::{Answered, Operator};
use crate::state::AppState;
use crate::status::intent_view;
use crate::tokens::{Caller, Scope};

/// Longest long poll, in seconds.
const LONGEST_WAIT: u64 = 60;

/// How long a reading is waited for that began after the request.
const READING: Duration = Duration::from_secs(10);

/// The parameters of a long poll.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wait {
    #[serde(default)]
    wait: u64,
}

#[utoipa::path(get, path = "/v1/repos/{repo}/intents/{id}", tag = "read",
    description = "Shows one intent and its end; with wait, once it has one or the time is over.",
    params(("repo" = String, Path, description = "The repository"), ("id" = String, Path, description = "The intent"),
        ("wait" = Option<u64>, Query, description = "How many seconds to wait for its end, 60 at most")),
    responses((status = 200, description = "The intent", body = IntentView), (status = 404, description = "There is none", body = Problem)))]
pub(crate) async fn intent(
    State(state): State<AppState>,
    caller: Caller,
    Path((repo, id)): Path<(String, String)>,
    Parameters(asked): Parameters<Wait>,
) -> Result<axum::Json<IntentView>, Problem> {
    let repo = state.repo(&repo)?;
    caller.needs(&Scope::Read)?;
    let id = parse(&id)?;
    let known =
        |view: &View| view.snapshot.as_ref().is_some_and(|snapshot| intent_view(snapshot, id).is_some());
    if !known(&repo.view()) {
        // It may have been accepted a moment ago, here or by another replica.
        repo.fresh_view(READING).await;
    }
    let ended = |view: &View| {
        !known(view) || view.snapshot.as_ref().is_some_and(|read| read.state.end_of(id).is_some())
    };
    let patience = Duration::from_secs(asked.wait.min(LONGEST_WAIT));
    let mut stopping = state.stopping.clone();
    let view = tokio::select! {
        view = repo.wait_for(patience, ended) => view,
        _ = stopping.wait_for(|stopping| *stopping) => repo.view(),
    };
    let shown = view.snapshot.as_ref().and_then(|snapshot| intent_view(snapshot, id));
    shown.map(axum::Json).ok_or_else(|| Problem::unknown(format!("intent {id} was never accepted")).at("id"))
}

#[utoipa::path(post, path = "/v1/repos/{repo}/intents/{id}/retry", tag = "operate",
    description = "Tries an intent again that was evicted, refused or withdrawn.",
    params(("repo" = String, Path, description = "The repository"), ("id" = String, Path, description = "The intent")),
    request_body = Because, responses((status = 200, description = "Whether it changed anything", body = Operated),
        (status = 409, description = "It landed, or something newer stands in the way", body = Problem)))]
pub(crate) async fn retry(
    operator: Operator,
    Path((repo, id)): Path<(String, String)>,
    Json(Because { reason }): Json<Because>,
) -> Answered {
    let intent = parse(&id)?;
    operator.carry_out(&repo, Operation::Retry { intent, reason }).await
}

#[utoipa::path(post, path = "/v1/repos/{repo}/intents/{id}/withdraw", tag = "operate",
    description = "Takes an intent back that has not landed.",
    params(("repo" = String, Path, description = "The repository"), ("id" = String, Path, description = "The intent")),
    request_body = Because, responses((status = 200, description = "Whether it changed anything", body = Operated),
        (status = 409, description = "It has another end", body = Problem)))]
pub(crate) async fn withdraw(
    operator: Operator,
    Path((repo, id)): Path<(String, String)>,
    Json(Because { reason }): Json<Because>,
) -> Answered {
    let intent = parse(&id)?;
    operator.carry_out(&repo, Operation::Withdraw { intent, reason }).await
}

fn parse(id: &str) -> Result<IntentId, Problem> {
    id.parse().map_err(|error| Problem::invalid(format!("id: {error}")).at("id"))
}
