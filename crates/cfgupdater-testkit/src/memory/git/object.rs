//! Objects by their ids.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;

use cfgupdater_core::{Error, ErrorKind, ObjectFormat, ObjectId};
use sha2::Digest;

/// The kinds of git's objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ObjectKind {
    /// Content.
    Blob,
    /// A directory.
    Tree,
    /// A commit.
    Commit,
    /// An annotated tag.
    Tag,
}

impl ObjectKind {
    /// Returns git's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Blob => "blob",
            Self::Tree => "tree",
            Self::Commit => "commit",
            Self::Tag => "tag",
        }
    }

    /// Names an object of this kind as git does: the hash of a header and the content.
    pub fn id_of(self, format: ObjectFormat, content: &[u8]) -> ObjectId {
        let header = format!("{} {}\0", self.as_str(), content.len());
        let hash = match format {
            ObjectFormat::Sha1 => {
                sha1::Sha1::new().chain_update(header).chain_update(content).finalize().to_vec()
            }
            ObjectFormat::Sha256 => {
                sha2::Sha256::new().chain_update(header).chain_update(content).finalize().to_vec()
            }
        };
        ObjectId::from_bytes(&hash).expect("both hashes have the length of an id")
    }
}

impl fmt::Display for ObjectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A kind and the content.
pub(super) type Object = (ObjectKind, Arc<[u8]>);

/// All objects of one repository.
#[derive(Debug, Clone)]
pub(super) struct Objects {
    format: ObjectFormat,
    all: HashMap<ObjectId, Object>,
    damaged: BTreeSet<ObjectId>,
}

impl Objects {
    pub(super) fn new(format: ObjectFormat) -> Self {
        Self { format, all: HashMap::new(), damaged: BTreeSet::new() }
    }

    pub(super) fn format(&self) -> ObjectFormat {
        self.format
    }

    pub(super) fn get(&self, id: &ObjectId) -> Option<&Object> {
        self.all.get(id)
    }

    pub(super) fn write(&mut self, kind: ObjectKind, content: &[u8]) -> ObjectId {
        let id = kind.id_of(self.format, content);
        self.damaged.remove(&id);
        self.all.entry(id).or_insert_with(|| (kind, content.into()));
        id
    }

    pub(super) fn copy(&mut self, id: ObjectId, object: Object) {
        self.all.insert(id, object);
    }

    pub(super) fn lose(&mut self, id: &ObjectId) {
        self.all.remove(id);
    }

    pub(super) fn damage(&mut self, id: ObjectId) {
        self.damaged.insert(id);
    }

    /// Reads an object of the kind asked for.
    pub(super) fn read(&self, id: &ObjectId, kind: ObjectKind) -> Result<Arc<[u8]>, Error> {
        if self.damaged.contains(id) {
            return Err(corrupt(kind, id));
        }
        match self.all.get(id) {
            Some((found, content)) if *found == kind => Ok(content.clone()),
            Some((found, _)) => Err(not_found(&format!("{id} is a {found}, not a {kind}"))),
            None if kind == ObjectKind::Tree && *id == kind.id_of(self.format, &[]) => Ok([].into()),
            None => Err(not_found(&format!("there is no {kind} {id}"))),
        }
    }
}

pub(super) fn not_found(what: &str) -> Error {
    Error::new(ErrorKind::NotFound, format!("{what} in the repository in memory; fetch or write it first"))
}

pub(super) fn corrupt(kind: ObjectKind, id: &ObjectId) -> Error {
    Error::new(ErrorKind::Corrupt, format!("can't read {kind} {id}: it is damaged; fetch it afresh"))
}

pub(super) fn invalid(rule: &str) -> Error {
    Error::new(ErrorKind::Invalid, rule)
}
