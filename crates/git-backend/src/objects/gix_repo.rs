//! [`GixRepo`]: [`GitRepo`] on gix.

use std::path::Path;
use std::sync::Arc;

use cfgupdater_core::{
    BlobId, Commit, CommitId, Error, ErrorKind, GitRepo, NewCommit, ObjectFormat, ObjectId, RefName,
    RepoPath, TreeChange, TreeEdit, TreeEntry, TreeId, Walk,
};
use gix::objs::Kind;

use super::database::Database;
use super::history::{History, Range};
use super::session::Session;
use super::tree_plan::PlannedTree;
use super::{commit_format, ids, tree_diff, tree_edit};

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
    /// Fails with [`ErrorKind::Corrupt`] where there is no readable repository at `path`, and with
    /// [`ErrorKind::Unsupported`] for an object format other than SHA-1 and SHA-256.
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

    /// Points a reference at a commit that is here, whatever it pointed at.
    pub(crate) fn set_reference(&self, name: &RefName, commit: &CommitId) -> Result<(), Error> {
        let id = self.id(commit.object_id())?;
        let unwritable = |cause: gix::Error| {
            let message = format!("can't write the reference {name} in {}", self.path().display());
            Error::new(ErrorKind::Other, message).with_source(cause)
        };
        let any = gix::refs::transaction::PreviousValue::Any;
        self.session()?.repo.reference(name.as_str(), id, any, "pushed").map_err(unwritable)?;
        Ok(())
    }

    fn id(&self, id: &ObjectId) -> Result<gix::ObjectId, Error> {
        let format = self.object_format();
        if id.format() == format {
            return Ok(ids::to_gix(id));
        }
        let message = format!("{id} can't be in {}, which uses {format:?} ids", self.path().display());
        Err(Error::new(ErrorKind::NotFound, message))
    }

    fn ids<'a>(&self, all: impl IntoIterator<Item = &'a CommitId>) -> Result<Vec<gix::ObjectId>, Error> {
        all.into_iter().map(|id| self.id(id.object_id())).collect()
    }

    fn session(&self) -> Result<Session, Error> {
        self.database.session()
    }
}

impl GitRepo for GixRepo {
    fn object_format(&self) -> ObjectFormat {
        self.database.format()
    }

    fn resolve(&self, name: &RefName) -> Result<Option<CommitId>, Error> {
        let session = self.session()?;
        let unreadable = |cause: gix::Error| {
            let message = format!("can't read the reference {name} in {}", self.path().display());
            Error::new(ErrorKind::Corrupt, message).with_source(cause)
        };
        let Some(mut found) = session.repo.try_find_reference(name.as_str()).map_err(unreadable)? else {
            return Ok(None);
        };
        if found.name().as_bstr() != name.as_str() {
            return Ok(None);
        }
        if let gix::refs::TargetRef::Symbolic(target) = found.target() {
            let is_unborn = session.repo.try_find_reference(target).map_err(unreadable)?.is_none();
            if is_unborn {
                return Ok(None);
            }
        }
        let id = found.peel_to_id().map_err(unreadable)?;
        Ok(Some(CommitId::new(ids::from_gix(&id))))
    }

    fn commit(&self, id: &CommitId) -> Result<Commit, Error> {
        let gix_id = self.id(id.object_id())?;
        let session = self.session()?;
        let data = session.read(gix_id, Kind::Commit)?;
        let malformed = || std::io::Error::other("its header is malformed");
        commit_format::parse(*id, &data).ok_or_else(|| session.unreadable(&gix_id, Kind::Commit, malformed()))
    }

    fn has_commit(&self, id: &CommitId) -> Result<bool, Error> {
        if id.object_id().format() != self.object_format() {
            return Ok(false);
        }
        self.database.has_commit(ids::to_gix(id.object_id()))
    }

    fn is_ancestor(&self, ancestor: &CommitId, descendant: &CommitId) -> Result<bool, Error> {
        let (ancestor, descendant) = (self.id(ancestor.object_id())?, self.id(descendant.object_id())?);
        self.session()?.is_ancestor(ancestor, descendant)
    }

    fn merge_base(&self, one: &CommitId, other: &CommitId) -> Result<Option<CommitId>, Error> {
        let (one, other) = (self.id(one.object_id())?, self.id(other.object_id())?);
        let base = self.session()?.merge_base(one, other)?;
        Ok(base.map(|id| CommitId::new(ids::from_gix(&id))))
    }

    /// Without `first_parent` and without anything hidden, this reads the whole history, however small the limit:
    /// the order of children before parents can't be known earlier.
    fn walk(&self, range: &Walk) -> Result<Vec<CommitId>, Error> {
        let ids = Range {
            tip: self.id(range.tip.object_id())?,
            hide: self.ids(&range.hide)?,
            limit: range.limit.unwrap_or(usize::MAX),
        };
        let session = self.session()?;
        // A commit-graph only saves time: without a readable one the commits themselves tell the same.
        let cache = session.repo.commit_graph_if_enabled().ok().flatten();
        let commits = History::new(&session, cache.as_ref(), range.first_parent).list(&ids)?;
        Ok(commits.iter().map(|id| CommitId::new(ids::from_gix(id))).collect())
    }

    fn entry(&self, tree: &TreeId, path: &RepoPath) -> Result<Option<TreeEntry>, Error> {
        let session = self.session()?;
        let mut directory = self.id(tree.object_id())?;
        let mut components = path.components().peekable();
        while let Some(name) = components.next() {
            let entries = session.tree(directory)?.entries;
            let Some(entry) = entries.into_iter().find(|entry| entry.filename == name) else { break };
            if components.peek().is_none() {
                return Ok(Some(TreeEntry::new(name, ids::kind_of(entry.mode), ids::from_gix(&entry.oid))));
            }
            if !entry.mode.is_tree() {
                break;
            }
            directory = entry.oid;
        }
        Ok(None)
    }

    fn list(&self, tree: &TreeId) -> Result<Vec<TreeEntry>, Error> {
        let tree = self.session()?.tree(self.id(tree.object_id())?)?;
        let entries = tree.entries.into_iter();
        Ok(entries
            .map(|entry| TreeEntry::new(entry.filename, ids::kind_of(entry.mode), ids::from_gix(&entry.oid)))
            .collect())
    }

    fn diff(&self, old: Option<&TreeId>, new: &TreeId) -> Result<Vec<TreeChange>, Error> {
        let old = old.map(|tree| self.id(tree.object_id())).transpose()?;
        tree_diff::diff(&self.session()?, old, Some(self.id(new.object_id())?))
    }

    fn blob(&self, id: &BlobId) -> Result<Vec<u8>, Error> {
        self.session()?.read(self.id(id.object_id())?, Kind::Blob)
    }

    fn write_blob(&self, content: &[u8]) -> Result<BlobId, Error> {
        let id = self.session()?.write_bytes(Kind::Blob, content)?;
        Ok(BlobId::new(ids::from_gix(&id)))
    }

    fn edit_tree(&self, base: Option<&TreeId>, edits: &[TreeEdit]) -> Result<TreeId, Error> {
        let base = base.map(|tree| self.id(tree.object_id())).transpose()?;
        for (_, id) in edits.iter().filter_map(|edit| edit.entry.as_ref()) {
            self.id(id)?;
        }
        let session = self.session()?;
        let tree = match tree_edit::apply(&session, base, &PlannedTree::new(edits))? {
            Some(tree) => tree,
            None => session.write(&gix::objs::Tree::empty())?,
        };
        Ok(TreeId::new(ids::from_gix(&tree)))
    }

    fn write_commit(&self, commit: &NewCommit) -> Result<CommitId, Error> {
        self.id(commit.tree.object_id())?;
        self.ids(&commit.parents)?;
        let data = commit_format::format(commit)?;
        let id = self.session()?.write_bytes(Kind::Commit, &data)?;
        Ok(CommitId::new(ids::from_gix(&id)))
    }
}
