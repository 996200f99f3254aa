//! [`Http`]: the HTTP clients in use, made when they are needed.

use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use cfgupdater_core::{Error, ErrorKind};
use reqwest::{Certificate, Client, Url, redirect};

use super::address::is_loopback;
use super::settings::RegistrySettings;

/// How long it may take until somebody answers at all.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// One client with TLS and one without: reading the system's certificates takes longer than many a build.
#[derive(Debug, Default)]
pub(super) struct Http {
    tls: OnceLock<Client>,
    plain: OnceLock<Client>,
    loopback: OnceLock<Client>,
}

impl Http {
    /// Returns the client for a URL.
    pub(super) fn client(&self, url: &Url, settings: &RegistrySettings) -> Result<&Client, Error> {
        let (place, certificates): (_, Option<Vec<Certificate>>) = match url.scheme() {
            "https" => (&self.tls, Some(Vec::new())),
            _ if is_loopback(url) => (&self.loopback, None),
            _ => (&self.plain, None),
        };
        if let Some(client) = place.get() {
            return Ok(client);
        }
        let certificates = match (certificates, &settings.ca_file) {
            (Some(_), Some(file)) => Some(read_certificates(file)?),
            (none_of_ours, _) => none_of_ours,
        };
        let client = make(certificates, is_loopback(url))?;
        Ok(place.get_or_init(|| client))
    }
}

fn make(certificates: Option<Vec<Certificate>>, direct: bool) -> Result<Client, Error> {
    // A second call finds the provider installed, which is all that matters.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = Client::builder()
        .user_agent(concat!("cfgupdater/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT_TIMEOUT)
        // Redirections are followed by hand: the login must not follow them to another host.
        .redirect(redirect::Policy::none());
    if direct {
        builder = builder.no_proxy();
    }
    builder = match certificates {
        Some(extra) => builder.tls_certs_merge(extra),
        None => builder.tls_certs_only([]),
    };
    builder.build().map_err(|cause| {
        Error::new(ErrorKind::Other, "no HTTP client can be made; check ca_file").with_source(cause)
    })
}

fn read_certificates(path: &Path) -> Result<Vec<Certificate>, Error> {
    let wrong =
        |why: &str| Error::new(ErrorKind::Invalid, format!("the certificate file {} {why}", path.display()));
    let text = std::fs::read(path).map_err(|cause| wrong("can't be read").with_source(cause))?;
    let found = Certificate::from_pem_bundle(&text).map_err(|_| wrong("is not PEM"))?;
    if found.is_empty() { Err(wrong("holds no certificate")) } else { Ok(found) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_of_all_kinds_can_be_made() {
        let (http, settings) = (Http::default(), RegistrySettings::anonymous());
        for url in ["https://example.com", "http://example.com", "http://127.0.0.1:1"] {
            http.client(&url.parse().unwrap(), &settings).unwrap();
        }
    }

    #[test]
    fn a_file_without_certificates_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let settings = RegistrySettings::anonymous().with_ca_file(file.path());
        let error = Http::default().client(&"https://example.com".parse().unwrap(), &settings).unwrap_err();
        assert!(error.to_string().contains("holds no certificate"), "{error}");
    }
}
