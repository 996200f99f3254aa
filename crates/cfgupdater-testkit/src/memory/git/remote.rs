//! [`MemoryRemote`]: [`GitRemote`] in memory.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use cfgupdater_core::{CommitId, Error, Expected, GitRemote, GitRepo, RefEdit, RefMap, RefName, RefOutcome};

use super::object::{invalid, not_found};
use super::push;
use super::repo::MemoryRepo;
use super::server::{Fault, MemoryGitServer, silent, unreachable};

/// A client of a [`MemoryGitServer`] with a local repository of its own.
///
/// It is stricter than git: a name is asked for once a call, a lease names a value that this client has seen, and what
/// is pushed is there with its whole history. Each of them fails, where git would guess or find out later.
#[derive(Debug, Clone)]
pub struct MemoryRemote {
    server: MemoryGitServer,
    local: MemoryRepo,
    seen: Arc<Mutex<BTreeSet<CommitId>>>,
}

impl MemoryRemote {
    /// Makes a client that fetches into and pushes from `local`.
    pub fn new(server: MemoryGitServer, local: MemoryRepo) -> Self {
        Self { server, local, seen: Arc::default() }
    }

    /// Begins a call: it has a name once, and some time.
    fn begin(&self, names: &[RefName], deadline: Duration, is_push: bool) -> Result<Option<Fault>, Error> {
        if names.iter().collect::<BTreeSet<_>>().len() != names.len() {
            return Err(invalid("a call names a reference twice"));
        }
        if deadline.is_zero() {
            return Err(silent());
        }
        match self.server.next_fault(is_push) {
            Some(Fault::Unreachable) => Err(unreachable()),
            Some(Fault::Silent) if !is_push => Err(silent()),
            fault => Ok(fault),
        }
    }

    fn see(&self, ids: impl IntoIterator<Item = CommitId>) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).extend(ids);
    }

    fn require_pushable(&self, edits: &[RefEdit]) -> Result<(), Error> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        for edit in edits {
            match edit.expected {
                Expected::Exactly(Some(old)) if !seen.contains(&old) => {
                    return Err(invalid(&format!(
                        "the lease on {} names {old}, which this client never saw there; list or fetch it first",
                        edit.name
                    )));
                }
                _ => {}
            }
            if let Some(new) = edit.new.filter(|new| !self.local.has_commit(new).unwrap_or(false)) {
                return Err(not_found(&format!("there is no commit {new} to push")));
            }
        }
        let new: Vec<CommitId> = edits.iter().filter_map(|edit| edit.new).collect();
        self.local.require_whole(&new)
    }

    /// Sends objects and edits; what is reached by nothing does no harm at the server.
    fn send(&self, edits: &[RefEdit], fault: Option<&Fault>) -> Result<Vec<RefOutcome>, Error> {
        let new: Vec<CommitId> = edits.iter().filter_map(|edit| edit.new).collect();
        self.local.copy_to(self.server.repo(), &new)?;
        let outcomes = self.server.receive(edits, fault)?;
        for (edit, outcome) in edits.iter().zip(&outcomes) {
            match outcome {
                RefOutcome::Moved => self.see(edit.new),
                RefOutcome::Stale { actual } => self.see(*actual),
                _ => {}
            }
        }
        Ok(outcomes)
    }

    /// Tells what can be found out after a push that nobody answered.
    fn settle(&self, edits: &[RefEdit], can_look: bool) -> Result<Vec<RefOutcome>, Error> {
        let names: Vec<RefName> = edits.iter().map(|edit| edit.name.clone()).collect();
        let actual = self.server.list(&names)?;
        let settle = |edit: &RefEdit| {
            let actual = actual.get(&edit.name).copied();
            let is_old = match edit.expected {
                Expected::Exactly(old) => actual == old,
                Expected::Ancestor => true,
            };
            match actual {
                _ if !can_look => unsure("nobody answers any more"),
                actual if actual == edit.new => RefOutcome::Moved,
                _ if is_old => unsure("the connection ended; the server may still be at it"),
                actual => RefOutcome::Stale { actual },
            }
        };
        Ok(edits.iter().map(settle).collect())
    }
}

fn unsure(reason: &str) -> RefOutcome {
    RefOutcome::Indeterminate { reason: reason.to_owned() }
}

#[async_trait]
impl GitRemote for MemoryRemote {
    async fn ls_remote(&self, names: &[RefName], deadline: Duration) -> Result<RefMap, Error> {
        self.begin(names, deadline, false)?;
        let listed = self.server.list(names)?;
        self.see(listed.values().copied());
        Ok(listed)
    }

    async fn fetch(&self, names: &[RefName], deadline: Duration) -> Result<RefMap, Error> {
        self.begin(names, deadline, false)?;
        if self.local.object_format() != self.server.repo().object_format() {
            let message = "the local repository has another object format; make one of the server's";
            return Err(Error::new(cfgupdater_core::ErrorKind::Corrupt, message));
        }
        let listed = self.server.list(names)?;
        let tips: Vec<CommitId> = listed.values().copied().collect();
        self.server.repo().copy_to(&self.local, &tips)?;
        self.see(tips);
        Ok(listed)
    }

    async fn push(&self, edits: &[RefEdit], deadline: Duration) -> Result<Vec<RefOutcome>, Error> {
        push::check(edits)?;
        if edits.is_empty() {
            return Ok(Vec::new());
        }
        self.require_pushable(edits)?;
        let names: Vec<RefName> = edits.iter().map(|edit| edit.name.clone()).collect();
        match self.begin(&names, deadline, true)? {
            Some(Fault::Silent | Fault::Cut { taken: false }) => self.settle(edits, true),
            Some(Fault::Blind { taken: false }) => self.settle(edits, false),
            Some(fault @ (Fault::Cut { taken: true } | Fault::Blind { taken: true })) => {
                self.send(edits, None)?;
                self.settle(edits, matches!(fault, Fault::Cut { .. }))
            }
            fault => self.send(edits, fault.as_ref()),
        }
    }

    async fn head_branch(&self, deadline: Duration) -> Result<Option<RefName>, Error> {
        self.begin(&[], deadline, false)?;
        self.server.head_branch()
    }
}
