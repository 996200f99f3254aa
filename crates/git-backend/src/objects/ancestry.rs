//! Common ancestors.

use cfgupdater_core::{Error, ErrorKind};
use gix::ObjectId;

use super::session::Session;

impl Session {
    /// Returns the best common ancestor.
    pub(crate) fn merge_base(&self, one: ObjectId, other: ObjectId) -> Result<Option<ObjectId>, Error> {
        match self.repo.merge_base(one, other) {
            Ok(base) => Ok(base.map(gix::Id::detach)),
            Err(cause) if cause.is_not_found() => {
                let message = format!(
                    "{one} or {other}, or history of theirs, isn't in {}; fetch, then look again",
                    self.repo.git_dir().display()
                );
                Err(Error::new(ErrorKind::NotFound, message).with_source(cause))
            }
            Err(cause) => Err(self.unreadable(&one, gix::objs::Kind::Commit, cause)),
        }
    }

    /// Tells whether `ancestor` is reachable from `descendant`.
    pub(crate) fn is_ancestor(&self, ancestor: ObjectId, descendant: ObjectId) -> Result<bool, Error> {
        Ok(self.merge_base(ancestor, descendant)? == Some(ancestor))
    }

    /// Tells whether `ancestor` is reachable from any of `descendants`.
    pub(crate) fn reaches_any(&self, ancestor: ObjectId, descendants: &[ObjectId]) -> Result<bool, Error> {
        for descendant in descendants {
            if self.is_ancestor(ancestor, *descendant)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
