//! [`Session`]: what an engine does.

use std::fmt;
use std::path::Path;

use cfgupdater_core::{CommitId, Error, ObjectFormat, ObjectId, RefName};

use super::failures;
use super::history::Node;

/// The kinds of objects that are read and written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Blob,
    Tree,
    Commit,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Blob => "blob",
            Self::Tree => "tree",
            Self::Commit => "commit",
        })
    }
}

/// One look at a repository, for one operation and one thread.
pub(crate) trait Session {
    /// Returns the directory of the repository.
    fn path(&self) -> &Path;

    fn format(&self) -> ObjectFormat;

    /// Reads an object of the kind asked for; the empty tree is there without being written.
    fn read(&self, id: &ObjectId, kind: Kind) -> Result<Vec<u8>, Error>;

    /// Writes an object so that other processes see it.
    fn write(&self, kind: Kind, content: &[u8]) -> Result<ObjectId, Error>;

    fn resolve(&self, name: &RefName) -> Result<Option<CommitId>, Error>;

    /// Points a reference at a commit that is here, whatever it pointed at.
    fn set_reference(&self, name: &RefName, commit: &CommitId) -> Result<(), Error>;

    /// Returns the best common ancestor of two commits of this format.
    fn merge_base(&self, one: &CommitId, other: &CommitId) -> Result<Option<CommitId>, Error>;

    /// Prepares to look at the shape of history.
    fn nodes(&self) -> impl Nodes + '_;

    /// Refuses an id that can't name anything here.
    fn require_format(&self, id: &ObjectId) -> Result<(), Error> {
        if id.format() == self.format() { Ok(()) } else { Err(failures::other_format(self.path(), id)) }
    }

    /// Tells whether `ancestor` is reachable from `descendant`.
    fn is_ancestor(&self, ancestor: &CommitId, descendant: &CommitId) -> Result<bool, Error> {
        Ok(self.merge_base(ancestor, descendant)?.as_ref() == Some(ancestor))
    }

    /// Tells whether `ancestor` is reachable from any of `descendants`.
    fn reaches_any(&self, ancestor: &CommitId, descendants: &[CommitId]) -> Result<bool, Error> {
        for descendant in descendants {
            if self.is_ancestor(ancestor, descendant)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Reads dates and parents of commits, many of them in one operation.
pub(crate) trait Nodes {
    fn node(&mut self, id: &CommitId) -> Result<Node, Error>;
}
