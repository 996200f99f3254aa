//! What operators do to the whole repository, and what all their calls share.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use cfgupdater::core::{Answer, Call, Operation, OperationKey, Request};

use crate::api::Because;
use crate::extract::Json;
use crate::problem::Problem;
use crate::state::AppState;
use crate::tokens::{Caller, Scope};

/// Longest reason, in bytes.
const LONGEST_REASON: usize = 1000;

/// Longest `Idempotency-Key`, in bytes.
const LONGEST_KEY: usize = 255;

pub(super) type Answered = Result<axum::Json<Answer>, Problem>;

#[utoipa::path(post, path = "/v1/repos/{repo}/pause", tag = "operate",
    description = "Stops all landing until it is resumed.",
    params(("repo" = String, Path, description = "The repository")),
    request_body = Because, responses((status = 200, description = "Whether it changed anything", body = Object)))]
pub(crate) async fn pause(
    State(state): State<AppState>,
    caller: Caller,
    Path(repo): Path<String>,
    headers: HeaderMap,
    Json(Because { reason }): Json<Because>,
) -> Answered {
    carry_out(&state, &caller, &repo, &headers, Operation::Pause { reason }).await
}

#[utoipa::path(post, path = "/v1/repos/{repo}/resume", tag = "operate",
    description = "Lets landing go on.",
    params(("repo" = String, Path, description = "The repository")),
    request_body = Because, responses((status = 200, description = "Whether it changed anything", body = Object)))]
pub(crate) async fn resume(
    State(state): State<AppState>,
    caller: Caller,
    Path(repo): Path<String>,
    headers: HeaderMap,
    Json(Because { reason }): Json<Because>,
) -> Answered {
    carry_out(&state, &caller, &repo, &headers, Operation::Resume { reason }).await
}

#[utoipa::path(post, path = "/v1/repos/{repo}/accept", tag = "operate",
    description = "Accepts the repository as it is after stable was rewound, or the state was lost or edited.",
    params(("repo" = String, Path, description = "The repository")),
    request_body = Because, responses((status = 200, description = "Whether it changed anything, and which intents git still proves", body = Object),
        (status = 409, description = "What is wrong can't be accepted", body = Problem)))]
pub(crate) async fn accept(
    State(state): State<AppState>,
    caller: Caller,
    Path(repo): Path<String>,
    headers: HeaderMap,
    Json(Because { reason }): Json<Because>,
) -> Answered {
    carry_out(&state, &caller, &repo, &headers, Operation::Accept { reason }).await
}

/// Makes an operator's call.
pub(super) async fn carry_out(
    state: &AppState,
    caller: &Caller,
    repo: &str,
    headers: &HeaderMap,
    operation: Operation,
) -> Answered {
    let repo = state.repo(repo)?;
    caller.needs(&Scope::Operate)?;
    let reason = operation.reason();
    if reason.trim().is_empty() || reason.len() > LONGEST_REASON {
        return Err(
            Problem::invalid(format!("reason must say why, in at most {LONGEST_REASON} bytes")).at("reason")
        );
    }
    let mut call = Call::new(&caller.name, Request::Operate(operation));
    if let Some(key) = key(headers)? {
        call = call.with_key(OperationKey::new(&caller.name, key));
    }
    Ok(axum::Json(repo.make(call).await?))
}

fn key(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let Some(key) = headers.get("idempotency-key") else { return Ok(None) };
    let fine = key.to_str().ok().filter(|key| (1..=LONGEST_KEY).contains(&key.len()));
    fine.map(Some).ok_or_else(|| {
        let detail = format!("Idempotency-Key must be 1 to {LONGEST_KEY} printable characters");
        Problem::invalid(detail).at("Idempotency-Key")
    })
}
