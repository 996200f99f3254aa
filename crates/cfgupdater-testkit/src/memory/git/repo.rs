//! [`MemoryRepo`]: [`GitRepo`] in memory.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cfgupdater_core::{
    BlobId, Commit, CommitId, EntryKind, Error, GitRepo, NewCommit, ObjectFormat, ObjectId, RefName,
    RepoPath, TreeChange, TreeEdit, TreeEntry, TreeId, Walk,
};

use super::commit_codec;
use super::object::{ObjectKind, Objects, not_found};

/// A repository in memory. Clones share it.
///
/// It is stricter than git: a tree is only written if all it names is there and of the kind it says, a commit only if
/// its tree and parents are there; and a commit has a message and names no parent twice.
#[derive(Debug, Clone)]
pub struct MemoryRepo {
    content: Arc<Mutex<Content>>,
}

#[derive(Debug)]
struct Content {
    objects: Objects,
    refs: BTreeMap<RefName, ObjectId>,
    head: Head,
}

/// What `HEAD` is.
#[derive(Debug, Clone)]
pub(super) enum Head {
    Branch(RefName),
    Detached(CommitId),
}

impl MemoryRepo {
    /// Makes an empty repository whose `HEAD` names `refs/heads/master`.
    pub fn new(format: ObjectFormat) -> Self {
        let master = "refs/heads/master".parse().expect("a reference");
        let content =
            Content { objects: Objects::new(format), refs: BTreeMap::new(), head: Head::Branch(master) };
        Self { content: Arc::new(Mutex::new(content)) }
    }

    /// Points a reference at an object, or removes it.
    pub fn set_ref(&self, name: &RefName, object: Option<ObjectId>) {
        let mut content = self.lock();
        match object {
            Some(id) => content.refs.insert(name.clone(), id),
            None => content.refs.remove(name),
        };
    }

    /// Lets `HEAD` name a branch, born or not.
    pub fn set_head(&self, branch: RefName) {
        self.lock().head = Head::Branch(branch);
    }

    /// Lets `HEAD` name a commit.
    pub fn detach_head(&self, commit: CommitId) {
        self.lock().head = Head::Detached(commit);
    }

    /// Stores any content as an object, as wrong as it may be.
    pub fn write_raw(&self, kind: ObjectKind, content: &[u8]) -> ObjectId {
        self.lock().objects.write(kind, content)
    }

    /// Loses an object.
    pub fn lose(&self, id: &ObjectId) {
        self.lock().objects.lose(id);
    }

    /// Damages an object, so that it can't be read.
    pub fn damage(&self, id: ObjectId) {
        self.lock().objects.damage(id);
    }

    /// Fails unless all that the commits reach is there.
    ///
    /// # Errors
    /// Says what is missing or damaged.
    pub fn require_whole(&self, tips: &[CommitId]) -> Result<(), Error> {
        let content = self.lock();
        for commit in content.objects.reachable(tips)?.values() {
            content.objects.require_whole_tree(commit.tree.object_id())?;
        }
        Ok(())
    }

    /// Brings all that the commits reach into another repository.
    pub(super) fn copy_to(&self, other: &Self, tips: &[CommitId]) -> Result<(), Error> {
        self.require_whole(tips)?;
        // Never both locks at once: two clients may copy in opposite directions.
        let copies = self.reached_objects(tips)?;
        let mut target = other.lock();
        for (id, object) in copies {
            target.objects.copy(id, object);
        }
        Ok(())
    }

    fn reached_objects(&self, tips: &[CommitId]) -> Result<Vec<(ObjectId, super::object::Object)>, Error> {
        let objects = &self.lock().objects;
        let commits = objects.reachable(tips)?;
        let mut seen = HashSet::new();
        let mut open: Vec<(ObjectId, bool)> =
            commits.values().map(|commit| (*commit.tree.object_id(), true)).collect();
        let mut reached: Vec<ObjectId> = commits.keys().map(|id| *id.object_id()).collect();
        while let Some((id, is_tree)) = open.pop() {
            if !seen.insert(id) {
                continue;
            }
            reached.push(id);
            if is_tree {
                let entries =
                    objects.list(&id)?.into_iter().filter(|entry| entry.kind != EntryKind::Submodule);
                open.extend(entries.map(|entry| (entry.id, entry.kind == EntryKind::Tree)));
            }
        }
        Ok(reached.into_iter().filter_map(|id| Some((id, objects.get(&id)?.clone()))).collect())
    }

    pub(super) fn head(&self) -> Head {
        self.lock().head.clone()
    }

    pub(super) fn ref_names(&self) -> Vec<RefName> {
        self.lock().refs.keys().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Content {
    /// Follows annotated tags to what they name.
    fn peel(&self, mut id: ObjectId) -> Result<CommitId, Error> {
        loop {
            match self.objects.get(&id) {
                Some((ObjectKind::Tag, content)) => {
                    let text = String::from_utf8_lossy(content);
                    let target =
                        text.lines().next().and_then(|line| line.strip_prefix("object ")?.parse().ok());
                    id = target.ok_or_else(|| super::object::corrupt(ObjectKind::Tag, &id))?;
                }
                Some(_) => return Ok(CommitId::new(id)),
                None => return Err(super::object::corrupt(ObjectKind::Commit, &id)),
            }
        }
    }
}

impl GitRepo for MemoryRepo {
    fn object_format(&self) -> ObjectFormat {
        self.lock().objects.format()
    }

    fn resolve(&self, name: &RefName) -> Result<Option<CommitId>, Error> {
        let content = self.lock();
        let target = match &content.head {
            Head::Detached(commit) if name.as_str() == "HEAD" => return Ok(Some(*commit)),
            Head::Branch(branch) if name.as_str() == "HEAD" => content.refs.get(branch),
            _ => content.refs.get(name),
        };
        target.map(|id| content.peel(*id)).transpose()
    }

    fn commit(&self, id: &CommitId) -> Result<Commit, Error> {
        self.lock().objects.commit(id)
    }

    fn has_commit(&self, id: &CommitId) -> Result<bool, Error> {
        Ok(self.lock().objects.get(id.object_id()).is_some_and(|(kind, _)| *kind == ObjectKind::Commit))
    }

    fn is_ancestor(&self, ancestor: &CommitId, descendant: &CommitId) -> Result<bool, Error> {
        self.lock().objects.is_ancestor(ancestor, descendant)
    }

    fn merge_base(&self, one: &CommitId, other: &CommitId) -> Result<Option<CommitId>, Error> {
        self.lock().objects.merge_base(one, other)
    }

    fn walk(&self, range: &Walk) -> Result<Vec<CommitId>, Error> {
        self.lock().objects.walk(range)
    }

    fn entry(&self, tree: &TreeId, path: &RepoPath) -> Result<Option<TreeEntry>, Error> {
        let content = self.lock();
        let mut components = path.components().peekable();
        let mut directory = *tree.object_id();
        while let Some(name) = components.next() {
            let entries = content.objects.list(&directory)?;
            let Some(entry) = entries.into_iter().find(|entry| entry.name == name.as_bytes()) else { break };
            if components.peek().is_none() {
                return Ok(Some(entry));
            }
            if entry.kind != EntryKind::Tree {
                break;
            }
            directory = entry.id;
        }
        Ok(None)
    }

    fn list(&self, tree: &TreeId) -> Result<Vec<TreeEntry>, Error> {
        self.lock().objects.list(tree.object_id())
    }

    fn diff(&self, old: Option<&TreeId>, new: &TreeId) -> Result<Vec<TreeChange>, Error> {
        self.lock().objects.diff(old, new)
    }

    fn blob(&self, id: &BlobId) -> Result<Vec<u8>, Error> {
        self.lock().objects.read(id.object_id(), ObjectKind::Blob).map(|content| content.to_vec())
    }

    fn write_blob(&self, content: &[u8]) -> Result<BlobId, Error> {
        Ok(BlobId::new(self.lock().objects.write(ObjectKind::Blob, content)))
    }

    fn edit_tree(&self, base: Option<&TreeId>, edits: &[TreeEdit]) -> Result<TreeId, Error> {
        self.lock().objects.edit(base, edits)
    }

    fn write_commit(&self, commit: &NewCommit) -> Result<CommitId, Error> {
        let mut content = self.lock();
        content.objects.read(commit.tree.object_id(), ObjectKind::Tree)?;
        for parent in &commit.parents {
            content.objects.commit(parent)?;
        }
        if content.objects.get(commit.tree.object_id()).is_none() {
            return Err(not_found(&format!("there is no tree {}", commit.tree)));
        }
        let bytes = commit_codec::encode(commit)?;
        Ok(CommitId::new(content.objects.write(ObjectKind::Commit, &bytes)))
    }
}
