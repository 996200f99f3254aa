//! [`MemoryGitServer`]: the other side of [`MemoryRemote`](super::MemoryRemote).

use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cfgupdater_core::{CommitId, Error, ErrorKind, GitRepo, ObjectFormat, RefEdit, RefMap, RefName, Retry};

use super::repo::{Head, MemoryRepo};

/// What goes wrong with one call, the next one that it can happen to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Any call: the server can't be reached, and nothing was sent.
    Unreachable,
    /// Any call: the server doesn't answer until the deadline has passed. No time passes really.
    Silent,
    /// A push: somebody else moves a reference after it was advertised and before it is updated.
    Race {
        /// The reference.
        name: RefName,
        /// Where it is moved.
        to: Option<CommitId>,
    },
    /// A push: the connection ends after everything was sent. The reference can be read again.
    Cut {
        /// Whether the push was taken.
        taken: bool,
    },
    /// A push: the connection ends after everything was sent, and the reference can't be read again.
    Blind {
        /// Whether the push was taken.
        taken: bool,
    },
}

impl Fault {
    fn concerns(&self, is_push: bool) -> bool {
        is_push || matches!(self, Self::Unreachable | Self::Silent)
    }
}

type ReceiveHook = Arc<dyn Fn(&[RefEdit]) -> Result<(), String> + Send + Sync>;
type UpdateHook = Arc<dyn Fn(&RefEdit) -> Result<(), String> + Send + Sync>;

/// A remote repository in memory, which any number of clients share. Clones are the same server.
#[derive(Debug, Clone)]
pub struct MemoryGitServer {
    repo: MemoryRepo,
    settings: Arc<Mutex<Settings>>,
}

pub(super) struct Settings {
    pub(super) pre_receive: Option<ReceiveHook>,
    pub(super) update: Option<UpdateHook>,
    pub(super) denies_rewinding: bool,
    pub(super) is_atomic: bool,
    pub(super) locked: BTreeSet<RefName>,
    faults: VecDeque<Fault>,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").field("faults", &self.faults).finish_non_exhaustive()
    }
}

impl MemoryGitServer {
    /// Makes an empty one.
    pub fn new(format: ObjectFormat) -> Self {
        let settings = Settings {
            pre_receive: None,
            update: None,
            denies_rewinding: false,
            is_atomic: true,
            locked: BTreeSet::new(),
            faults: VecDeque::new(),
        };
        Self { repo: MemoryRepo::new(format), settings: Arc::new(Mutex::new(settings)) }
    }

    /// Returns its repository, for reading and for moving references as other people do.
    pub fn repo(&self) -> &MemoryRepo {
        &self.repo
    }

    /// Asks `hook` before a push is taken, as git asks `pre-receive`. What it returns as an error declines the push.
    pub fn before_receiving(&self, hook: impl Fn(&[RefEdit]) -> Result<(), String> + Send + Sync + 'static) {
        self.settings().pre_receive = Some(Arc::new(hook));
    }

    /// Asks `hook` before a reference is updated, as git asks `update`.
    pub fn before_updating(&self, hook: impl Fn(&RefEdit) -> Result<(), String> + Send + Sync + 'static) {
        self.settings().update = Some(Arc::new(hook));
    }

    /// Declines to rewind references, as git does with `receive.denyNonFastForwards`.
    pub fn deny_rewinding(&self) {
        self.settings().denies_rewinding = true;
    }

    /// Takes the edits of a push one by one, as servers do that know no atomic push.
    pub fn take_edits_singly(&self) {
        self.settings().is_atomic = false;
    }

    /// Holds the lock of a reference, as somebody does whose transaction is under way, or lets it go.
    pub fn lock(&self, name: &RefName, held: bool) {
        let mut settings = self.settings();
        if held {
            settings.locked.insert(name.clone())
        } else {
            settings.locked.remove(name)
        };
    }

    /// Lets something go wrong. Faults happen in the order they were injected, one a call.
    pub fn inject(&self, fault: Fault) {
        self.settings().faults.push_back(fault);
    }

    /// Takes the fault that happens to the call that begins now.
    pub(super) fn next_fault(&self, is_push: bool) -> Option<Fault> {
        let mut settings = self.settings();
        let at = settings.faults.iter().position(|fault| fault.concerns(is_push))?;
        settings.faults.remove(at)
    }

    /// Reads references; those that don't exist are left out.
    pub(super) fn list(&self, names: &[RefName]) -> Result<RefMap, Error> {
        let mut found = RefMap::new();
        for name in names {
            if let Some(id) = self.repo.resolve(name)? {
                found.insert(name.clone(), id);
            }
        }
        Ok(found)
    }

    /// Returns the branch that `HEAD` names, if it is born.
    pub(super) fn head_branch(&self) -> Result<Option<RefName>, Error> {
        match self.repo.head() {
            Head::Branch(branch) => Ok(self.repo.resolve(&branch)?.map(|_| branch)),
            Head::Detached(_) => Ok(None),
        }
    }

    pub(super) fn settings(&self) -> MutexGuard<'_, Settings> {
        self.settings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn unreachable() -> Error {
    Error::new(ErrorKind::Unavailable, "the server in memory can't be reached; it is tried again later")
}

pub(super) fn locked(name: &RefName) -> Error {
    let message = format!("{name} is locked at the server in memory; it is tried again later");
    Error::new(ErrorKind::Unavailable, message).with_retry(Retry::Backoff)
}

pub(super) fn silent() -> Error {
    Error::new(ErrorKind::TimedOut, "the server in memory doesn't answer: the deadline passed")
}
