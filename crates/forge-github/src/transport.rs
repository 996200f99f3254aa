//! One HTTP exchange with the API, on octocrab.

use std::sync::Arc;

use cfgupdater_core::{ApiUsage, Error, ErrorKind};
use cfgupdater_forge_http::{Answer, Budget, HttpClient, HttpSettings, Secret, now};
use http::{HeaderName, HeaderValue, Method, Request, header};
use http_body_util::BodyExt;
use octocrab::service::middleware::base_uri::BaseUriLayer;
use octocrab::service::middleware::extra_headers::ExtraHeadersLayer;
use octocrab::{AuthState, Octocrab, OctocrabBuilder};

use crate::connector::Connector;
use crate::settings::GithubSettings;

/// The version of the API that is spoken.
///
/// Source: <https://docs.github.com/en/rest/about-the-rest-api/api-versions>.
const API_VERSION: &str = "2022-11-28";

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ask<'a> {
    pub(crate) method: &'a Method,
    /// Path and query, below the API's address.
    pub(crate) target: &'a str,
    /// The mark of the answer that is known already.
    pub(crate) known: Option<&'a str>,
    pub(crate) body: Option<&'a serde_json::Value>,
}

impl<'a> Ask<'a> {
    pub(crate) fn get(target: &'a str) -> Self {
        Self { method: &Method::GET, target, known: None, body: None }
    }

    pub(crate) fn post(target: &'a str, body: Option<&'a serde_json::Value>) -> Self {
        Self { method: &Method::POST, target, known: None, body }
    }
}

/// Sends requests to one API.
#[derive(Debug)]
pub(crate) struct Transport {
    octocrab: Octocrab,
    /// What GitHub still takes of the installation, or of whoever made the token.
    pub(crate) budget: Budget,
    /// What it still takes of the App itself, which it counts apart.
    of_app: Budget,
}

impl Transport {
    pub(crate) fn new(settings: &GithubSettings) -> Result<Self, Error> {
        let base: http::Uri = settings.api_url.parse().map_err(|_| wrong_url(&settings.api_url))?;
        if base.host().is_none() || !matches!(base.scheme_str(), Some("https" | "http")) {
            return Err(wrong_url(&settings.api_url));
        }
        let mut http = HttpSettings::default();
        http.ca_file.clone_from(&settings.ca_file);
        http.proxy.clone_from(&settings.proxy);
        let headers = [
            (header::ACCEPT, "application/vnd.github+json"),
            (header::USER_AGENT, concat!("cfgupdater/", env!("CARGO_PKG_VERSION"))),
            (HeaderName::from_static("x-github-api-version"), API_VERSION),
        ];
        let headers = headers.map(|(name, value)| (name, HeaderValue::from_static(value)));
        // Assembled by hand: octocrab's own defaults send a second User-Agent and retry at once.
        let octocrab = OctocrabBuilder::new_empty()
            .with_service(Connector(HttpClient::new(&base, &http)?))
            .with_layer(&ExtraHeadersLayer::new(Arc::new(headers.to_vec())))
            .with_layer(&BaseUriLayer::new(base))
            .with_auth(AuthState::None)
            .build()
            .unwrap_or_else(|never| match never {});
        Ok(Self { octocrab, budget: Budget::default(), of_app: Budget::default() })
    }

    /// Returns what was asked by whomever, and what is left of the installation's budget: the App's own is never short.
    pub(crate) fn usage(&self) -> ApiUsage {
        let (mut usage, of_app) = (self.budget.usage(), self.of_app.usage());
        usage.requests += of_app.requests;
        usage.limited += of_app.limited;
        usage
    }

    /// Asks once, as whoever holds `token`; not at all while GitHub wants no requests.
    pub(crate) async fn send(&self, ask: Ask<'_>, token: &Secret) -> Result<Answer, Error> {
        self.spend(&self.budget, ask, token).await
    }

    /// Asks once, as the App itself by its signed `word`.
    pub(crate) async fn send_as_app(&self, ask: Ask<'_>, word: &Secret) -> Result<Answer, Error> {
        self.spend(&self.of_app, ask, word).await
    }

    async fn spend(&self, budget: &Budget, ask: Ask<'_>, secret: &Secret) -> Result<Answer, Error> {
        budget.admit(now())?;
        let answer = self.exchange(ask, secret).await?;
        let body = if answer.status == 403 { answer.text(secret) } else { String::new() };
        budget.record(answer.status, &answer.headers, &body, now());
        Ok(answer)
    }

    async fn exchange(&self, ask: Ask<'_>, token: &Secret) -> Result<Answer, Error> {
        let away = || {
            let message =
                format!("GitHub's API did not answer {} {}; it is tried again", ask.method, ask.target);
            Error::new(ErrorKind::Unavailable, message)
        };
        let mut request = Request::builder().method(ask.method).uri(ask.target);
        if let Some(known) = ask.known {
            request = request.header(header::IF_NONE_MATCH, known);
        }
        let invalid =
            |cause| Error::new(ErrorKind::Invalid, "a request could not be made").with_source(cause);
        let body = ask.body.map(serde_json::Value::to_string).unwrap_or_default();
        if ask.body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let request = request.body(body).map_err(invalid)?;
        let octocrab =
            self.octocrab.user_access_token(token.expose()).map_err(|cause| away().with_source(cause))?;
        let answer = octocrab.execute(request).await.map_err(|cause| away().with_source(flat(&cause)))?;
        let (parts, body) = answer.into_parts();
        let body = body.collect().await.map_err(|cause| away().with_source(cause))?.to_bytes();
        Ok(Answer::new(parts.status.as_u16(), parts.headers, body.to_vec()))
    }
}

/// Tells the causes of an error without the backtrace that octocrab prints with each.
fn flat(error: &(dyn std::error::Error + 'static)) -> String {
    let mut deepest = error;
    while let Some(cause) = deepest.source() {
        deepest = cause;
    }
    deepest.to_string()
}

fn wrong_url(url: &str) -> Error {
    let message =
        format!("api_url `{url}` is no address; for an Enterprise Server write https://HOST/api/v3");
    Error::new(ErrorKind::Invalid, message)
}
