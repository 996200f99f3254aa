//! One look at an object database: reading and writing single objects.

use std::path::Path;

use cfgupdater_core::{Error, ErrorKind};
use gix::objs::{Find, Kind, Tree, TreeRef, Write, WriteTo};

/// A handle for one operation. It is not shared between threads; [`Database`](super::database::Database) is.
pub(crate) struct Session {
    pub(crate) repo: gix::Repository,
}

impl Session {
    /// Reads an object of the kind asked for.
    pub(crate) fn read(&self, id: gix::ObjectId, kind: Kind) -> Result<Vec<u8>, Error> {
        if id.is_empty_tree() && kind == Kind::Tree {
            return Ok(Vec::new());
        }
        let mut buffer = Vec::new();
        let found =
            self.repo.objects.try_find(&id, &mut buffer).map_err(|e| self.unreadable(&id, kind, e))?;
        match found.map(|object| object.kind) {
            Some(found) if found == kind => Ok(buffer),
            Some(found) => Err(self.not_found(&format!("{id} is a {found}, not a {kind}"))),
            None => Err(self.not_found(&format!("there is no {kind} {id}"))),
        }
    }

    /// Reads a tree.
    pub(crate) fn tree(&self, id: gix::ObjectId) -> Result<Tree, Error> {
        let data = self.read(id, Kind::Tree)?;
        let tree = TreeRef::from_bytes(&data, self.repo.object_hash());
        tree.map(TreeRef::into_owned).map_err(|e| self.unreadable(&id, Kind::Tree, e))
    }

    /// Writes an object.
    pub(crate) fn write(&self, object: &dyn WriteTo) -> Result<gix::ObjectId, Error> {
        let mut data = Vec::new();
        object.write_to(&mut data).map_err(|e| self.unwritable(object.kind(), e))?;
        self.write_bytes(object.kind(), &data)
    }

    /// Writes an object as a loose one even if a pack has it: asking first would cost a rescan for every new
    /// object, and a fresh file is safe from a concurrent expiry of old unreachable objects.
    pub(crate) fn write_bytes(&self, kind: Kind, data: &[u8]) -> Result<gix::ObjectId, Error> {
        self.repo.objects.write_buf(kind, data).map_err(|e| self.unwritable(kind, e))
    }

    fn path(&self) -> std::path::Display<'_> {
        Path::display(self.repo.git_dir())
    }

    fn not_found(&self, what: &str) -> Error {
        Error::new(ErrorKind::NotFound, format!("{what} in {}; fetch, then look again", self.path()))
    }

    /// Says that an object can't be read.
    pub(crate) fn unreadable(
        &self,
        id: &gix::oid,
        kind: Kind,
        cause: impl std::error::Error + Send + Sync + 'static,
    ) -> Error {
        let message = format!(
            "can't read {kind} {id} in {}; the mirror is damaged and has to be fetched afresh",
            self.path()
        );
        Error::new(ErrorKind::Corrupt, message).with_source(cause)
    }

    fn unwritable(&self, kind: Kind, cause: impl std::error::Error + Send + Sync + 'static) -> Error {
        let message = format!(
            "can't write a {kind} into {}; check that the directory exists, is writable and has space",
            self.path()
        );
        let kind =
            if self.repo.objects.store_ref().path().is_dir() { ErrorKind::Other } else { ErrorKind::Corrupt };
        Error::new(kind, message).with_source(cause)
    }
}
