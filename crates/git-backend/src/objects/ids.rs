//! Ids and kinds, ours and gix's.

use cfgupdater_core::{EntryKind, ObjectFormat, ObjectId};
use gix::objs::tree;

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

pub(crate) fn kind_of(mode: tree::EntryMode) -> EntryKind {
    match mode.kind() {
        tree::EntryKind::Tree => EntryKind::Tree,
        tree::EntryKind::Blob => EntryKind::File,
        tree::EntryKind::BlobExecutable => EntryKind::Executable,
        tree::EntryKind::Link => EntryKind::Symlink,
        tree::EntryKind::Commit => EntryKind::Submodule,
    }
}

pub(crate) fn mode_of(kind: EntryKind) -> tree::EntryMode {
    match kind {
        EntryKind::Tree => tree::EntryKind::Tree,
        EntryKind::File => tree::EntryKind::Blob,
        EntryKind::Executable => tree::EntryKind::BlobExecutable,
        EntryKind::Symlink => tree::EntryKind::Link,
        EntryKind::Submodule => tree::EntryKind::Commit,
    }
    .into()
}
