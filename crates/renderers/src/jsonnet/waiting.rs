//! Whether anybody still waits for an evaluation.

use std::process::Child;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Held by whoever waits. Dropped, it ends the process that evaluates.
#[derive(Debug, Default)]
pub(super) struct Waiting(Evaluation);

/// What is evaluated for somebody.
#[derive(Debug, Clone, Default)]
pub(super) struct Evaluation(Arc<Mutex<Process>>);

#[derive(Debug, Default)]
struct Process {
    is_given_up: bool,
    child: Option<Arc<Mutex<Child>>>,
}

impl Waiting {
    /// Returns what is waited for.
    pub(super) fn evaluation(&self) -> Evaluation {
        self.0.clone()
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut process = self.0.process();
        process.is_given_up = true;
        process.end_if_given_up();
    }
}

impl Evaluation {
    /// Tells whether nobody waits for it any more.
    pub(super) fn is_given_up(&self) -> bool {
        self.process().is_given_up
    }

    /// Says which process evaluates.
    pub(super) fn runs_in(&self, child: &Arc<Mutex<Child>>) {
        let mut process = self.process();
        process.child = Some(Arc::clone(child));
        process.end_if_given_up();
    }

    fn process(&self) -> MutexGuard<'_, Process> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Process {
    fn end_if_given_up(&mut self) {
        if let Some(child) = self.child.take_if(|_| self.is_given_up) {
            // It may have ended by itself; whoever listens to it waits for its end.
            let _ = child.lock().unwrap_or_else(PoisonError::into_inner).kill();
        }
    }
}
