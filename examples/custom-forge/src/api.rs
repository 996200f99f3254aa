//! Requests to Gitea's API.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use cfgupdater_core::{Error, ErrorKind, Timestamp};
use cfgupdater_forge_http::{Budget, Refused, SecretSource, failure, redact};
use reqwest::header::HeaderMap;
use reqwest::{Certificate, Client, Response, redirect};
use serde::de::DeserializeOwned;

use crate::settings::GiteaSettings;

/// How long one request may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Longest answer that is read, in bytes.
const LONGEST: usize = 16 << 20;

/// Asks one server on behalf of one account.
#[derive(Debug)]
pub(crate) struct Api {
    client: Client,
    base: String,
    token: SecretSource,
    budget: Budget,
}

/// An answer that is what was asked for.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) headers: HeaderMap,
    body: Vec<u8>,
}

impl Api {
    pub(crate) fn new(settings: &GiteaSettings) -> Result<Self, Error> {
        let client = client(settings)?;
        let (base, token) = (settings.api_url.clone(), settings.token.clone());
        Ok(Self { client, base, token, budget: Budget::default() })
    }

    /// Asks for what is at a path; `what` says so in errors.
    pub(crate) async fn get(&self, what: &str, path: &str) -> Result<Answer, Error> {
        self.budget.admit(now())?;
        let token = self.token.current()?;
        let request = self.client.get(format!("{}{path}", self.base));
        let authorised = request.header("authorization", format!("token {}", token.expose()));
        let unreachable = |error| unreachable(what, error);
        let response = authorised.send().await.map_err(unreachable)?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = read(response, what).await?;
        let text =
            if status == 200 { String::new() } else { redact(&String::from_utf8_lossy(&body), [&token]) };
        self.budget.record(status, &headers, &text, now());
        if status == 200 {
            return Ok(Answer { headers, body });
        }
        Err(failure(what, &Refused { status, headers: &headers, body: &text }, now()))
    }
}

impl Answer {
    /// Reads the body.
    pub(crate) fn json<T: DeserializeOwned>(&self, what: &str) -> Result<T, Error> {
        serde_json::from_slice(&self.body).map_err(|error| {
            let message = format!("{what}: the answer is not what Gitea documents; it is asked again");
            Error::new(ErrorKind::Unavailable, message).with_source(error)
        })
    }
}

fn client(settings: &GiteaSettings) -> Result<Client, Error> {
    // A second call finds the provider installed, which is all that matters.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let unusable = |cause| {
        let message = "no HTTP client can be made for Gitea; check `ca_file`";
        Error::new(ErrorKind::Invalid, message).with_source(cause)
    };
    let mut builder = Client::builder()
        .user_agent(concat!("cfgupdater-gitea/", env!("CARGO_PKG_VERSION")))
        .timeout(TIMEOUT)
        // The token must not follow a redirection to another host.
        .redirect(redirect::Policy::none());
    if let Some(file) = &settings.ca_file {
        let missing = |cause| {
            let message = format!("{} can't be read; name another `ca_file`", file.display());
            Error::new(ErrorKind::Invalid, message).with_source(cause)
        };
        let pem = std::fs::read(file).map_err(missing)?;
        builder = builder.tls_certs_merge(Certificate::from_pem_bundle(&pem).map_err(unusable)?);
    }
    builder.build().map_err(unusable)
}

/// Reads a body that isn't larger than any answer should be.
async fn read(mut response: Response, what: &str) -> Result<Vec<u8>, Error> {
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(|error| unreachable(what, error))? {
        if body.len() + piece.len() > LONGEST {
            let message = format!("{what}: the answer is longer than {LONGEST} bytes; is this Gitea's API?");
            return Err(Error::new(ErrorKind::Other, message));
        }
        body.extend_from_slice(&piece);
    }
    Ok(body)
}

fn unreachable(what: &str, error: reqwest::Error) -> Error {
    let kind = if error.is_timeout() { ErrorKind::TimedOut } else { ErrorKind::Unavailable };
    let message = format!("{what}: Gitea could not be reached; it is tried again");
    Error::new(kind, message).with_source(error.without_url())
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
