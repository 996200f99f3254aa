//! [`ForgeSection`]: what `[repo.forge]` says.

use std::path::PathBuf;
use std::time::Duration;

/// What `[repo.forge]` says, with paths made absolute. A kind reads the keys that mean something to it.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct ForgeSection {
    /// Where the forge's API is.
    pub api_url: Option<String>,
    /// The number of the GitHub App.
    pub app_id: Option<u64>,
    /// The file with the App's private key.
    pub private_key_file: Option<PathBuf>,
    /// The environment variable with the App's private key.
    pub private_key_env: Option<String>,
    /// The number of the App's installation.
    pub installation_id: Option<u64>,
    /// The repository as the forge calls it: a path, or a number in digits.
    pub project: Option<String>,
    /// The file with an access token.
    pub token_file: Option<PathBuf>,
    /// The environment variable with an access token.
    pub token_env: Option<String>,
    /// The file with the secret that webhooks are signed with.
    pub webhook_secret_file: Option<PathBuf>,
    /// The environment variable with that secret.
    pub webhook_secret_env: Option<String>,
    /// A file of certificate authorities to trust besides the system's.
    pub ca_file: Option<PathBuf>,
    /// How many pushes a minute the repository shall get; 0 for as many as there are.
    pub pushes_per_minute: Option<u32>,
    /// Whether a pipeline must pass, whatever else is required; `None` for the kind's own rule.
    pub require_pipeline: Option<bool>,
    /// The checks that the service runs itself.
    pub run: Vec<CheckRunner>,
}

/// A check that the service runs itself: `[[repo.forge.run]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckRunner {
    /// The check's name.
    pub context: String,
    /// Program and arguments.
    pub command: Vec<String>,
    /// How long it may run, `None` for the kind's own limit.
    pub timeout: Option<Duration>,
}

impl CheckRunner {
    /// Builds a check with the kind's own time limit.
    pub fn new(context: impl Into<String>, command: Vec<String>) -> Self {
        Self { context: context.into(), command, timeout: None }
    }
}
