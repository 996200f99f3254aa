//! `[repo.forge]`.

use std::path::PathBuf;

use serde::Deserialize;
use toml::Spanned;

use crate::config::duration::Span;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Forge {
    /// One of the kinds that the service knows.
    pub(crate) kind: Spanned<String>,
    pub(crate) api_url: Option<Spanned<String>>,
    pub(crate) app_id: Option<Spanned<u64>>,
    pub(crate) private_key_file: Option<Spanned<PathBuf>>,
    pub(crate) private_key_env: Option<Spanned<String>>,
    pub(crate) installation_id: Option<Spanned<u64>>,
    pub(crate) project: Option<Spanned<Project>>,
    pub(crate) token_file: Option<Spanned<PathBuf>>,
    pub(crate) token_env: Option<Spanned<String>>,
    pub(crate) webhook_secret_file: Option<Spanned<PathBuf>>,
    pub(crate) webhook_secret_env: Option<Spanned<String>>,
    pub(crate) ca_file: Option<Spanned<PathBuf>>,
    pub(crate) pushes_per_minute: Option<Spanned<u32>>,
    pub(crate) require_pipeline: Option<Spanned<bool>>,
    pub(crate) run: Option<Spanned<Vec<Run>>>,
}

/// A repository as its forge calls it: a path or a number.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged, expecting = "a project's path or its number")]
pub(crate) enum Project {
    Path(String),
    Number(u64),
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Run {
    pub(crate) context: String,
    pub(crate) command: Vec<String>,
    pub(crate) timeout: Option<Span>,
}
