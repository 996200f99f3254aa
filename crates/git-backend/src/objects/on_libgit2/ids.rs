//! Ids and kinds, ours and libgit2's.

use cfgupdater_core::ObjectId;
use git2::{ObjectType, Oid};

use crate::objects::session::Kind;

/// Converts an id of the core, which has 20 bytes: others were refused before.
pub(super) fn to_git2(id: &ObjectId) -> Result<Oid, git2::Error> {
    Oid::from_bytes(id.as_bytes())
}

/// Converts an id of libgit2.
pub(super) fn from_git2(id: Oid) -> ObjectId {
    ObjectId::from_bytes(id.as_bytes()).expect("libgit2 knows ids of 20 bytes only")
}

pub(super) fn type_of(kind: Kind) -> ObjectType {
    match kind {
        Kind::Blob => ObjectType::Blob,
        Kind::Tree => ObjectType::Tree,
        Kind::Commit => ObjectType::Commit,
    }
}
