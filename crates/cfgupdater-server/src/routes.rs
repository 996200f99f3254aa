//! The HTTP API: one file a resource.

pub(crate) mod announce;
pub(crate) mod checks;
pub(crate) mod dashboard;
pub(crate) mod deploy_hooks;
pub(crate) mod deployments;
pub(crate) mod hooks;
pub(crate) mod intents;
pub(crate) mod operate;
pub(crate) mod overview;
pub(crate) mod repos;
pub(crate) mod waves;

use std::time::Duration;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tokio::time::timeout;
use tracing::info;

use crate::problem::Problem;
use crate::state::AppState;

/// How long any request may take: the longest long poll and a margin.
const PATIENCE: Duration = Duration::from_secs(90);

/// How long a webhook waits for its turn; its sender gives up soon after.
const TURN: Duration = Duration::from_secs(5);

/// Builds the API. Nest it wherever it shall be.
pub fn router(state: AppState) -> Router {
    let hooks = Router::new()
        .route("/v1/repos/{repo}/hooks/forge", post(hooks::forge))
        .route("/v1/repos/{repo}/hooks/flux", post(deploy_hooks::flux))
        .layer(from_fn_with_state(state.clone(), limit_hooks));
    let calls = Router::new()
        .route("/", get(dashboard::dashboard))
        .route("/openapi.json", get(overview::openapi))
        .route("/healthz", get(overview::healthz))
        .route("/readyz", get(overview::readyz))
        .route("/metrics", get(overview::metrics))
        .route("/v1/repos", get(repos::list))
        .route("/v1/repos/{repo}", get(repos::status))
        .route("/v1/repos/{repo}/log", get(repos::log))
        .route("/v1/repos/{repo}/images", post(announce::announce))
        .route("/v1/repos/{repo}/deployments", post(deployments::report))
        .route("/v1/repos/{repo}/statuses/{sha}", post(checks::report))
        .route("/v1/repos/{repo}/checks/{sha}/{context}", get(checks::evidence))
        .route("/v1/repos/{repo}/hooks/argocd", post(deploy_hooks::argocd))
        .route("/v1/repos/{repo}/intents/{id}", get(intents::intent))
        .route("/v1/repos/{repo}/intents/{id}/retry", post(intents::retry))
        .route("/v1/repos/{repo}/intents/{id}/withdraw", post(intents::withdraw))
        .route("/v1/repos/{repo}/waves/{wave}/hold", post(waves::hold))
        .route("/v1/repos/{repo}/waves/{wave}/release", post(waves::release))
        .route("/v1/repos/{repo}/waves/{wave}/approve", post(waves::approve))
        .route("/v1/repos/{repo}/waves/{wave}/rollback", post(waves::roll_back))
        .route("/v1/repos/{repo}/waves/{wave}/targets/{target}/waive", post(waves::waive))
        .route("/v1/repos/{repo}/pause", post(operate::pause))
        .route("/v1/repos/{repo}/resume", post(operate::resume))
        .route("/v1/repos/{repo}/accept", post(operate::accept))
        .layer(from_fn_with_state(state.clone(), limit));
    hooks
        .merge(calls)
        .fallback(|| async { Problem::unknown("there is nothing at this path; see /openapi.json") })
        .method_not_allowed_fallback(|| async {
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "this path has other methods; see /openapi.json")
        })
        .layer(from_fn_with_state(state.clone(), measure))
        .with_state(state)
}

/// Bounds how many calls are under way and how long each takes.
async fn limit(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let permit = match request.method() {
        &Method::POST => match state.calls.clone().try_acquire_owned() {
            Ok(permit) => Some(permit),
            Err(_) => return unavailable("too many calls are under way; repeat this one, it is safe"),
        },
        _ => None,
    };
    let answered = timeout(PATIENCE, next.run(request)).await;
    drop(permit);
    answered.unwrap_or_else(|_| unavailable("the call took too long; repeat it, it is safe"))
}

/// Bounds how many bodies of senders who are not known yet are held, whatever calls are under way.
async fn limit_hooks(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let Ok(Ok(permit)) = timeout(TURN, state.hook_calls.acquire()).await else {
        return unavailable("too many webhooks are under way; send this one again");
    };
    let answered = timeout(PATIENCE, next.run(request)).await;
    drop(permit);
    answered.unwrap_or_else(|_| unavailable("the webhook took too long; send it again"))
}

fn unavailable(detail: &str) -> Response {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail).into_response()
}

/// Counts and logs a request by its route, never by its path, query, headers or body.
async fn measure(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let started = std::time::Instant::now();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map_or("unmatched", MatchedPath::as_str).to_owned();
    let response = next.run(request).await;
    let (status, took) = (response.status().as_u16(), started.elapsed());
    state.metrics.record(method.as_str(), &route, status, took);
    info!(%method, route, status, millis = took.as_millis(), "request");
    response
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::body::Body;
    use tokio::sync::{Semaphore, watch};
    use tower::ServiceExt;

    use super::*;
    use crate::tokens::Tokens;

    async fn answered(state: &AppState, path: &str) -> u16 {
        let request = Request::post(path).body(Body::empty()).unwrap();
        router(state.clone()).oneshot(request).await.unwrap().status().as_u16()
    }

    #[tokio::test(start_paused = true)]
    async fn webhooks_and_calls_take_no_place_from_each_other() {
        let full = || Arc::new(Semaphore::new(0));
        let state = || AppState::new([], Tokens::none(), watch::channel(false).1);
        let (mut no_calls, mut no_hooks) = (state(), state());
        (no_calls.calls, no_hooks.hook_calls) = (full(), full());
        let (call, hook) = ("/v1/repos/cfg/pause", "/v1/repos/cfg/hooks/forge");
        assert_eq!((answered(&no_calls, call).await, answered(&no_calls, hook).await), (503, 404));
        assert_eq!(answered(&no_hooks, hook).await, 503);
        assert_ne!(answered(&no_hooks, call).await, 503);
    }
}
