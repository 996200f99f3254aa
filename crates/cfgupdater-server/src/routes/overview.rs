//! What needs no token: the page for people, the description, probes and metrics.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

use crate::problem::Problem;
use crate::state::AppState;
use crate::tokens::{Caller, Scope};
use crate::{dashboard, metrics, openapi};

pub(crate) async fn dashboard(
    State(state): State<AppState>,
    caller: Caller,
) -> Result<Html<String>, Problem> {
    caller.needs(&Scope::Read)?;
    Ok(Html(dashboard::page(&state.views())))
}

pub(crate) async fn openapi() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], openapi::description()).into_response()
}

#[utoipa::path(get, path = "/healthz", tag = "probes", description = "Tells that the process serves requests.",
    responses((status = 200, description = "It does")))]
pub(crate) async fn healthz() -> &'static str {
    "ok\n"
}

#[utoipa::path(get, path = "/readyz", tag = "probes", description = "Tells whether every repository could be read.",
    responses((status = 200, description = "All could"), (status = 503, description = "Which could not", body = Problem)))]
pub(crate) async fn readyz(State(state): State<AppState>) -> Result<&'static str, Problem> {
    let names = state.unread();
    if names.is_empty() {
        return Ok("ready\n");
    }
    let detail = format!("not read yet, or not reachable: {}", names.join(", "));
    Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail))
}

#[utoipa::path(get, path = "/metrics", tag = "probes", description = "Metrics in the Prometheus text format.",
    responses((status = 200, description = "The metrics", body = String)))]
pub(crate) async fn metrics(State(state): State<AppState>) -> Response {
    let mut text = metrics::render(&state.views(), &state.usages().await, &state.metrics);
    metrics::render_findings(&state.all_findings(), &mut text);
    metrics::render_polls(&state.polls(), &mut text);
    state.hooks.render(&mut text);
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response()
}
