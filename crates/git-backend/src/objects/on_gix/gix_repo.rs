//! [`GixRepo`]: [`GitRepo`] on gix.

use std::path::Path;
use std::sync::Arc;

use cfgupdater_core::{
    BlobId, Commit, CommitId, Error, GitRepo, NewCommit, ObjectFormat, RefName, RepoPath, TreeChange,
    TreeEdit, TreeEntry, TreeId, Walk,
};

use super::database::Database;
use crate::objects::local_repo::Store;
use crate::objects::session::{Kind, Session};
use crate::objects::{operations, tree_diff};

/// The local objects of a bare repository, read and written without a `git` process.
///
/// Clones share one database. Other processes may fetch into the repository and repack it meanwhile; what they bring
/// is found. New objects are written as loose ones.
#[derive(Debug, Clone)]
pub struct GixRepo {
    database: Arc<Database>,
}

impl GixRepo {
    /// Opens a bare repository, whoever owns it.
    ///
    /// # Errors
    /// Fails with [`ErrorKind::Corrupt`](cfgupdater_core::ErrorKind::Corrupt) where there is no readable repository at
    /// `path`, and with [`ErrorKind::Unsupported`](cfgupdater_core::ErrorKind::Unsupported) for an object format other
    /// than SHA-1 and SHA-256.
    pub fn open(path: &Path) -> Result<Self, Error> {
        Ok(Self { database: Arc::new(Database::open(path)?) })
    }

    /// Returns the directory of the repository.
    pub fn path(&self) -> &Path {
        self.database.path()
    }

    /// Opens the repository again after it was replaced by another one at the same path.
    ///
    /// # Errors
    /// Fails as [`GixRepo::open`] does.
    pub fn reopen(&self) -> Result<(), Error> {
        self.database.reopen()
    }

    fn session(&self) -> Result<impl Session, Error> {
        self.database.session()
    }
}

impl Store for GixRepo {
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

impl GitRepo for GixRepo {
    fn object_format(&self) -> ObjectFormat {
        self.database.format()
    }

    fn resolve(&self, name: &RefName) -> Result<Option<CommitId>, Error> {
        self.session()?.resolve(name)
    }

    fn commit(&self, id: &CommitId) -> Result<Commit, Error> {
        operations::commit(&self.session()?, id)
    }

    fn has_commit(&self, id: &CommitId) -> Result<bool, Error> {
        Ok(id.object_id().format() == self.object_format() && self.database.has_commit(id)?)
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
