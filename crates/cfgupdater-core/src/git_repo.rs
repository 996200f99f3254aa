//! [`GitRepo`]: the local objects and references of one repository.

use std::fmt::Debug;

use crate::error::Error;
use crate::name::RefName;
use crate::object_id::{BlobId, CommitId, ObjectFormat, ObjectId, TreeId};
use crate::repo_path::RepoPath;
use crate::timestamp::Timestamp;

/// Reads and writes the objects of a local repository.
///
/// # Contract
/// Calls block and may be made from several threads. Objects written are durable enough to be pushed by
/// another process once the call has returned. Nothing here touches a worktree or the network, and merging,
/// trailers and chain rules are not a backend's business. A backend writes trees that `git fsck --strict`
/// accepts: sorted, without empty subtrees and without forbidden names.
///
/// # Errors
/// Every call fails with [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for a commit or object that isn't
/// there, and with [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) for one that can't be read.
#[expect(clippy::missing_errors_doc, reason = "every call fails alike, as the trait says")]
pub trait GitRepo: Debug + Send + Sync {
    /// Tells the hash function of this repository.
    fn object_format(&self) -> ObjectFormat;

    /// Returns the commit a reference points at, or `None` where there is no such reference.
    fn resolve(&self, name: &RefName) -> Result<Option<CommitId>, Error>;

    /// Reads a commit.
    fn commit(&self, id: &CommitId) -> Result<Commit, Error>;

    /// Tells whether a commit is in the object database; cheap for ids that are not.
    fn has_commit(&self, id: &CommitId) -> Result<bool, Error>;

    /// Tells whether `ancestor` is reachable from `descendant`; a commit is its own ancestor.
    fn is_ancestor(&self, ancestor: &CommitId, descendant: &CommitId) -> Result<bool, Error>;

    /// Returns the best common ancestor, `None` for unrelated histories.
    fn merge_base(&self, one: &CommitId, other: &CommitId) -> Result<Option<CommitId>, Error>;

    /// Lists commits, newest first, parents never before their children.
    fn walk(&self, range: &Walk) -> Result<Vec<CommitId>, Error>;

    /// Looks up one path of a tree.
    fn entry(&self, tree: &TreeId, path: &RepoPath) -> Result<Option<TreeEntry>, Error>;

    /// Lists one level of a tree, in git's order.
    fn list(&self, tree: &TreeId) -> Result<Vec<TreeEntry>, Error>;

    /// Lists the blobs, links and submodules that differ between two trees, by path.
    fn diff(&self, old: Option<&TreeId>, new: &TreeId) -> Result<Vec<TreeChange>, Error>;

    /// Reads a blob whole.
    fn blob(&self, id: &BlobId) -> Result<Vec<u8>, Error>;

    /// Writes a blob.
    fn write_blob(&self, content: &[u8]) -> Result<BlobId, Error>;

    /// Writes the tree that `base` becomes by `edits`, creating and pruning directories as needed.
    ///
    /// A file edit replaces a directory of its name and the other way round. Cost grows with the depth of the
    /// edited paths, never with the size of the tree.
    fn edit_tree(&self, base: Option<&TreeId>, edits: &[TreeEdit]) -> Result<TreeId, Error>;

    /// Writes a commit.
    fn write_commit(&self, commit: &NewCommit) -> Result<CommitId, Error>;
}

/// A commit as read.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Commit {
    /// Its id.
    pub id: CommitId,
    /// Its tree.
    pub tree: TreeId,
    /// Its parents, first parent first.
    pub parents: Vec<CommitId>,
    /// Who wrote the change, `name <email>`.
    pub author: String,
    /// When it was committed.
    pub committed_at: Timestamp,
    /// The whole message; bytes that are not UTF-8 are replaced.
    pub message: String,
}

impl Commit {
    /// Builds a commit as read from a repository.
    pub fn new(
        id: CommitId,
        tree: TreeId,
        parents: Vec<CommitId>,
        author: String,
        committed_at: Timestamp,
        message: String,
    ) -> Self {
        Self { id, tree, parents, author, committed_at, message }
    }

    /// Returns the first line of the message.
    pub fn subject(&self) -> &str {
        self.message.lines().next().unwrap_or_default()
    }
}

/// Which commits [`GitRepo::walk`] lists: those reachable from `tip` and from none of `hide`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Walk {
    /// Where to start.
    pub tip: CommitId,
    /// What to leave out, with all its ancestors.
    pub hide: Vec<CommitId>,
    /// Follow first parents only.
    pub first_parent: bool,
    /// Stop after this many.
    pub limit: Option<usize>,
}

impl Walk {
    /// Lists all that is reachable from `tip`.
    pub fn from(tip: CommitId) -> Self {
        Self { tip, hide: Vec::new(), first_parent: false, limit: None }
    }

    /// Leaves out `commit` and its ancestors.
    #[must_use]
    pub fn hiding(mut self, commit: CommitId) -> Self {
        self.hide.push(commit);
        self
    }

    /// Follows first parents only.
    #[must_use]
    pub fn first_parent(mut self) -> Self {
        self.first_parent = true;
        self
    }

    /// Stops after `limit` commits.
    #[must_use]
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = Some(limit);
        self
    }
}

/// The kind of a tree entry, by git's mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntryKind {
    /// `100644`.
    File,
    /// `100755`.
    Executable,
    /// `120000`.
    Symlink,
    /// `040000`.
    Tree,
    /// `160000`, a submodule's commit.
    Submodule,
}

/// One entry of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TreeEntry {
    /// Its name, or its whole path where it comes from a diff; bytes, since git has no encoding.
    pub name: Vec<u8>,
    /// Its kind.
    pub kind: EntryKind,
    /// The object it names.
    pub id: ObjectId,
}

impl TreeEntry {
    /// Builds an entry.
    pub fn new(name: impl Into<Vec<u8>>, kind: EntryKind, id: ObjectId) -> Self {
        Self { name: name.into(), kind, id }
    }
}

/// One path that differs between two trees.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TreeChange {
    /// The path, with `/` between components.
    pub path: Vec<u8>,
    /// What was there.
    pub old: Option<(EntryKind, ObjectId)>,
    /// What is there now.
    pub new: Option<(EntryKind, ObjectId)>,
}

impl TreeChange {
    /// Builds a change.
    pub fn new(
        path: impl Into<Vec<u8>>,
        old: Option<(EntryKind, ObjectId)>,
        new: Option<(EntryKind, ObjectId)>,
    ) -> Self {
        Self { path: path.into(), old, new }
    }
}

/// One edit of [`GitRepo::edit_tree`]: put an object at a path, or remove what is there.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TreeEdit {
    /// Where.
    pub path: RepoPath,
    /// What, or `None` to remove.
    pub entry: Option<(EntryKind, ObjectId)>,
}

impl TreeEdit {
    /// Puts a plain file.
    pub fn file(path: RepoPath, blob: BlobId) -> Self {
        Self { path, entry: Some((EntryKind::File, *blob.object_id())) }
    }

    /// Puts any object.
    pub fn put(path: RepoPath, kind: EntryKind, id: ObjectId) -> Self {
        Self { path, entry: Some((kind, id)) }
    }

    /// Removes whatever is at `path`.
    pub fn remove(path: RepoPath) -> Self {
        Self { path, entry: None }
    }
}

/// A commit to be written. Author and committer are the same, in UTC, so that the id is reproducible.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewCommit {
    /// Its tree.
    pub tree: TreeId,
    /// Its parents.
    pub parents: Vec<CommitId>,
    /// Name of author and committer.
    pub name: String,
    /// E-mail of author and committer.
    pub email: String,
    /// Date of author and committer; git keeps whole seconds.
    pub date: Timestamp,
    /// The whole message.
    pub message: String,
    /// A signature of the commit as it is without one, in the armour of its format, without a line end.
    pub signature: Option<String>,
}

impl NewCommit {
    /// Builds a commit to be written.
    pub fn new(
        tree: TreeId,
        parents: Vec<CommitId>,
        identity: (&str, &str),
        date: Timestamp,
        message: String,
    ) -> Self {
        let (name, email) = (identity.0.to_owned(), identity.1.to_owned());
        Self { tree, parents, name, email, date, message, signature: None }
    }

    /// Puts a signature into the header: `gpgsig`, or `gpgsig-sha256` in a repository of that format.
    #[must_use]
    pub fn with_signature(mut self, signature: impl Into<String>) -> Self {
        self.signature = Some(signature.into());
        self
    }
}
