//! What every request can reach.

use std::collections::BTreeMap;
use std::sync::Arc;

use cfgupdater::core::{ApiUsage, Finding, ForgeAction, ForgeAnswer, RepoName};
use cfgupdater::{ImageVerifier, RepoHandle, View};
use tokio::sync::{Semaphore, watch};

use crate::api::RepoStatus;
use crate::deliveries::Deliveries;
use crate::deploy::Hooks;
use crate::fates::Fates;
use crate::metrics::HttpMetrics;
use crate::problem::Problem;
use crate::slot::{Reading, Slot};
use crate::status::shown;
use crate::tokens::Tokens;

/// How many calls may be under way at once; further ones are told to come back.
const CONCURRENT_CALLS: usize = 1024;

/// How many webhooks of forges and Flux may be under way at once. Anybody may send one, and each body is held whole
/// before it is known from whom it is: with this many, they take 256 MiB at most and no call's place.
const CONCURRENT_HOOKS: usize = 64;

/// What every request can reach; cheap to clone.
#[derive(Debug, Clone)]
pub struct AppState {
    repos: Arc<BTreeMap<RepoName, Slot>>,
    pub(crate) tokens: Arc<Tokens>,
    pub(crate) calls: Arc<Semaphore>,
    pub(crate) hook_calls: Arc<Semaphore>,
    pub(crate) metrics: Arc<HttpMetrics>,
    pub(crate) hooks: Arc<Hooks>,
    /// The webhooks of forges that were taken lately.
    pub(crate) deliveries: Arc<Deliveries>,
    /// What became of all of them.
    pub(crate) fates: Arc<Fates>,
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
            hook_calls: Arc::new(Semaphore::new(CONCURRENT_HOOKS)),
            metrics: Arc::default(),
            hooks: Arc::default(),
            deliveries: Arc::default(),
            fates: Arc::default(),
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
        self.slot(name)?.1.handle()
    }

    /// Finds a repository that may not be open yet.
    pub(crate) fn slot(&self, name: &str) -> Result<(&RepoName, &Slot), Problem> {
        let unknown =
            || Problem::unknown(format!("repository `{}` is not configured", name.escape_debug())).at("repo");
        let name = name.parse::<RepoName>().map_err(|_| unknown())?;
        self.repos.get_key_value(&name).ok_or_else(unknown)
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

    /// Returns the state of each repository, or why it isn't open.
    pub(crate) fn statuses(&self) -> Vec<(String, Result<RepoStatus, String>)> {
        let status = |slot: &Slot| match slot.handle() {
            Ok(handle) => Ok(shown(&handle.view(), slot.findings().as_deref())),
            Err(problem) => Err(problem.detail),
        };
        self.repos.iter().map(|(name, slot)| (name.to_string(), status(slot))).collect()
    }

    /// Returns what came of the latest attempt to read each repository.
    pub(crate) fn readings(&self) -> Vec<(&RepoName, Reading)> {
        self.repos.iter().map(|(name, slot)| (name, slot.reading())).collect()
    }
}
