//! What handlers take from a request, each refusing with a problem.

use std::pin::Pin;
use std::time::Duration;

use axum::body::{Body, HttpBody, to_bytes};
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use serde::de::DeserializeOwned;

use crate::problem::Problem;
use crate::state::AppState;
use crate::tokens::{Caller, Scope};

/// Largest body of an announcement, in bytes.
pub(crate) const IMAGES_CAP: usize = 1024 * 1024;

/// Largest webhook, in bytes: a push of many commits is large, and worth no more than a look.
pub(crate) const HOOK_CAP: usize = 4 * 1024 * 1024;

/// How long a webhook's body may take: no forge waits longer for its answer.
const HOOK_PATIENCE: Duration = Duration::from_secs(10);

/// Largest body of anything else, in bytes.
pub(crate) const BODY_CAP: usize = 64 * 1024;

/// How much of a body that was refused for its size is let through, in bytes.
const DISCARDED: u64 = 16 * 1024 * 1024;

/// How long that may take.
const DISCARDING: Duration = Duration::from_secs(5);

impl FromRequestParts<AppState> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let header = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = header.and_then(|value| value.strip_prefix("Bearer ")).map(str::trim);
        state.tokens.caller(token).ok_or_else(|| {
            let detail = "a valid token is needed: send `Authorization: Bearer TOKEN`";
            Problem::new(StatusCode::UNAUTHORIZED, detail)
        })
    }
}

impl Caller {
    /// Makes sure that the caller may do what it asks for.
    pub(crate) fn needs(&self, scope: &Scope) -> Result<(), Problem> {
        if self.may(scope) {
            return Ok(());
        }
        let detail = format!("token `{}` lacks the scope `{scope}`", self.name);
        Err(Problem::new(StatusCode::FORBIDDEN, detail))
    }
}

/// The parts of a path that name something.
pub(crate) struct Path<T>(pub(crate) T);

impl<T: DeserializeOwned + Send> FromRequestParts<AppState> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let path: Result<axum::extract::Path<T>, PathRejection> =
            axum::extract::Path::from_request_parts(parts, state).await;
        path.map(|axum::extract::Path(names)| Self(names))
            .map_err(|error| Problem::new(StatusCode::BAD_REQUEST, error.body_text()))
    }
}

/// Query parameters; unknown ones are refused.
pub(crate) struct Parameters<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequestParts<AppState> for Parameters<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let query: Result<Query<T>, QueryRejection> = Query::from_request_parts(parts, state).await;
        query.map(|Query(parameters)| Self(parameters)).map_err(|error| Problem::invalid(error.body_text()))
    }
}

/// A JSON body of at most `CAP` bytes, refused before it is read where its length is told.
pub(crate) struct Json<T, const CAP: usize = BODY_CAP>(pub(crate) T);

impl<T: DeserializeOwned, const CAP: usize> FromRequest<AppState> for Json<T, CAP> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &AppState) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        check_type(&parts)?;
        let bytes = read(&parts, body, CAP).await?;
        serde_json::from_slice(&bytes).map(Self).map_err(|error| refuse(&error))
    }
}

fn check_type(parts: &Parts) -> Result<(), Problem> {
    let Some(given) = parts.headers.get(header::CONTENT_TYPE) else { return Ok(()) };
    let essence =
        given.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if essence == "application/json" || essence.ends_with("+json") {
        return Ok(());
    }
    Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "the body must be application/json"))
}

/// Reads a body of at most `cap` bytes.
pub(crate) async fn read(parts: &Parts, body: Body, cap: usize) -> Result<Vec<u8>, Problem> {
    let too_large =
        || Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("the body is larger than {cap} bytes"));
    let told =
        parts.headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if let Some(length) = told.filter(|length| *length > cap as u64) {
        if length <= DISCARDED {
            // Whoever is too slow for it finds the connection closed.
            let _ = tokio::time::timeout(DISCARDING, discard(body)).await;
        }
        return Err(too_large());
    }
    to_bytes(body, cap).await.map(Vec::from).map_err(|_| too_large())
}

/// Reads the body of a sender who is not known yet, and who may be slow on purpose.
pub(crate) async fn read_hook(parts: &Parts, body: Body, cap: usize) -> Result<Vec<u8>, Problem> {
    let late =
        |_| Problem::new(StatusCode::REQUEST_TIMEOUT, "the body did not arrive in time; send it again");
    tokio::time::timeout(HOOK_PATIENCE, read(parts, body, cap)).await.map_err(late)?
}

/// Drops a body as it arrives: clients that still write when the connection closes never see the answer.
async fn discard(mut body: Body) {
    while let Some(Ok(_)) = std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {}
}

fn refuse(error: &serde_json::Error) -> Problem {
    match error.classify() {
        serde_json::error::Category::Data => {
            Problem::invalid(format!("the body doesn't fit: {error}")).at("body")
        }
        _ => Problem::new(StatusCode::BAD_REQUEST, format!("the body is not valid JSON: {error}")).at("body"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_webhook_that_never_ends_is_given_up() {
        let (parts, ()) = axum::http::Request::new(()).into_parts();
        let endless = Body::from_stream(futures_util::stream::pending::<Result<Vec<u8>, std::io::Error>>());
        let refused = read_hook(&parts, endless, HOOK_CAP).await.unwrap_err();
        assert_eq!(refused.status, 408);
    }
}
