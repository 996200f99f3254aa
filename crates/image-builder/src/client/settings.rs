//! [`RegistrySettings`]: how registries are reached and who logs in.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use super::logins::Logins;

/// How registries are reached, whom to trust, and who logs in.
#[derive(Debug, Clone)]
pub struct RegistrySettings {
    pub(super) logins: Option<Logins>,
    pub(super) ca_file: Option<PathBuf>,
    pub(super) plain_http: BTreeSet<String>,
    pub(super) https: BTreeSet<String>,
    pub(super) retry_for: Duration,
    pub(super) answer_within: Duration,
    pub(super) longest_request: Option<u64>,
}

impl Default for RegistrySettings {
    fn default() -> Self {
        Self::anonymous()
    }
}

impl RegistrySettings {
    /// Logs in nowhere and trusts the certificates that the system trusts.
    pub fn anonymous() -> Self {
        Self {
            logins: None,
            ca_file: None,
            plain_http: BTreeSet::new(),
            https: BTreeSet::new(),
            retry_for: Duration::from_mins(2),
            answer_within: Duration::from_mins(1),
            longest_request: None,
        }
    }

    /// Logs in as `docker login` or `podman login` left it: by the file that `REGISTRY_AUTH_FILE` names, or by the first
    /// of Docker's configuration and Podman's that has a login for the registry.
    #[must_use]
    pub fn with_usual_logins(mut self) -> Self {
        self.logins = Some(Logins::usual(|name| std::env::var_os(name)));
        self
    }

    /// Logs in by this file, written as Docker's `config.json`.
    #[must_use]
    pub fn with_auth_file(mut self, file: impl Into<PathBuf>) -> Self {
        self.logins = Some(Logins::named(file.into()));
        self
    }

    /// Trusts the certificate authorities in this PEM file, too.
    #[must_use]
    pub fn with_ca_file(mut self, file: impl Into<PathBuf>) -> Self {
        self.ca_file = Some(file.into());
        self
    }

    /// Talks to this host, written as in image names, without TLS. Loopback addresses need no such word.
    #[must_use]
    pub fn with_plain_http(mut self, host: impl Into<String>) -> Self {
        self.plain_http.insert(host.into());
        self
    }

    /// Talks to this host with TLS although it is a loopback address.
    #[must_use]
    pub fn with_https(mut self, host: impl Into<String>) -> Self {
        self.https.insert(host.into());
        self
    }

    /// Repeats what failed in passing for this long; two minutes without it.
    #[must_use]
    pub fn with_retry_for(mut self, span: Duration) -> Self {
        self.retry_for = span;
        self
    }

    /// Waits this long for an answer; a minute without it. Large contents are given more, by their size.
    #[must_use]
    pub fn with_answer_within(mut self, span: Duration) -> Self {
        self.answer_within = span;
        self
    }

    /// Sends larger content in pieces of this many bytes, each held in memory: for registries behind a proxy that limits
    /// requests. Without it content is streamed in one request, which every registry must take, and sent in pieces only
    /// where it was refused as too large.
    #[must_use]
    pub fn with_longest_request(mut self, bytes: u64) -> Self {
        self.longest_request = Some(bytes.max(1));
        self
    }
}
