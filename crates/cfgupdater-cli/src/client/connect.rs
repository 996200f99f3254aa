//! [`Address`]: where a service is and how it is reached.

use std::path::Path;
use std::time::Duration;

use reqwest::{Certificate, Url, redirect};

use crate::exit::Failure;

/// How long it may take until somebody answers at all.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Where a service is.
#[derive(Debug, Clone)]
pub(crate) struct Address {
    pub(super) url: Url,
    extra_certificates: Vec<Certificate>,
}

impl Address {
    /// Reads the service's URL, and the certificates to trust in addition to the system's.
    pub(crate) fn new(url: &str, ca_file: Option<&Path>) -> Result<Self, Failure> {
        let wrong = |why: &str| Failure::usage(format!("the service's URL {why}"));
        let parsed = Url::parse(url).map_err(|error| wrong(&format!("`{url}` can't be read: {error}")))?;
        if !parsed.username().is_empty() || parsed.password().is_some() {
            return Err(wrong("must not hold a secret: put the token into CFGUPDATER_TOKEN or a file"));
        }
        if !matches!(parsed.scheme(), "http" | "https") || parsed.query().is_some() {
            return Err(wrong(&format!("`{url}` must look like https://cfgupdater.example.com")));
        }
        let extra_certificates = ca_file.map(certificates).transpose()?.unwrap_or_default();
        Ok(Self { url: parsed, extra_certificates })
    }

    pub(super) fn http_client(&self) -> Result<reqwest::Client, Failure> {
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("cfgupdater/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            // A redirected POST would become a GET, and the token would follow it.
            .redirect(redirect::Policy::none());
        if self.is_loopback() {
            builder = builder.no_proxy();
        }
        // A second call finds the provider installed, which is all that matters.
        let _ = rustls::crypto::ring::default_provider().install_default();
        builder = if self.url.scheme() == "https" {
            builder.tls_certs_merge(self.extra_certificates.clone())
        } else {
            // Without TLS there is no need for the system's certificates, nor for the time it takes to read them.
            builder.tls_certs_only([])
        };
        builder.build().map_err(|error| Failure::failed(format!("no HTTP client can be made: {error:?}")))
    }

    fn is_loopback(&self) -> bool {
        let host = self.url.host_str().unwrap_or_default();
        let address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
        host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    }
}

fn certificates(path: &Path) -> Result<Vec<Certificate>, Failure> {
    let wrong = |why: String| Failure::usage(format!("the certificate file {} {why}", path.display()));
    let text = std::fs::read(path).map_err(|error| wrong(format!("can't be read: {error}")))?;
    let found = Certificate::from_pem_bundle(&text).map_err(|_| wrong("is not PEM".to_owned()))?;
    if found.is_empty() { Err(wrong("holds no certificate".to_owned())) } else { Ok(found) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_in_the_url_is_refused_and_not_repeated() {
        let failure = Address::new("https://user:s3cret@example.com", None).unwrap_err();
        assert!(
            failure.message.contains("CFGUPDATER_TOKEN") && !failure.message.contains("s3cret"),
            "{failure}"
        );
    }

    #[test]
    fn only_http_will_do() {
        for wrong in ["example.com", "ftp://example.com", "https://example.com/?x=1"] {
            assert!(Address::new(wrong, None).is_err(), "{wrong}");
        }
    }

    #[test]
    fn loopback_is_known_by_name_and_number() {
        let loopback = |url| Address::new(url, None).unwrap().is_loopback();
        assert!(
            loopback("http://localhost:1") && loopback("http://127.0.0.1:1") && loopback("http://[::1]:1")
        );
        assert!(!loopback("http://example.com") && !loopback("http://10.0.0.1"));
    }

    #[test]
    fn both_kinds_of_client_can_be_made() {
        for url in ["http://127.0.0.1:1", "https://127.0.0.1:1"] {
            Address::new(url, None).unwrap().http_client().unwrap();
        }
    }

    #[test]
    fn a_file_without_certificates_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let failure = Address::new("https://example.com", Some(file.path())).unwrap_err();
        assert!(failure.message.contains("holds no certificate"), "{failure}");
    }
}
