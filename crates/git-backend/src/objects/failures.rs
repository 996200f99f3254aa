//! What can go wrong with an object, in the words of both engines.

use std::path::Path;

use cfgupdater_core::{Error, ErrorKind, ObjectId, RefName};

use super::session::Kind;

type Cause = Box<dyn std::error::Error + Send + Sync>;

pub(crate) fn not_found(repository: &Path, what: &str) -> Error {
    let message = format!("{what} in {}; fetch, then look again", repository.display());
    Error::new(ErrorKind::NotFound, message)
}

pub(crate) fn other_format(repository: &Path, id: &ObjectId) -> Error {
    let message = format!("{id} can't be in {}, which uses ids of another format", repository.display());
    Error::new(ErrorKind::NotFound, message)
}

/// Says that an object is there and can't be read.
pub(crate) fn unreadable(repository: &Path, id: &ObjectId, kind: Kind, cause: impl Into<Cause>) -> Error {
    let message = format!(
        "can't read {kind} {id} in {}; the mirror is damaged and has to be fetched afresh",
        repository.display()
    );
    Error::new(ErrorKind::Corrupt, message).with_source(cause)
}

/// Says that a history can't be followed to where it would have to be.
pub(crate) fn history_not_found(repository: &Path, one: &ObjectId, other: &ObjectId) -> Error {
    not_found(repository, &format!("{one} or {other}, or history of theirs, isn't"))
}

pub(crate) fn unwritable(repository: &Path, kind: Kind, cause: impl Into<Cause>) -> Error {
    let message = format!(
        "can't write a {kind} into {}; check that the directory exists, is writable and has space",
        repository.display()
    );
    let is_there = repository.join("objects").is_dir();
    Error::new(if is_there { ErrorKind::Other } else { ErrorKind::Corrupt }, message).with_source(cause)
}

pub(crate) fn unreadable_reference(repository: &Path, name: &RefName, cause: impl Into<Cause>) -> Error {
    let message = format!("can't read the reference {name} in {}", repository.display());
    Error::new(ErrorKind::Corrupt, message).with_source(cause)
}

pub(crate) fn unwritable_reference(repository: &Path, name: &RefName, cause: impl Into<Cause>) -> Error {
    let message = format!("can't write the reference {name} in {}", repository.display());
    Error::new(ErrorKind::Other, message).with_source(cause)
}

/// Says that there is no repository that can be opened.
pub(crate) fn damaged(repository: &Path, cause: impl Into<Cause>) -> Error {
    let message =
        format!("{} is no readable git repository; it has to be fetched afresh", repository.display());
    Error::new(ErrorKind::Corrupt, message).with_source(cause)
}
