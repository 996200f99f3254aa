//! [`Git2Session`]: single objects and references, by libgit2.

use std::cell::RefCell;
use std::path::Path;
use std::sync::Arc;

use cfgupdater_core::{CommitId, Error, ObjectFormat, ObjectId, RefName};
use git2::{ErrorClass, ErrorCode, ObjectType, OdbLookupFlags, Repository};

use super::ids;
use super::nodes::Git2Nodes;
use super::pool::{Handle, Pool};
use crate::objects::session::{Kind, Nodes, Session};
use crate::objects::{failures, tree_edit};

/// A handle for one operation, which goes back to the pool.
pub(super) struct Git2Session {
    pool: Arc<Pool>,
    handle: RefCell<Option<Handle>>,
}

impl Git2Session {
    pub(super) fn begin(pool: &Arc<Pool>) -> Result<Self, Error> {
        Ok(Self { pool: pool.clone(), handle: RefCell::new(Some(pool.take()?)) })
    }

    /// Looks at the repository, and again where that failed while packs came or went: what was in neither place may
    /// have moved meanwhile.
    fn look<T>(&self, work: impl Fn(&Repository) -> Result<T, git2::Error>) -> Result<T, git2::Error> {
        let mut slot = self.handle.borrow_mut();
        loop {
            let Some(handle) = slot.as_ref() else { return Err(git2::Error::from_str("there is no handle")) };
            match work(&handle.repo) {
                Err(_) if self.pool.is_outdated(handle) => match self.pool.fresh() {
                    Ok(fresh) => *slot = Some(fresh),
                    Err(_) => return Err(git2::Error::from_str("the repository can't be opened any more")),
                },
                result => return result,
            }
        }
    }

    /// Tells whether a commit is there, without a rescan for one that is not.
    pub(super) fn has_commit(&self, id: &CommitId) -> Result<bool, Error> {
        let look = |repo: &Repository| {
            let (odb, oid) = (repo.odb()?, ids::to_git2(id.object_id())?);
            if odb.exists_ext(oid, OdbLookupFlags::NO_REFRESH) {
                Ok(odb.read_header(oid)?.1 == ObjectType::Commit)
            } else {
                Err(git2::Error::new(ErrorCode::NotFound, ErrorClass::Odb, "it is not there"))
            }
        };
        match self.look(look) {
            Err(cause) if cause.code() == ErrorCode::NotFound => Ok(false),
            Err(cause) => Err(failures::unreadable(self.path(), id.object_id(), Kind::Commit, cause)),
            Ok(is_commit) => Ok(is_commit),
        }
    }

    fn require_commit(&self, id: &CommitId) -> Result<(), Error> {
        if self.has_commit(id)? {
            return Ok(());
        }
        Err(failures::not_found(self.path(), &format!("there is no commit {id}")))
    }
}

impl Drop for Git2Session {
    fn drop(&mut self) {
        if let Some(handle) = self.handle.take() {
            self.pool.put(handle);
        }
    }
}

impl Session for Git2Session {
    fn path(&self) -> &Path {
        self.pool.path()
    }

    fn format(&self) -> ObjectFormat {
        ObjectFormat::Sha1
    }

    fn read(&self, id: &ObjectId, kind: Kind) -> Result<Vec<u8>, Error> {
        self.require_format(id)?;
        if kind == Kind::Tree && tree_edit::is_empty_tree(id) {
            return Ok(Vec::new());
        }
        let read = |repo: &Repository| {
            let odb = repo.odb()?;
            let object = odb.read(ids::to_git2(id)?)?;
            Ok((object.kind(), object.data().to_vec()))
        };
        match self.look(read) {
            Ok((found, content)) if found == ids::type_of(kind) => Ok(content),
            Ok((found, _)) => {
                Err(failures::not_found(self.path(), &format!("{id} is a {found}, not a {kind}")))
            }
            Err(cause) if cause.code() == ErrorCode::NotFound => {
                Err(failures::not_found(self.path(), &format!("there is no {kind} {id}")))
            }
            Err(cause) => Err(failures::unreadable(self.path(), id, kind, cause)),
        }
    }

    /// Writes a loose object; where there is one already, it counts as fresh for whoever expires old ones.
    fn write(&self, kind: Kind, content: &[u8]) -> Result<ObjectId, Error> {
        let written = self.look(|repo| repo.odb()?.write(ids::type_of(kind), content));
        written.map(ids::from_git2).map_err(|cause| failures::unwritable(self.path(), kind, cause))
    }

    fn resolve(&self, name: &RefName) -> Result<Option<CommitId>, Error> {
        let look = |repo: &Repository| {
            // An absent reference is an answer; a reference to an absent object is damage.
            let target = match repo.find_reference(name.as_str()).and_then(|found| found.resolve()) {
                Err(cause) if cause.code() == ErrorCode::NotFound => return Ok(None),
                other => other?,
            };
            Ok(Some(target.peel(ObjectType::Any)?.id()))
        };
        let found = self.look(look);
        let found = found.map_err(|cause| failures::unreadable_reference(self.path(), name, cause))?;
        Ok(found.map(|id| CommitId::new(ids::from_git2(id))))
    }

    fn set_reference(&self, name: &RefName, commit: &CommitId) -> Result<(), Error> {
        self.require_format(commit.object_id())?;
        let set = |repo: &Repository| {
            repo.reference(name.as_str(), ids::to_git2(commit.object_id())?, true, "pushed").map(|_| ())
        };
        self.look(set).map_err(|cause| failures::unwritable_reference(self.path(), name, cause))
    }

    fn merge_base(&self, one: &CommitId, other: &CommitId) -> Result<Option<CommitId>, Error> {
        self.require_commit(one)?;
        self.require_commit(other)?;
        let (one, other) = (one.object_id(), other.object_id());
        let base = self.look(|repo| repo.merge_base(ids::to_git2(one)?, ids::to_git2(other)?));
        match base {
            Ok(base) => Ok(Some(CommitId::new(ids::from_git2(base)))),
            Err(cause) if cause.code() != ErrorCode::NotFound => {
                Err(failures::unreadable(self.path(), one, Kind::Commit, cause))
            }
            Err(cause) if cause.class() == ErrorClass::Merge => Ok(None),
            Err(cause) => Err(failures::history_not_found(self.path(), one, other).with_source(cause)),
        }
    }

    fn nodes(&self) -> impl Nodes + '_ {
        Git2Nodes(self)
    }
}
