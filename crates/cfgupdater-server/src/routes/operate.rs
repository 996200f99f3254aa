//! What operators do to waves.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use cfgupdater::core::{Answer, Operation, Request, WaveName};

use crate::api;
use crate::extract::Json;
use crate::problem::Problem;
use crate::state::AppState;
use crate::tokens::{Caller, Scope};

/// Longest reason, in bytes.
const LONGEST_REASON: usize = 1000;

type Answered = Result<axum::Json<Answer>, Problem>;

#[utoipa::path(post, path = "/v1/repos/{repo}/waves/{wave}/hold", tag = "operate",
    description = "Closes a wave: nothing lands in it until it is released. Repeating it changes nothing.",
    params(("repo" = String, Path, description = "The repository"), ("wave" = String, Path, description = "The wave")),
    request_body = api::Operation, responses((status = 200, description = "Whether it changed anything", body = Object)))]
pub(crate) async fn hold(
    state: State<AppState>,
    caller: Caller,
    path: Path<(String, String)>,
    headers: HeaderMap,
    body: Json<api::Operation>,
) -> Answered {
    operate(state, caller, path, &headers, body, |wave, asked| Operation::Hold { wave, reason: asked.reason })
        .await
}

#[utoipa::path(post, path = "/v1/repos/{repo}/waves/{wave}/release", tag = "operate",
    description = "Opens a held wave. Repeating it changes nothing.",
    params(("repo" = String, Path, description = "The repository"), ("wave" = String, Path, description = "The wave")),
    request_body = api::Operation, responses((status = 200, description = "Whether it changed anything", body = Object)))]
pub(crate) async fn release(
    state: State<AppState>,
    caller: Caller,
    path: Path<(String, String)>,
    headers: HeaderMap,
    body: Json<api::Operation>,
) -> Answered {
    operate(state, caller, path, &headers, body, |wave, asked| Operation::Release {
        wave,
        reason: asked.reason,
    })
    .await
}

#[utoipa::path(post, path = "/v1/repos/{repo}/waves/{wave}/approve", tag = "operate",
    description = "Lets one release into a wave that needs approval: the one named, or the one that waits.",
    params(("repo" = String, Path, description = "The repository"), ("wave" = String, Path, description = "The wave")),
    request_body = api::Operation, responses((status = 200, description = "Whether it changed anything", body = Object),
        (status = 409, description = "Another release waits, or none", body = Problem)))]
pub(crate) async fn approve(
    state: State<AppState>,
    caller: Caller,
    path: Path<(String, String)>,
    headers: HeaderMap,
    body: Json<api::Operation>,
) -> Answered {
    let approval = |wave, asked: api::Operation| Operation::Approve {
        wave,
        release: asked.release,
        reason: asked.reason,
    };
    operate(state, caller, path, &headers, body, approval).await
}

async fn operate(
    State(state): State<AppState>,
    caller: Caller,
    Path((repo, wave)): Path<(String, String)>,
    headers: &HeaderMap,
    Json(asked): Json<api::Operation>,
    operation: impl FnOnce(WaveName, api::Operation) -> Operation,
) -> Answered {
    let repo = state.repo(&repo)?;
    caller.needs(&Scope::Operate)?;
    let wave = wave.parse().map_err(|error| Problem::invalid(format!("{error}")).at("wave"))?;
    if asked.reason.trim().is_empty() || asked.reason.len() > LONGEST_REASON {
        return Err(
            Problem::invalid(format!("reason must say why, in at most {LONGEST_REASON} bytes")).at("reason")
        );
    }
    check_key(headers)?;
    let request = Request::Operate(operation(wave, asked));
    Ok(axum::Json(repo.call(&caller.name, request).await?))
}

/// These operations set a state, so repeating one is safe with any key; a malformed key is a caller's mistake.
fn check_key(headers: &HeaderMap) -> Result<(), Problem> {
    let Some(key) = headers.get("idempotency-key") else { return Ok(()) };
    let fine = key.to_str().is_ok_and(|key| (1..=255).contains(&key.len()));
    fine.then_some(()).ok_or_else(|| {
        Problem::invalid("Idempotency-Key must be 1 to 255 printable characters").at("Idempotency-Key")
    })
}

/// Answers a call of the contract that this version can't carry out.
pub(crate) async fn not_yet(caller: Caller) -> Problem {
    match caller.needs(&Scope::Operate) {
        Ok(()) => Problem::not_yet("this call"),
        Err(refused) => refused,
    }
}
