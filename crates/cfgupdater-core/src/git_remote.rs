//! [`GitRemote`]: the references of one repository elsewhere, and how they move.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;

use crate::error::Error;
use crate::name::RefName;
use crate::object_id::CommitId;

/// References and what they point at.
pub type RefMap = BTreeMap<RefName, CommitId>;

/// Talks to the remote of one repository.
///
/// # Contract
/// Every call ends within its deadline, and dropping its future ends it at once, with every process it started.
/// Nothing is retried inside. A push moves each reference only as its [`RefEdit`] allows; what happened to each is
/// told by [`RefOutcome`], never guessed from wording: after a rejection or an interruption the reference is read
/// again. Only where it is as it was may words tell a refusal from a lost race or a lock.
#[async_trait]
pub trait GitRemote: Debug + Send + Sync {
    /// Lists the named references that exist. `HEAD` is resolved to the branch it names under its own key.
    ///
    /// # Errors
    /// Fails where the remote can't be reached, doesn't exist or refuses us.
    async fn ls_remote(&self, names: &[RefName], deadline: Duration) -> Result<RefMap, Error>;

    /// Brings the named references and all they reach into the local repository, and returns what was brought.
    ///
    /// Names the remote doesn't have are left out of the answer. What comes back is consistent: every commit in it,
    /// with its history, can be read from the local repository.
    ///
    /// # Errors
    /// Fails as [`GitRemote::ls_remote`] does, and with [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) where the
    /// local repository can't take it.
    async fn fetch(&self, names: &[RefName], deadline: Duration) -> Result<RefMap, Error>;

    /// Moves references in one push, all of them or none. Where the remote can't do that, they are moved one after the
    /// other in their order, and none after the first that doesn't move: what comes first is what counts.
    ///
    /// Returns one outcome an edit, in their order.
    ///
    /// # Errors
    /// Fails only where no reference can have moved, also where somebody holds its lock at the remote
    /// ([`ErrorKind::Unavailable`](crate::ErrorKind::Unavailable)); whatever is unsure is [`RefOutcome::Indeterminate`].
    async fn push(&self, edits: &[RefEdit], deadline: Duration) -> Result<Vec<RefOutcome>, Error>;

    /// Returns the branch that the remote's `HEAD` names, `None` where it is unborn or detached.
    ///
    /// # Errors
    /// Fails as [`GitRemote::ls_remote`] does.
    async fn head_branch(&self, deadline: Duration) -> Result<Option<RefName>, Error>;
}

/// What a reference must be for an edit to apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Expected {
    /// Exactly this, or absent: compare-and-swap by an exact lease. For auto, state and scratch branches.
    Exactly(Option<CommitId>),
    /// An ancestor of the new value: a plain push, without lease and without force. For stable (invariant S2).
    Ancestor,
}

/// One movement of a reference, with the old value it believes in.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct RefEdit {
    /// The reference.
    pub name: RefName,
    /// What it must be now.
    pub expected: Expected,
    /// What it shall be, `None` to delete it.
    pub new: Option<CommitId>,
}

impl RefEdit {
    /// Moves a reference from exactly `old` to `new`; `None` stands for absence on either side.
    pub fn exact(name: RefName, old: Option<CommitId>, new: Option<CommitId>) -> Self {
        Self { name, expected: Expected::Exactly(old), new }
    }

    /// Moves a reference forward to `new` by a plain push.
    pub fn fast_forward(name: RefName, new: CommitId) -> Self {
        Self { name, expected: Expected::Ancestor, new: Some(new) }
    }
}

/// What became of one [`RefEdit`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum RefOutcome {
    /// The reference has its new value.
    Moved,
    /// Somebody else moved it first; `actual` is what it was when read again. For a fast-forward that may be an ancestor of
    /// the new value, and the next push goes through.
    Stale {
        /// The value found.
        actual: Option<CommitId>,
    },
    /// The remote refused and the reference is unchanged: a hook, a protected branch, a scanner.
    Declined {
        /// What the remote said.
        reason: String,
    },
    /// Another edit of the same push failed, so this one was not tried.
    Aborted,
    /// Nobody knows: the connection ended and the reference couldn't be read again.
    Indeterminate {
        /// What was seen last.
        reason: String,
    },
}
