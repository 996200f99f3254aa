//! [`Engine`]: one task a repository that carries out what the reconciler commands.

use std::sync::Arc;

use cfgupdater_core::{Forge, GitRemote, GitRepo, Policy, RepoName};

use crate::handle::RepoHandle;

/// What a repository is run on.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Backends {
    /// Its local objects.
    pub repo: Arc<dyn GitRepo>,
    /// Its remote.
    pub remote: Arc<dyn GitRemote>,
    /// Where its checks come from.
    pub forge: Arc<dyn Forge>,
}

impl Backends {
    /// Builds the backends of one repository.
    pub fn new(repo: Arc<dyn GitRepo>, remote: Arc<dyn GitRemote>, forge: Arc<dyn Forge>) -> Self {
        Self { repo, remote, forge }
    }
}

/// Runs repositories until it is stopped or dropped. Must be used inside a tokio runtime.
#[derive(Debug, Default)]
pub struct Engine {}

impl Engine {
    /// Builds an engine without repositories.
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts the task of one repository.
    pub fn start(&mut self, name: RepoName, policy: Policy, backends: Backends) -> RepoHandle {
        let _ = (name, policy, backends);
        unimplemented!("being written")
    }

    /// Stops all tasks; an effect under way is finished first.
    pub async fn stop(self) {}
}
