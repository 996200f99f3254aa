//! `GET /`: the page for people, in a browser that can send no bearer token.

use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderName, header};
use axum::response::{Html, IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use crate::dashboard;
use crate::problem::Problem;
use crate::state::AppState;
use crate::tokens::{Caller, Scope};

/// What makes a browser ask for a name and a password.
const ASK: (HeaderName, &str) = (header::WWW_AUTHENTICATE, "Basic realm=\"cfgupdater\", charset=\"UTF-8\"");

/// The page runs nothing and loads nothing, whatever is written on it.
const POLICY: (HeaderName, &str) = (
    header::CONTENT_SECURITY_POLICY,
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
);

pub(crate) async fn dashboard(State(state): State<AppState>, Visitor(caller): Visitor) -> Response {
    match caller.needs(&Scope::Read) {
        Ok(()) => ([POLICY], Html(dashboard::page(&state.statuses()))).into_response(),
        Err(problem) => problem.into_response(),
    }
}

/// A caller whose token may be the password of a browser's login, by any name.
pub(crate) struct Visitor(Caller);

impl FromRequestParts<AppState> for Visitor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Response> {
        let header = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        if let Some(login) = header.and_then(|value| value.strip_prefix("Basic ")) {
            let known = password(login).and_then(|token| state.tokens.caller(Some(&token)));
            return known.map(Self).ok_or_else(unknown);
        }
        Caller::from_request_parts(parts, state).await.map(Self).map_err(|_| unknown())
    }
}

fn unknown() -> Response {
    let detail =
        "a valid token is needed: send it as the password, by any name, or as `Authorization: Bearer TOKEN`";
    let problem = Problem::new(axum::http::StatusCode::UNAUTHORIZED, detail);
    let mut response = problem.into_response();
    response.headers_mut().insert(ASK.0, axum::http::HeaderValue::from_static(ASK.1));
    response
}

/// Reads the password of a login.
fn password(login: &str) -> Option<String> {
    let decoded = String::from_utf8(BASE64_STANDARD.decode(login.trim()).ok()?).ok()?;
    decoded.split_once(':').map(|(_, password)| password.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_may_hold_colons_and_nonsense_is_none() {
        assert_eq!(password(&BASE64_STANDARD.encode("ann:to:ken")).as_deref(), Some("to:ken"));
        for nonsense in ["", "!!", &BASE64_STANDARD.encode("no colon"), &BASE64_STANDARD.encode(b"\xff:\xff")]
        {
            assert_eq!(password(nonsense), None, "{nonsense}");
        }
    }
}
