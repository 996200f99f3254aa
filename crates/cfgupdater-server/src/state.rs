//! What every request can reach.

use std::collections::BTreeMap;
use std::sync::Arc;

use cfgupdater::RepoHandle;
use cfgupdater::core::RepoName;
use tokio::sync::{Semaphore, watch};

use crate::metrics::HttpMetrics;
use crate::problem::Problem;
use crate::tokens::Tokens;

/// How many calls may be under way at once; further ones are told to come back.
const CONCURRENT_CALLS: usize = 1024;

/// What every request can reach; cheap to clone.
#[derive(Debug, Clone)]
pub struct AppState {
    pub(crate) repos: Arc<BTreeMap<RepoName, RepoHandle>>,
    pub(crate) tokens: Arc<Tokens>,
    pub(crate) calls: Arc<Semaphore>,
    pub(crate) metrics: Arc<HttpMetrics>,
    pub(crate) stopping: watch::Receiver<bool>,
}

impl AppState {
    /// Builds the state of an API for these repositories and tokens. Long polls end when `stopping` becomes true.
    pub fn new(
        repos: impl IntoIterator<Item = RepoHandle>,
        tokens: Tokens,
        stopping: watch::Receiver<bool>,
    ) -> Self {
        let repos = repos.into_iter().map(|handle| (handle.name().clone(), handle)).collect();
        Self {
            repos: Arc::new(repos),
            tokens: Arc::new(tokens),
            calls: Arc::new(Semaphore::new(CONCURRENT_CALLS)),
            metrics: Arc::default(),
            stopping,
        }
    }

    pub(crate) fn repo(&self, name: &str) -> Result<&RepoHandle, Problem> {
        let unknown =
            || Problem::unknown(format!("repository `{}` is not configured", name.escape_debug())).at("repo");
        name.parse::<RepoName>().ok().and_then(|name| self.repos.get(&name)).ok_or_else(unknown)
    }
}
