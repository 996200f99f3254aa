//! The configuration file as it is written: every key there is.

mod forge;
mod waves;

use std::net::SocketAddr;
use std::num::NonZeroU16;
use std::path::PathBuf;

use cfgupdater::core::{BranchName, RepoName};
use serde::Deserialize;
use toml::Spanned;

use super::deploy::Deploy;
use super::duration::Span;
use super::render::Render;

pub(crate) use forge::{Forge, Project, Run};
pub(crate) use waves::{ImageSet, Target, Wave};

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    pub(crate) server: Server,
    #[serde(default)]
    pub(crate) repo: Vec<Repo>,
    #[serde(default)]
    pub(crate) registry: Vec<Registry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Server {
    #[serde(default = "default_listen")]
    pub(crate) listen: Spanned<SocketAddr>,
    #[serde(default = "default_data_dir")]
    pub(crate) data_dir: PathBuf,
    #[serde(default)]
    pub(crate) auth: AuthMode,
    /// What links in evidence start with; where the service listens unless it is behind a proxy.
    pub(crate) public_url: Option<String>,
    /// How many repositories render at the same time: one for each processor unless it is set.
    pub(crate) max_renderings: Option<NonZeroU16>,
    /// Absent where TLS ends at a proxy.
    pub(crate) tls: Option<Tls>,
    #[serde(default)]
    pub(crate) token: Vec<Token>,
}

/// A certificate chain and its key, in PEM files that are read again when they change.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tls {
    pub(crate) cert_file: PathBuf,
    pub(crate) key_file: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AuthMode {
    #[default]
    Tokens,
    None,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Token {
    pub(crate) name: Spanned<String>,
    pub(crate) env: Option<String>,
    pub(crate) file: Option<PathBuf>,
    pub(crate) scopes: Vec<Spanned<String>>,
}

/// A registry that announced images are looked up in.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Registry {
    /// Written as in references: `registry.example.com:5000`.
    pub(crate) host: Spanned<String>,
    /// Logins, written as Docker's `config.json`.
    pub(crate) auth_file: Option<PathBuf>,
    pub(crate) ca_file: Option<Spanned<PathBuf>>,
    #[serde(default)]
    pub(crate) plain_http: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Repo {
    pub(crate) name: Spanned<RepoName>,
    pub(crate) url: Spanned<String>,
    pub(crate) stable: Option<BranchName>,
    pub(crate) auto: Option<BranchName>,
    pub(crate) state: Option<BranchName>,
    pub(crate) probe: Option<BranchName>,
    #[serde(default)]
    pub(crate) landing: Landing,
    #[serde(default)]
    pub(crate) mode: Mode,
    #[serde(default)]
    pub(crate) generation: u64,
    pub(crate) foreign: Option<Spanned<Foreign>>,
    pub(crate) resync: Option<Span>,
    pub(crate) batch_window: Option<Span>,
    pub(crate) forge: Forge,
    #[serde(default)]
    pub(crate) checks: Checks,
    #[serde(default)]
    pub(crate) git: Git,
    #[serde(default)]
    pub(crate) commit: Commit,
    pub(crate) render: Option<Render>,
    #[serde(default)]
    pub(crate) image_set: Vec<ImageSet>,
    #[serde(default)]
    pub(crate) wave: Vec<Wave>,
    #[serde(default)]
    pub(crate) deploy: Vec<Deploy>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Landing {
    #[default]
    Tip,
    EveryCommit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Mode {
    #[default]
    Act,
    Observe,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Foreign {
    Park,
    Carry,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Checks {
    /// Absent where the forge says what is required.
    pub(crate) required: Option<Vec<Required>>,
    pub(crate) allow_empty_required: bool,
    pub(crate) not_started_timeout: Option<Span>,
    pub(crate) running_timeout: Option<Span>,
}

/// A required check: its name, or its name with the only source that counts.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged, expecting = "a check's name, or { name = \"…\", source = \"…\" }")]
pub(crate) enum Required {
    Name(String),
    Bound(BoundCheck),
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BoundCheck {
    pub(crate) name: String,
    pub(crate) source: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Git {
    pub(crate) ssh_key_file: Option<PathBuf>,
    pub(crate) known_hosts_file: Option<PathBuf>,
    pub(crate) token_file: Option<PathBuf>,
    pub(crate) username: Option<String>,
    pub(crate) ca_file: Option<PathBuf>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Commit {
    pub(crate) name: Option<Spanned<String>>,
    pub(crate) email: Option<Spanned<String>>,
    pub(crate) ssh_signing_key_file: Option<Spanned<PathBuf>>,
}

fn default_listen() -> Spanned<SocketAddr> {
    Spanned::new(0..0, SocketAddr::from(([127, 0, 0, 1], 8080)))
}

fn default_data_dir() -> PathBuf {
    PathBuf::from("cfgupdater-data")
}
