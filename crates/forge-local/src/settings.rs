//! What a local forge is told.

use std::path::PathBuf;
use std::time::Duration;

/// A check that this process runs.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckCommand {
    /// The check's name.
    pub context: String,
    /// Program and arguments; run in a directory that holds the commit's files and nothing else.
    pub command: Vec<String>,
    /// How long it may run; then it has failed.
    pub timeout: Duration,
}

impl CheckCommand {
    /// Builds a check that may run for ten minutes.
    pub fn new(context: impl Into<String>, command: Vec<String>) -> Self {
        Self { context: context.into(), command, timeout: Duration::from_mins(10) }
    }
}

/// How a local forge works.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct LocalForgeSettings {
    /// The checks it runs itself; without any, all results come from outside.
    pub runs: Vec<CheckCommand>,
    /// Where commits are laid out for checks; each in a directory of its own that is removed afterwards.
    pub scratch: PathBuf,
    /// What links to kept output start with: `{evidence_url}/{sha}/{context}`.
    pub evidence_url: String,
    /// Tells this replica from others in claims.
    pub replica: String,
    /// How long a claim holds unless it is renewed.
    pub lease: Duration,
    /// How many checks run at once.
    pub concurrency: usize,
}

impl LocalForgeSettings {
    /// Builds settings for a forge that runs nothing itself.
    pub fn new(
        scratch: impl Into<PathBuf>,
        evidence_url: impl Into<String>,
        replica: impl Into<String>,
    ) -> Self {
        Self {
            runs: Vec::new(),
            scratch: scratch.into(),
            evidence_url: evidence_url.into(),
            replica: replica.into(),
            lease: Duration::from_mins(2),
            concurrency: 2,
        }
    }
}
