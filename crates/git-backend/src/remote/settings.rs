//! [`RemoteSettings`]: a remote, and how to talk to it.

use std::path::PathBuf;
use std::sync::Arc;

use cfgupdater_core::RefName;

use super::credentials::CredentialSource;
use super::remote_url::RemoteUrl;
use super::ssh_identity::SshIdentity;

/// Where a remote is, who logs in there, and what its pushes carry.
#[derive(Debug, Clone)]
pub struct RemoteSettings {
    pub(crate) url: RemoteUrl,
    pub(crate) credentials: Option<Arc<dyn CredentialSource>>,
    pub(crate) ssh: Option<SshIdentity>,
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) inherits_proxy: bool,
    pub(crate) push_options: PushOptions,
    pub(crate) git: PathBuf,
}

/// Options that pushes of some references carry, such as `ci.skip`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct PushOptions {
    pub(crate) refs: Vec<RefName>,
    pub(crate) options: Vec<String>,
}

impl RemoteSettings {
    /// Talks to `url` by the `git` found in `PATH`, anonymously.
    pub fn new(url: RemoteUrl) -> Self {
        Self {
            url,
            credentials: None,
            ssh: None,
            ca_file: None,
            inherits_proxy: false,
            push_options: PushOptions::default(),
            git: "git".into(),
        }
    }

    /// Logs in over HTTP.
    #[must_use]
    pub fn with_credentials(mut self, credentials: Arc<dyn CredentialSource>) -> Self {
        self.credentials = Some(credentials);
        self
    }

    /// Logs in over SSH.
    #[must_use]
    pub fn with_ssh(mut self, identity: SshIdentity) -> Self {
        self.ssh = Some(identity);
        self
    }

    /// Trusts the certificate authorities in this PEM file.
    #[must_use]
    pub fn with_ca_file(mut self, file: impl Into<PathBuf>) -> Self {
        self.ca_file = Some(file.into());
        self
    }

    /// Passes on the proxy variables of this process (`https_proxy`, `no_proxy` and their like).
    #[must_use]
    pub fn with_inherited_proxy(mut self) -> Self {
        self.inherits_proxy = true;
        self
    }

    /// Sends `options` with every push that moves none but `refs`. A remote that takes no options is sent none.
    #[must_use]
    pub fn with_push_options(mut self, refs: Vec<RefName>, options: Vec<String>) -> Self {
        self.push_options = PushOptions { refs, options };
        self
    }

    /// Uses this `git`.
    #[must_use]
    pub fn with_git(mut self, program: impl Into<PathBuf>) -> Self {
        self.git = program.into();
        self
    }
}
