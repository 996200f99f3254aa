//! What operators do to the whole repository, and what all their calls share.

use axum::extract::FromRequestParts;
use axum::http::HeaderValue;
use axum::http::request::Parts;
use cfgupdater::core::{Answer, Call, Operation, OperationKey, Request};

use crate::api::{Because, Operated};
use crate::extract::{Json, Path};
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
    request_body = Because, responses((status = 200, description = "Whether it changed anything", body = Operated)))]
pub(crate) async fn pause(
    operator: Operator,
    Path(repo): Path<String>,
    Json(Because { reason }): Json<Because>,
) -> Answered {
    operator.carry_out(&repo, Operation::Pause { reason }).await
}

#[utoipa::path(post, path = "/v1/repos/{repo}/resume", tag = "operate",
    description = "Lets landing go on.",
    params(("repo" = String, Path, description = "The repository")),
    request_body = Because, responses((status = 200, description = "Whether it changed anything", body = Operated)))]
pub(crate) async fn resume(
    operator: Operator,
    Path(repo): Path<String>,
    Json(Because { reason }): Json<Because>,
) -> Answered {
    operator.carry_out(&repo, Operation::Resume { reason }).await
}

#[utoipa::path(post, path = "/v1/repos/{repo}/accept", tag = "operate",
    description = "Accepts the repository as it is after stable was rewound, or the state was lost or edited.",
    params(("repo" = String, Path, description = "The repository")),
    request_body = Because, responses((status = 200, description = "Whether it changed anything, and which intents git still proves", body = Operated),
        (status = 409, description = "What is wrong can't be accepted", body = Problem)))]
pub(crate) async fn accept(
    operator: Operator,
    Path(repo): Path<String>,
    Json(Because { reason }): Json<Because>,
) -> Answered {
    operator.carry_out(&repo, Operation::Accept { reason }).await
}

/// Somebody who may want to operate on a repository.
pub(crate) struct Operator {
    state: AppState,
    caller: Caller,
    key: Option<HeaderValue>,
}

impl FromRequestParts<AppState> for Operator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let caller = Caller::from_request_parts(parts, state).await?;
        Ok(Self { state: state.clone(), caller, key: parts.headers.get("idempotency-key").cloned() })
    }
}

impl Operator {
    /// Makes the call, where the caller may.
    pub(super) async fn carry_out(self, repo: &str, operation: Operation) -> Answered {
        let repo = self.state.repo(repo)?;
        self.caller.needs(&Scope::Operate)?;
        let reason = operation.reason();
        if reason.trim().is_empty() || reason.len() > LONGEST_REASON {
            let detail = format!("reason must say why, in at most {LONGEST_REASON} bytes");
            return Err(Problem::invalid(detail).at("reason"));
        }
        let mut call = Call::new(&self.caller.name, Request::Operate(operation));
        if let Some(key) = self.key.as_ref().map(key).transpose()? {
            call = call.with_key(OperationKey::new(&self.caller.name, key));
        }
        Ok(axum::Json(repo.make(call).await?))
    }
}

fn key(key: &HeaderValue) -> Result<&str, Problem> {
    let fine = key.to_str().ok().filter(|key| (1..=LONGEST_KEY).contains(&key.len()));
    fine.ok_or_else(|| {
        let detail = format!("Idempotency-Key must be 1 to {LONGEST_KEY} printable characters");
        Problem::invalid(detail).at("Idempotency-Key")
    })
}
