//! [`Slot`]: a configured repository, from before it can be opened.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use axum::http::StatusCode;
use cfgupdater::RepoHandle;
use cfgupdater::core::{Code, Finding, Forge};

use crate::problem::Problem;

/// What came of the latest attempt to read a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reading {
    /// There was none yet.
    Untried,
    /// It was read.
    Succeeded,
    /// It could not be, and why.
    Failed(String),
}

/// A configured repository that may not be open yet; cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Slot {
    handle: Arc<OnceLock<RepoHandle>>,
    /// Its forge, which is known before the repository can be read.
    forge: Arc<Mutex<Option<Arc<dyn Forge>>>>,
    /// Why the latest attempt to open it failed.
    trouble: Arc<Mutex<Option<String>>>,
    /// What was last found of the forge's settings.
    findings: Arc<Mutex<Option<Arc<[Finding]>>>>,
}

impl Slot {
    /// Builds a slot that is open.
    pub(crate) fn open(handle: RepoHandle) -> Self {
        let slot = Self::default();
        slot.fill(handle);
        slot
    }

    /// Opens it.
    pub(crate) fn fill(&self, handle: RepoHandle) {
        self.connected(Arc::clone(handle.forge()));
        let _ = self.handle.set(handle);
    }

    /// Keeps the forge: what it delivers can be told from what others send before the repository is open.
    pub(crate) fn connected(&self, forge: Arc<dyn Forge>) {
        *self.forge.lock().unwrap_or_else(PoisonError::into_inner) = Some(forge);
    }

    pub(crate) fn forge(&self) -> Result<Arc<dyn Forge>, Problem> {
        let known = self.forge.lock().unwrap_or_else(PoisonError::into_inner).clone();
        known.ok_or_else(|| self.closed())
    }

    /// Keeps why it could not be opened.
    pub(crate) fn failed(&self, why: String) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
    }

    /// Keeps what was found of the forge's settings, and tells whether it is something else than before.
    pub(crate) fn found(&self, findings: Vec<Finding>) -> bool {
        let mut kept = self.findings.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = kept.as_deref() != Some(findings.as_slice());
        *kept = Some(findings.into());
        changed
    }

    /// Returns what was last found of the forge's settings, `None` until they were looked at.
    pub(crate) fn findings(&self) -> Option<Arc<[Finding]>> {
        self.findings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn handle(&self) -> Result<&RepoHandle, Problem> {
        self.handle.get().ok_or_else(|| self.closed())
    }

    fn closed(&self) -> Problem {
        let trouble = self.trouble();
        let why = trouble.as_deref().unwrap_or("it is being opened");
        let detail = format!("the repository is not open yet: {why}; repeat the call, it is safe");
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail)
    }

    /// Returns why the latest attempt to open it failed, where one did.
    fn trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Tells whether the repository can be read now.
    pub(crate) fn reading(&self) -> Reading {
        let Some(handle) = self.handle.get() else {
            return self.trouble().map_or(Reading::Untried, Reading::Failed);
        };
        let view = handle.view();
        if view.reachable && view.snapshot.is_some() {
            return Reading::Succeeded;
        }
        if view.counters.failed_observations == 0 {
            return Reading::Untried;
        }
        let remote = view.why.iter().rev().find(|reason| reason.code == Code::Remote);
        Reading::Failed(
            remote.map_or_else(|| "its latest reading failed".to_owned(), |reason| reason.text.clone()),
        )
    }
}
