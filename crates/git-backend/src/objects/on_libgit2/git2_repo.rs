//! [`Git2Repo`]: [`GitRepo`] on libgit2.

use std::path::Path;
use std::sync::Arc;

use cfgupdater_core::{
    BlobId, Commit, CommitId, Error, GitRepo, NewCommit, ObjectFormat, RefName, RepoPath, TreeChange,
    TreeEdit, TreeEntry, TreeId, Walk,
};

use super::pool::Pool;
use super::session::Git2Session;
use crate::objects::local_repo::Store;
use crate::objects::session::{Kind, Session};
use crate::objects::{operations, tree_diff};

/// The local objects of a bare SHA-1 repository, read and written without a `git` process.
///
/// It does what [`GixRepo`](crate::GixRepo) does, by another library, for those who have reasons to prefer it or want
/// one to judge the other. Clones share their open handles.
#[derive(Debug, Clone)]
pub struct Git2Repo {
    pool: Arc<Pool>,
}

impl Git2Repo {
    /// Opens a bare repository that belongs to the user of this process.
    ///
    /// # Errors
    /// Fails with [`ErrorKind::Corrupt`](cfgupdater_core::ErrorKind::Corrupt) where there is no readable repository at
    /// `path`, with [`ErrorKind::Unsupported`](cfgupdater_core::ErrorKind::Unsupported) for an object format other than
    /// SHA-1, and with [`ErrorKind::Forbidden`](cfgupdater_core::ErrorKind::Forbidden) where it belongs to somebody else.
    pub fn open(path: &Path) -> Result<Self, Error> {
        Ok(Self { pool: Arc::new(Pool::open(path)?) })
    }

    /// Returns the directory of the repository.
    pub fn path(&self) -> &Path {
        self.pool.path()
    }

    /// Opens the repository again after it was replaced by another one at the same path.
    ///
    /// # Errors
    /// Fails as [`Git2Repo::open`] does.
    pub fn reopen(&self) -> Result<(), Error> {
        self.pool.reopen()
    }

    fn session(&self) -> Result<Git2Session, Error> {
        Git2Session::begin(&self.pool)
    }
}

impl Store for Git2Repo {
    fn path(&self) -> &Path {
        self.path()
    }

    fn reopen(&self) -> Result<(), Error> {
        self.reopen()
    }

    fn set_reference(&self, name: &RefName, commit: &CommitId) -> Result<(), Error> {
        self.session()?.set_reference(name, commit)
    }
}

impl GitRepo for Git2Repo {
    fn object_format(&self) -> ObjectFormat {
        ObjectFormat::Sha1
    }

    fn resolve(&self, name: &RefName) -> Result<Option<CommitId>, Error> {
        self.session()?.resolve(name)
    }

    fn commit(&self, id: &CommitId) -> Result<Commit, Error> {
        operations::commit(&self.session()?, id)
    }

    fn has_commit(&self, id: &CommitId) -> Result<bool, Error> {
        Ok(id.object_id().format() == self.object_format() && self.session()?.has_commit(id)?)
    }

    fn is_ancestor(&self, ancestor: &CommitId, descendant: &CommitId) -> Result<bool, Error> {
        operations::is_ancestor(&self.session()?, ancestor, descendant)
    }

    fn merge_base(&self, one: &CommitId, other: &CommitId) -> Result<Option<CommitId>, Error> {
        operations::merge_base(&self.session()?, one, other)
    }

    fn walk(&self, range: &Walk) -> Result<Vec<CommitId>, Error> {
        operations::walk(&self.session()?, range)
    }

    fn entry(&self, tree: &TreeId, path: &RepoPath) -> Result<Option<TreeEntry>, Error> {
        operations::entry(&self.session()?, tree, path)
    }

    fn list(&self, tree: &TreeId) -> Result<Vec<TreeEntry>, Error> {
        operations::list(&self.session()?, tree)
    }

    fn diff(&self, old: Option<&TreeId>, new: &TreeId) -> Result<Vec<TreeChange>, Error> {
        tree_diff::diff(&self.session()?, old.map(|tree| *tree.object_id()), Some(*new.object_id()))
    }

    fn blob(&self, id: &BlobId) -> Result<Vec<u8>, Error> {
        self.session()?.read(id.object_id(), Kind::Blob)
    }

    fn write_blob(&self, content: &[u8]) -> Result<BlobId, Error> {
        self.session()?.write(Kind::Blob, content).map(BlobId::new)
    }

    fn edit_tree(&self, base: Option<&TreeId>, edits: &[TreeEdit]) -> Result<TreeId, Error> {
        operations::edit_tree(&self.session()?, base, edits)
    }

    fn write_commit(&self, commit: &NewCommit) -> Result<CommitId, Error> {
        operations::write_commit(&self.session()?, commit)
    }
}
