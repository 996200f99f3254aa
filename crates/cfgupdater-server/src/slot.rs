//! [`Slot`]: a configured repository, from before it can be opened.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use axum::http::StatusCode;
use cfgupdater::RepoHandle;
use cfgupdater::core::Finding;

use crate::problem::Problem;

/// A configured repository that may not be open yet; cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Slot {
    handle: Arc<OnceLock<RepoHandle>>,
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
        let _ = self.handle.set(handle);
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
        self.handle.get().ok_or_else(|| {
            let trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
            let why = trouble.as_deref().unwrap_or("it is being opened");
            let detail = format!("the repository is not open yet: {why}; repeat the call, it is safe");
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail)
        })
    }
}
