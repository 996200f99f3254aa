//! [`Access`]: where an API is, and how to log in there.

use std::path::PathBuf;

use cfgupdater_core::{Error, ErrorKind};
use reqwest::Url;

/// Where Kubernetes puts what a pod needs to talk to it.
const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// Where an API is, and how to log in there.
#[derive(Debug, Clone)]
pub struct Access {
    pub(super) url: Url,
    pub(super) token_file: Option<PathBuf>,
    pub(super) ca_file: Option<PathBuf>,
}

impl Access {
    /// Reaches an API at a URL, without a login.
    ///
    /// # Errors
    /// Refuses what isn't a plain `https` URL. On a loopback address `http` will do.
    pub fn new(url: &str) -> Result<Self, Error> {
        let refuse =
            |why: &str| Error::new(ErrorKind::Invalid, format!("the URL of a deploy tool's API {why}"));
        let parsed: Url =
            url.parse().map_err(|_| refuse("can't be read; write https://HOST[:PORT][/PATH]"))?;
        if !parsed.username().is_empty() || parsed.password().is_some() {
            return Err(refuse("must not hold a login; name a token_file"));
        }
        if parsed.query().is_some() || parsed.fragment().is_some() {
            return Err(refuse("must end with its path"));
        }
        match parsed.scheme() {
            "https" => {}
            "http" if is_loopback(&parsed) => {}
            "http" => return Err(refuse("must be https: a token would be readable on its way")),
            _ => return Err(refuse("must be https")),
        }
        Ok(Self { url: parsed, token_file: None, ca_file: None })
    }

    /// Reaches the API of the Kubernetes cluster that this process runs in, as its service account.
    ///
    /// # Errors
    /// Fails outside of a cluster.
    pub fn in_cluster() -> Result<Self, Error> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let host = variable("KUBERNETES_SERVICE_HOST").ok_or_else(|| {
            let message =
                "this is no pod of a Kubernetes cluster (KUBERNETES_SERVICE_HOST is not set); name a url";
            Error::new(ErrorKind::Invalid, message)
        })?;
        let host = if host.contains(':') { format!("[{host}]") } else { host };
        let port = variable("KUBERNETES_SERVICE_PORT").unwrap_or_else(|| "443".to_owned());
        let access = Self::new(&format!("https://{host}:{port}"))?;
        let file = |name: &str| PathBuf::from(SERVICE_ACCOUNT).join(name);
        Ok(access.with_token_file(file("token")).with_ca_file(file("ca.crt")))
    }

    /// Logs in with the bearer token in a file, which is read for each request: clusters change it often.
    #[must_use]
    pub fn with_token_file(mut self, file: impl Into<PathBuf>) -> Self {
        self.token_file = Some(file.into());
        self
    }

    /// Trusts the certificate authorities in a PEM file and no others.
    #[must_use]
    pub fn with_ca_file(mut self, file: impl Into<PathBuf>) -> Self {
        self.ca_file = Some(file.into());
        self
    }
}

pub(super) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_sent_over_tls_alone() {
        for fine in [
            "https://argocd.example.com",
            "https://a.example.com/argo/",
            "http://127.0.0.1:1",
            "http://[::1]:1",
        ] {
            assert!(Access::new(fine).is_ok(), "{fine}");
        }
        for bad in [
            "http://argocd.example.com",
            "argocd.example.com",
            "ftp://x",
            "https://a?b",
            "",
            "http://127.0.0.1.example.com",
        ] {
            assert!(Access::new(bad).is_err(), "{bad}");
        }
        let error = Access::new("https://me:canary@example.com").unwrap_err();
        assert!(!error.to_string().contains("canary"), "{error}");
    }
}
