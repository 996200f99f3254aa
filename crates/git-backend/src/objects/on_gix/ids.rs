//! Ids and kinds, ours and gix's.

use cfgupdater_core::{ObjectFormat, ObjectId};

use crate::objects::session::Kind;

/// Converts an id of the core.
pub(crate) fn to_gix(id: &ObjectId) -> gix::ObjectId {
    gix::ObjectId::from_bytes_or_panic(id.as_bytes())
}

/// Converts an id of gix.
pub(crate) fn from_gix(id: &gix::oid) -> ObjectId {
    ObjectId::from_bytes(id.as_bytes()).expect("gix knows ids of 20 and 32 bytes only")
}

pub(crate) fn format_of(hash: gix::hash::Kind) -> Option<ObjectFormat> {
    match hash {
        gix::hash::Kind::Sha1 => Some(ObjectFormat::Sha1),
        gix::hash::Kind::Sha256 => Some(ObjectFormat::Sha256),
        _ => None,
    }
}

pub(crate) fn kind_of(kind: Kind) -> gix::objs::Kind {
    match kind {
        Kind::Blob => gix::objs::Kind::Blob,
        Kind::Tree => gix::objs::Kind::Tree,
        Kind::Commit => gix::objs::Kind::Commit,
    }
}
