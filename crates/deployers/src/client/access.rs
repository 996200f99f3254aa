//! [`Access`]: where an API is, and how to log in there.

use std::path::{Path, PathBuf};

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
        Self::of_pod(|name| std::env::var(name).ok(), SERVICE_ACCOUNT)
    }

    /// Reaches the API of a Kubernetes cluster as a pod does: by its variables, and the files `token` and `ca.crt` in the
    /// directory of its service account.
    ///
    /// # Errors
    /// Fails where there is no variable `KUBERNETES_SERVICE_HOST`, and where the variables make no address.
    pub fn of_pod(
        variable: impl Fn(&str) -> Option<String>,
        service_account: impl AsRef<Path>,
    ) -> Result<Self, Error> {
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        let host = variable("KUBERNETES_SERVICE_HOST").ok_or_else(|| {
            let message =
                "this is no pod of a Kubernetes cluster (KUBERNETES_SERVICE_HOST is not set); name a url";
            Error::new(ErrorKind::Invalid, message)
        })?;
        let host = if host.contains(':') { format!("[{host}]") } else { host };
        let port = variable("KUBERNETES_SERVICE_PORT").unwrap_or_else(|| "443".to_owned());
        let access = Self::new(&format!("https://{host}:{port}"))?;
        let file = |name: &str| service_account.as_ref().join(name);
        Ok(access.with_token_file(file("token")).with_ca_file(file("ca.crt")))
    }

    /// Logs in with the bearer token in a file, which is read for each request: clusters change it often.
    #[must_use]
    pub fn with_token_file(mut self, file: impl Into<PathBuf>) -> Self {
        self.token_file = Some(file.into());
        self
    }

    /// Trusts the certificate authorities in a PEM file and no others. It is read again once a certificate was not trusted.
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
    #[test]
    fn a_pod_is_told_where_its_cluster_is() {
        let of_pod = |variables: &[(&str, &str)]| {
            let found = |name: &str| {
                let named = variables.iter().find(|(known, _)| *known == name);
                named.map(|(_, value)| (*value).to_owned())
            };
            Access::of_pod(found, "/account")
        };
        let (host, port) = ("KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT");
        for (variables, url) in [
            (&[(host, "10.0.0.1"), (port, "6443")][..], "https://10.0.0.1:6443/"),
            (&[(host, "10.0.0.1")], "https://10.0.0.1/"),
            (&[(host, "10.0.0.1"), (port, "")], "https://10.0.0.1/"),
            (&[(host, "fd00::1"), (port, "443")], "https://[fd00::1]/"),
        ] {
            let access = of_pod(variables).unwrap();
            assert_eq!(access.url.as_str(), url);
            assert_eq!(access.token_file.as_deref(), Some(Path::new("/account/token")));
            assert_eq!(access.ca_file.as_deref(), Some(Path::new("/account/ca.crt")));
        }
        for nowhere in [&[][..], &[(host, "")], &[(port, "443")]] {
            let error = of_pod(nowhere).unwrap_err();
            assert!(error.to_string().contains("KUBERNETES_SERVICE_HOST is not set); name a url"), "{error}");
        }
        assert_eq!(of_pod(&[(host, "10.0.0.1"), (port, "x")]).unwrap_err().kind(), ErrorKind::Invalid);
    }
}
