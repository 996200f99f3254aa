//! What needs no token: the description, probes and metrics.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use cfgupdater::core::RepoName;

use crate::problem::Problem;
use crate::slot::Reading;
use crate::state::AppState;
use crate::{metrics, openapi};

pub(crate) async fn openapi() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], openapi::description()).into_response()
}

#[utoipa::path(get, path = "/healthz", tag = "probes", description = "Tells that the process serves requests.",
    responses((status = 200, description = "It does")))]
pub(crate) async fn healthz() -> &'static str {
    "ok\n"
}

#[utoipa::path(get, path = "/readyz", tag = "probes",
    description = "Tells whether the service is of use: every repository was tried, and one at least can be read now.",
    responses((status = 200, description = "It is; with the repositories that can't be read", body = String),
        (status = 503, description = "It is not, and why", body = Problem)))]
pub(crate) async fn readyz(State(state): State<AppState>) -> Result<String, Problem> {
    readiness(&state.readings()).map_err(|why| Problem::new(StatusCode::SERVICE_UNAVAILABLE, why))
}

/// Decides by what came of the latest reading of each repository. One that is out of order must not take the others
/// from their callers, which a load balancer would do for it.
fn readiness(readings: &[(&RepoName, Reading)]) -> Result<String, String> {
    let unread = readings.iter().filter_map(|(name, reading)| match reading {
        Reading::Succeeded => None,
        Reading::Untried => Some(format!("{name}: not read yet")),
        Reading::Failed(why) => Some(format!("{name}: {why}")),
    });
    let unread: Vec<String> = unread.collect();
    let none_reads = unread.len() == readings.len() && !readings.is_empty();
    if none_reads || readings.iter().any(|(_, reading)| *reading == Reading::Untried) {
        return Err(unread.join("; "));
    }
    Ok(["ready".to_owned()].into_iter().chain(unread).map(|line| line + "\n").collect())
}

#[utoipa::path(get, path = "/metrics", tag = "probes", description = "Metrics in the Prometheus text format.",
    responses((status = 200, description = "The metrics", body = String)))]
pub(crate) async fn metrics(State(state): State<AppState>) -> Response {
    let mut text = metrics::render(&state.views(), &state.usages().await, &state.metrics);
    metrics::render_findings(&state.all_findings(), &mut text);
    metrics::render_polls(&state.polls(), &mut text);
    state.hooks.render(&mut text);
    state.fates.render(&mut text);
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_repository_that_reads_is_enough_once_all_were_tried() {
        let (one, two): (RepoName, RepoName) = ("one".parse().unwrap(), "two".parse().unwrap());
        let failed = || Reading::Failed("Token is expired".to_owned());
        let ready = |a: Reading, b: Reading| readiness(&[(&one, a), (&two, b)]);
        assert_eq!(ready(Reading::Succeeded, Reading::Succeeded), Ok("ready\n".to_owned()));
        let with_trouble = Ok("ready\ntwo: Token is expired\n".to_owned());
        assert_eq!(ready(Reading::Succeeded, failed()), with_trouble);
        assert_eq!(ready(Reading::Untried, Reading::Succeeded), Err("one: not read yet".to_owned()));
        let nothing = "one: Token is expired; two: Token is expired".to_owned();
        assert_eq!(ready(failed(), failed()), Err(nothing));
        assert_eq!(readiness(&[]), Ok("ready\n".to_owned()));
    }
}
