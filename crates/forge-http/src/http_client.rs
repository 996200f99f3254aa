//! [`HttpClient`]: one exchange with a forge's API, within deadlines, whoever vouches for the server.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cfgupdater_core::{Error, ErrorKind};
use http::{HeaderMap, Request, Uri};
use reqwest::{Certificate, Proxy, redirect};

use crate::secret::{Secret, redact};

/// How long it may take until somebody answers at all, and until an answer is there.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const TIMEOUT: Duration = Duration::from_secs(30);

/// Largest answer that is read, in bytes.
const ANSWER_CAP: usize = 32 * 1024 * 1024;

/// How a forge's API is reached. `Debug` doesn't show the proxy's address, which may hold a password.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct HttpSettings {
    /// Certificate authorities to trust besides the system's, as PEM.
    pub ca_file: Option<PathBuf>,
    /// The proxy to use; `None` for the one that the environment names.
    pub proxy: Option<String>,
}

impl fmt::Debug for HttpSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let proxy = self.proxy.as_ref().map(|_| "***");
        f.debug_struct("HttpSettings").field("ca_file", &self.ca_file).field("proxy", &proxy).finish()
    }
}

/// Sends requests to one API. It follows no redirection, since a token must not; it tries nothing twice.
#[derive(Debug, Clone)]
pub struct HttpClient(reqwest::Client);

/// What an API answered, whatever it is.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The header fields.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// Builds an answer that was had by other means.
    pub fn new(status: u16, headers: HeaderMap, body: Vec<u8>) -> Self {
        Self { status, headers, body }
    }

    /// Returns the body as text, without the secret that was sent.
    pub fn text(&self, sent: &Secret) -> String {
        redact(&String::from_utf8_lossy(&self.body), [sent])
    }
}

impl HttpClient {
    /// Builds a client for the API at `base`.
    ///
    /// # Errors
    /// Fails where the address is none, or the proxy or the certificates can't be used.
    pub fn new(base: &Uri, settings: &HttpSettings) -> Result<Self, Error> {
        if base.host().is_none() || !matches!(base.scheme_str(), Some("https" | "http")) {
            let message = format!("`{base}` is no address of an API; write https://HOST/…");
            return Err(Error::new(ErrorKind::Invalid, message));
        }
        // A second call finds the provider installed, which is all that matters.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            // A repository that moved answers with a redirection, which must be seen: the token doesn't follow it.
            .redirect(redirect::Policy::none());
        if let Some(file) = &settings.ca_file {
            builder = builder.tls_certs_merge(certificates(file)?);
        }
        match &settings.proxy {
            Some(proxy) => {
                let wrong = |_| {
                    let message = "the proxy's address can't be used; write http://HOST:PORT";
                    Error::new(ErrorKind::Invalid, message)
                };
                builder = builder.proxy(Proxy::all(proxy).map_err(wrong)?);
            }
            None if is_loopback(base) => builder = builder.no_proxy(),
            None => {}
        }
        let failed = |cause| Error::new(ErrorKind::Other, "no HTTP client can be made").with_source(cause);
        builder.build().map(Self).map_err(failed)
    }

    /// Sends a request and reads the whole answer.
    ///
    /// # Errors
    /// Fails with [`ErrorKind::Unavailable`] where there is none, or one that is too large.
    pub async fn send(&self, request: Request<Vec<u8>>) -> Result<Answer, Error> {
        let what = format!("{} {}", request.method(), request.uri().path());
        let away = || {
            Error::new(ErrorKind::Unavailable, format!("the forge did not answer {what}; it is tried again"))
        };
        let unsent = |cause| Error::new(ErrorKind::Invalid, "a request could not be made").with_source(cause);
        let request = reqwest::Request::try_from(request).map_err(unsent)?;
        let mut answer =
            self.0.execute(request).await.map_err(|cause| away().with_source(deepest(&cause)))?;
        let (status, headers) = (answer.status().as_u16(), std::mem::take(answer.headers_mut()));
        let mut body = Vec::new();
        while let Some(piece) = answer.chunk().await.map_err(|cause| away().with_source(deepest(&cause)))? {
            if body.len() + piece.len() > ANSWER_CAP {
                return Err(away().with_source(format!("its answer is larger than {ANSWER_CAP} bytes")));
            }
            body.extend_from_slice(&piece);
        }
        Ok(Answer { status, headers, body })
    }
}

/// Tells the cause of all causes: those above it repeat the address.
fn deepest(error: &(dyn std::error::Error + 'static)) -> String {
    let mut deepest = error;
    while let Some(cause) = deepest.source() {
        deepest = cause;
    }
    deepest.to_string()
}

/// Tells whether an address is within this machine.
pub fn is_loopback(address: &Uri) -> bool {
    let host = address.host().unwrap_or_default();
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

#[cfg(test)]
mod tests {
    use super::*;

    fn made(url: &'static str, settings: &HttpSettings) -> Result<HttpClient, Error> {
        HttpClient::new(&Uri::from_static(url), settings)
    }

    #[test]
    fn what_is_no_address_is_refused() {
        made("https://forge.example/api", &HttpSettings::default()).unwrap();
        for url in ["forge.example", "ftp://forge.example/api", "/api"] {
            assert_eq!(made(url, &HttpSettings::default()).unwrap_err().kind(), ErrorKind::Invalid, "{url}");
        }
    }

    #[test]
    fn what_is_within_this_machine_is_known_by_its_host() {
        for url in ["http://localhost:1/api", "http://127.0.0.9", "https://[::1]:2/api"] {
            assert!(is_loopback(&Uri::from_static(url)), "{url}");
        }
        for url in ["http://forge.example", "http://10.0.0.1", "http://localhost.example", "/api"] {
            assert!(!is_loopback(&Uri::from_static(url)), "{url}");
        }
    }

    #[test]
    fn the_proxys_password_is_not_shown() {
        let settings = HttpSettings { ca_file: None, proxy: Some("http://me:canary@proxy:1".to_owned()) };
        let shown = format!("{settings:?}");
        assert!(!shown.contains("canary") && shown.contains("proxy: Some"), "{shown}");
    }

    #[test]
    fn a_file_without_certificates_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let settings = HttpSettings { ca_file: Some(file.path().to_owned()), proxy: None };
        let error = made("https://forge.example", &settings).unwrap_err();
        assert!(error.to_string().contains("holds no certificate"), "{error}");
        let settings = HttpSettings { ca_file: Some("/nonexistent".into()), proxy: None };
        let error = made("https://forge.example", &settings).unwrap_err();
        assert!(error.to_string().contains("/nonexistent can't be read"), "{error}");
    }
}
