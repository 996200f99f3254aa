//! One HTTP exchange with the API, on octocrab.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cfgupdater_core::{Error, ErrorKind};
use cfgupdater_forge_http::{Budget, Secret, redact};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, header};
use http_body_util::{BodyExt, Limited};
use octocrab::service::middleware::base_uri::BaseUriLayer;
use octocrab::service::middleware::extra_headers::ExtraHeadersLayer;
use octocrab::service::middleware::reqwest_connector::ReqwestConnector;
use octocrab::{AuthState, Octocrab, OctocrabBuilder};
use reqwest::{Certificate, Proxy, redirect};

use crate::clock;
use crate::settings::GithubSettings;

/// The version of the API that is spoken.
///
/// Source: <https://docs.github.com/en/rest/about-the-rest-api/api-versions>.
const API_VERSION: &str = "2022-11-28";

/// How long it may take until somebody answers at all, and until an answer is there.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const TIMEOUT: Duration = Duration::from_secs(30);

/// Largest answer that is read, in bytes.
const ANSWER_CAP: usize = 32 * 1024 * 1024;

/// What the API answered, whatever it is.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    /// Returns the body as text, without the secret that was sent.
    pub(crate) fn text(&self, sent: &Secret) -> String {
        redact(&String::from_utf8_lossy(&self.body), [sent])
    }
}

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
    /// What GitHub still takes of all who ask here.
    pub(crate) budget: Budget,
}

impl Transport {
    pub(crate) fn new(settings: &GithubSettings) -> Result<Self, Error> {
        let base: http::Uri = settings.api_url.parse().map_err(|_| wrong_url(&settings.api_url))?;
        if base.host().is_none() || !matches!(base.scheme_str(), Some("https" | "http")) {
            return Err(wrong_url(&settings.api_url));
        }
        let headers = [
            (header::ACCEPT, "application/vnd.github+json"),
            (header::USER_AGENT, concat!("cfgupdater/", env!("CARGO_PKG_VERSION"))),
            (HeaderName::from_static("x-github-api-version"), API_VERSION),
        ];
        let headers = headers.map(|(name, value)| (name, HeaderValue::from_static(value)));
        // Assembled by hand: octocrab's own defaults send a second User-Agent and retry at once.
        let octocrab = OctocrabBuilder::new_empty()
            .with_service(ReqwestConnector::new(http_client(settings, base.host().unwrap_or_default())?))
            .with_layer(&ExtraHeadersLayer::new(Arc::new(headers.to_vec())))
            .with_layer(&BaseUriLayer::new(base))
            .with_auth(AuthState::None)
            .build()
            .unwrap_or_else(|never| match never {});
        Ok(Self { octocrab, budget: Budget::default() })
    }

    /// Asks once, as whoever holds `token`; not at all while GitHub wants no requests.
    pub(crate) async fn send(&self, ask: Ask<'_>, token: &Secret) -> Result<Answer, Error> {
        self.budget.admit(clock::now())?;
        let answer = self.exchange(ask, token).await?;
        let body = if answer.status == 403 { answer.text(token) } else { String::new() };
        self.budget.record(answer.status, &answer.headers, &body, clock::now());
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
        let body = Limited::new(body, ANSWER_CAP).collect().await;
        let body = body.map_err(|cause| away().with_source(cause))?.to_bytes();
        Ok(Answer { status: parts.status.as_u16(), headers: parts.headers, body })
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

fn http_client(settings: &GithubSettings, host: &str) -> Result<reqwest::Client, Error> {
    // A second call finds the provider installed, which is all that matters.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = reqwest::Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(TIMEOUT)
        // A renamed repository answers with a redirection, which must be seen: the token doesn't follow it.
        .redirect(redirect::Policy::none());
    if let Some(file) = &settings.ca_file {
        builder = builder.tls_certs_merge(certificates(file)?);
    }
    match &settings.proxy {
        Some(proxy) => {
            let wrong = |_| {
                Error::new(ErrorKind::Invalid, "the proxy's address can't be used; write http://HOST:PORT")
            };
            builder = builder.proxy(Proxy::all(proxy).map_err(wrong)?);
        }
        None if is_loopback(host) => builder = builder.no_proxy(),
        None => {}
    }
    builder
        .build()
        .map_err(|cause| Error::new(ErrorKind::Other, "no HTTP client can be made").with_source(cause))
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn certificates(path: &Path) -> Result<Vec<Certificate>, Error> {
    let wrong =
        |why: &str| Error::new(ErrorKind::Invalid, format!("the certificate file {} {why}", path.display()));
    let text = std::fs::read(path).map_err(|cause| wrong("can't be read").with_source(cause))?;
    let found = Certificate::from_pem_bundle(&text).map_err(|_| wrong("is not PEM"))?;
    if found.is_empty() { Err(wrong("holds no certificate")) } else { Ok(found) }
}
