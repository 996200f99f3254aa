//! [`Http`]: one GET after the other, with a login, limits and without surprises.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use cfgupdater_core::{Error, ErrorKind};
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderValue};
use reqwest::{Certificate, Client, Response, Url, redirect};

use super::access::{Access, is_loopback};
use super::failure;

/// How long it may take until somebody answers at all.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a whole answer may take.
const TIMEOUT: Duration = Duration::from_secs(15);

/// The largest answer that is read, in bytes: applications of thousands of resources stay below it.
const LARGEST: usize = 8 * 1024 * 1024;

/// Asks one API.
#[derive(Debug)]
pub(super) struct Http {
    access: Access,
    /// Made at the first question, and anew once a certificate was not trusted.
    client: Mutex<Option<Client>>,
}

impl Http {
    pub(super) fn new(access: Access) -> Self {
        Self { access, client: Mutex::default() }
    }

    /// Gets JSON from below the API's URL.
    pub(super) async fn get(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Vec<u8>, Error> {
        let mut url = self.access.url.clone();
        url.path_segments_mut().expect("an http URL has a path").pop_if_empty().extend(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let mut request = self.client()?.get(url.clone()).header(ACCEPT, "application/json");
        if let Some(file) = &self.access.token_file {
            request = request.header(AUTHORIZATION, bearer(file).await?);
        }
        let response = request.send().await.map_err(|cause| self.unanswered(&url, &cause))?;
        if !response.status().is_success() {
            return Err(failure::refused(&url, response.status(), response.headers()));
        }
        read(&url, response).await
    }

    fn client(&self) -> Result<Client, Error> {
        let mut client = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = &*client {
            return Ok(client.clone());
        }
        Ok(client.insert(make(&self.access)?).clone())
    }

    fn unanswered(&self, url: &Url, cause: &reqwest::Error) -> Error {
        let Some(why) = failure::certificate_error(cause) else { return failure::unanswered(url, cause) };
        // Clusters change their authority: the next question reads the file again.
        self.client.lock().unwrap_or_else(PoisonError::into_inner).take();
        failure::untrusted(url, why, self.access.ca_file.as_deref())
    }
}

async fn read(url: &Url, mut response: Response) -> Result<Vec<u8>, Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|cause| failure::unanswered(url, &cause))? {
        if body.len() + chunk.len() > LARGEST {
            return Err(failure::nonsense(url, &format!("is larger than {LARGEST} bytes")));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

async fn bearer(file: &Path) -> Result<HeaderValue, Error> {
    let wrong = |why: &str| {
        Error::new(ErrorKind::Unauthenticated, format!("the token file {} {why}", file.display()))
    };
    let text =
        tokio::fs::read_to_string(file).await.map_err(|cause| wrong("can't be read").with_source(cause))?;
    let token = text.lines().next().unwrap_or_default().trim();
    if token.is_empty() {
        return Err(wrong("is empty; write the token into it"));
    }
    let mut value = HeaderValue::from_str(&format!("Bearer {token}")).map_err(|_| wrong("holds no token"))?;
    value.set_sensitive(true);
    Ok(value)
}

fn make(access: &Access) -> Result<Client, Error> {
    // A second call finds the provider installed, which is all that matters.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = Client::builder()
        .user_agent(concat!("cfgupdater/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(TIMEOUT)
        // The login must not follow a redirection to another host.
        .redirect(redirect::Policy::none());
    if is_loopback(&access.url) {
        builder = builder.no_proxy();
    }
    if let Some(file) = &access.ca_file {
        builder = builder.tls_certs_only(certificates(file)?);
    } else if access.url.scheme() == "http" {
        // Reading the system's certificates takes long, and nobody would look at them.
        builder = builder.tls_certs_only([]);
    }
    builder
        .build()
        .map_err(|cause| Error::new(ErrorKind::Other, "no HTTP client can be made").with_source(cause))
}

fn certificates(path: &Path) -> Result<Vec<Certificate>, Error> {
    let wrong =
        |why: &str| Error::new(ErrorKind::Invalid, format!("the certificate file {} {why}", path.display()));
    let text = std::fs::read(path).map_err(|cause| wrong("can't be read").with_source(cause))?;
    let found = Certificate::from_pem_bundle(&text).map_err(|_| wrong("is not PEM"))?;
    if found.is_empty() { Err(wrong("holds no certificate")) } else { Ok(found) }
}
