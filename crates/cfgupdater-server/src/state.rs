//! What every request can reach.

use std::collections::BTreeMap;
use std::sync::Arc;

use cfgupdater::core::{ApiUsage, Finding, ForgeAction, ForgeAnswer, RepoName};
use cfgupdater::{ImageVerifier, RepoHandle, View};
use tokio::sync::{Semaphore, watch};

use crate::deliveries::Deliveries;
use crate::deploy::Hooks;
use crate::metrics::HttpMetrics;
use crate::problem::Problem;
use crate::slot::Slot;
use crate::tokens::Tokens;

/// How many calls may be under way at once; further ones are told to come back.
const CONCURRENT_CALLS: usize = 1024;

/// What every request can reach; cheap to clone.
#[derive(Debug, Clone)]
pub struct AppState {
    repos: Arc<BTreeMap<RepoName, Slot>>,
    pub(crate) tokens: Arc<Tokens>,
    pub(crate) calls: Arc<Semaphore>,
    pub(crate) metrics: Arc<HttpMetrics>,
    pub(crate) hooks: Arc<Hooks>,
    /// The webhooks of forges that were taken lately.
    pub(crate) deliveries: Arc<Deliveries>,
    pub(crate) stopping: watch::Receiver<bool>,
    /// Asks the registries, where there are any.
    pub(crate) verifier: Option<ImageVerifier>,
}

impl AppState {
    /// Builds the state of an API for these repositories and tokens. Long polls end when `stopping` becomes true.
    pub fn new(
        repos: impl IntoIterator<Item = RepoHandle>,
        tokens: Tokens,
        stopping: watch::Receiver<bool>,
    ) -> Self {
        let repos = repos.into_iter().map(|handle| (handle.name().clone(), Slot::open(handle))).collect();
        Self::of_slots(repos, tokens, stopping)
    }

    /// Builds the state for repositories that may not be open yet.
    pub(crate) fn of_slots(
        repos: BTreeMap<RepoName, Slot>,
        tokens: Tokens,
        stopping: watch::Receiver<bool>,
    ) -> Self {
        Self {
            repos: Arc::new(repos),
            tokens: Arc::new(tokens),
            calls: Arc::new(Semaphore::new(CONCURRENT_CALLS)),
            metrics: Arc::default(),
            hooks: Arc::default(),
            deliveries: Arc::default(),
            stopping,
            verifier: None,
        }
    }

    /// Has announced images verified, as the policy of their set says, before they are accepted.
    #[must_use]
    pub fn with_image_verifier(mut self, verifier: ImageVerifier) -> Self {
        self.verifier = Some(verifier);
        self
    }

    /// Lets deploy tools report by their hooks.
    #[must_use]
    pub(crate) fn with_hooks(mut self, hooks: Hooks) -> Self {
        self.hooks = Arc::new(hooks);
        self
    }

    pub(crate) fn repo(&self, name: &str) -> Result<&RepoHandle, Problem> {
        let unknown =
            || Problem::unknown(format!("repository `{}` is not configured", name.escape_debug())).at("repo");
        let slot =
            name.parse::<RepoName>().ok().and_then(|name| self.repos.get(&name)).ok_or_else(unknown)?;
        slot.handle()
    }

    /// Lists the names of all repositories.
    pub(crate) fn names(&self) -> impl Iterator<Item = &RepoName> {
        self.repos.keys()
    }

    /// Returns how often the deploy tools of each open repository were asked, and how often that failed.
    pub(crate) fn polls(&self) -> Vec<(&RepoName, (u64, u64))> {
        let polls = |(name, slot): (_, &Slot)| Some((name, slot.handle().ok()?.polls()));
        self.repos.iter().filter_map(polls).collect()
    }

    /// Returns what was last found of the settings of a repository's forge, `None` where nobody looked.
    pub(crate) fn findings(&self, name: &RepoName) -> Option<Arc<[Finding]>> {
        self.repos.get(name)?.findings()
    }

    /// Returns what was found of the settings of all forges that were looked at.
    pub(crate) fn all_findings(&self) -> Vec<(&RepoName, Arc<[Finding]>)> {
        self.repos.iter().filter_map(|(name, slot)| Some((name, slot.findings()?))).collect()
    }

    /// Returns the views of the repositories that are open.
    pub(crate) fn views(&self) -> Vec<Arc<View>> {
        self.repos.values().filter_map(|slot| slot.handle().ok()).map(RepoHandle::view).collect()
    }

    /// Returns what was asked of the forges that count it.
    pub(crate) async fn usages(&self) -> Vec<(&RepoName, ApiUsage)> {
        let mut usages = Vec::new();
        for (name, slot) in self.repos.iter() {
            let Ok(handle) = slot.handle() else { continue };
            if let Ok(ForgeAnswer::Usage(usage)) = handle.forge().perform(ForgeAction::ReadUsage).await {
                usages.push((name, usage));
            }
        }
        usages
    }

    /// Lists the repositories that could not be read the last time, or not yet.
    pub(crate) fn unread(&self) -> Vec<String> {
        let unread = |slot: &Slot| match slot.handle() {
            Ok(handle) => {
                let view = handle.view();
                !view.reachable || view.snapshot.is_none()
            }
            Err(_) => true,
        };
        self.repos.iter().filter(|(_, slot)| unread(slot)).map(|(name, _)| name.to_string()).collect()
    }
}
