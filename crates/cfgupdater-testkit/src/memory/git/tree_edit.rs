//! Edits of trees, one after the other, the simplest way there is.

use cfgupdater_core::{EntryKind, Error, ObjectId, TreeChange, TreeEdit, TreeEntry, TreeId};

use super::object::{ObjectKind, Objects, corrupt, invalid, not_found};
use super::tree_codec;

impl Objects {
    /// Lists one level of a tree.
    pub(super) fn list(&self, tree: &ObjectId) -> Result<Vec<TreeEntry>, Error> {
        let content = self.read(tree, ObjectKind::Tree)?;
        tree_codec::decode(&content, self.format()).ok_or_else(|| corrupt(ObjectKind::Tree, tree))
    }

    /// Applies one edit after the other.
    pub(super) fn edit(&mut self, base: Option<&TreeId>, edits: &[TreeEdit]) -> Result<TreeId, Error> {
        for edit in edits {
            self.require_entry(edit)?;
        }
        let mut root = match base {
            Some(tree) => *tree.object_id(),
            None => self.write(ObjectKind::Tree, &[]),
        };
        for edit in edits {
            root = self.edit_one(root, edit)?;
        }
        // The empty tree needs no object to be read, but a commit that names it wants one.
        if self.get(&root).is_none() {
            self.write(ObjectKind::Tree, &[]);
        }
        Ok(TreeId::new(root))
    }

    /// Refuses to put what isn't there, or isn't what the edit says.
    fn require_entry(&self, edit: &TreeEdit) -> Result<(), Error> {
        let Some((kind, id)) = &edit.entry else { return Ok(()) };
        let wanted = match kind {
            EntryKind::Submodule if id.format() == self.format() => return Ok(()),
            EntryKind::Submodule => return Err(invalid("a submodule is named by an id of the same format")),
            EntryKind::Tree => ObjectKind::Tree,
            EntryKind::File | EntryKind::Executable | EntryKind::Symlink => ObjectKind::Blob,
        };
        self.read(id, wanted).map(|_| ())
    }

    /// Reads the directories on the path from the root down, edits the last one, and writes them from there up.
    fn edit_one(&mut self, root: ObjectId, edit: &TreeEdit) -> Result<ObjectId, Error> {
        let components: Vec<&[u8]> = edit.path.components().map(str::as_bytes).collect();
        let Some((last, above)) = components.split_last() else { return Ok(root) };
        let mut levels = vec![self.list(&root)?];
        for name in above {
            let entries = levels.last().map(Vec::as_slice).unwrap_or_default();
            let directory = entries.iter().find(|entry| entry.name == *name && entry.kind == EntryKind::Tree);
            levels.push(match (directory, edit.entry) {
                (Some(directory), _) => self.list(&directory.id)?,
                (None, Some(_)) => Vec::new(),
                (None, None) => return Ok(root),
            });
        }
        let mut below = edit.entry.filter(|(kind, id)| *kind != EntryKind::Tree || !self.is_empty_tree(id));
        let names = std::iter::once(last).chain(above.iter().rev());
        for (mut entries, name) in levels.into_iter().rev().zip(names) {
            entries.retain(|entry| entry.name != *name);
            entries.extend(below.map(|(kind, id)| TreeEntry::new(*name, kind, id)));
            let is_empty = entries.is_empty();
            let tree = self.write(ObjectKind::Tree, &tree_codec::encode(entries));
            below = (!is_empty).then_some((EntryKind::Tree, tree));
        }
        Ok(below.map_or_else(|| self.write(ObjectKind::Tree, &[]), |(_, tree)| tree))
    }

    fn is_empty_tree(&self, id: &ObjectId) -> bool {
        *id == ObjectKind::Tree.id_of(self.format(), &[])
    }

    /// Lists all leaves of a tree that aren't alike in another one.
    pub(super) fn diff(&self, old: Option<&TreeId>, new: &TreeId) -> Result<Vec<TreeChange>, Error> {
        let mut changes = Vec::new();
        let mut open = vec![(Vec::new(), old.map(|tree| *tree.object_id()), Some(*new.object_id()))];
        while let Some((prefix, old, new)) = open.pop() {
            if old == new {
                continue;
            }
            let old = old.map(|tree| self.list(&tree)).transpose()?.unwrap_or_default();
            let new = new.map(|tree| self.list(&tree)).transpose()?.unwrap_or_default();
            let mut names: Vec<&[u8]> = old.iter().chain(&new).map(|entry| entry.name.as_slice()).collect();
            names.sort_unstable();
            names.dedup();
            for name in names {
                let path = [prefix.as_slice(), name].concat();
                let [(old_leaf, old_tree), (new_leaf, new_tree)] = [&old, &new].map(|side| split(side, name));
                if old_leaf != new_leaf {
                    changes.push(TreeChange::new(path.clone(), old_leaf, new_leaf));
                }
                open.push(([path.as_slice(), b"/"].concat(), old_tree, new_tree));
            }
        }
        changes.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(changes)
    }

    /// Fails unless everything that the tree holds is there.
    pub(super) fn require_whole_tree(&self, tree: &ObjectId) -> Result<(), Error> {
        let mut open = vec![*tree];
        let mut seen = std::collections::HashSet::new();
        while let Some(tree) = open.pop() {
            if !seen.insert(tree) {
                continue;
            }
            for entry in self.list(&tree)? {
                match entry.kind {
                    EntryKind::Tree => open.push(entry.id),
                    EntryKind::Submodule => {}
                    _ if self.get(&entry.id).is_some_and(|(kind, _)| *kind == ObjectKind::Blob) => {}
                    _ => return Err(not_found(&format!("there is no blob {}", entry.id))),
                }
            }
        }
        Ok(())
    }
}

type Leaf = Option<(EntryKind, ObjectId)>;

fn split(entries: &[TreeEntry], name: &[u8]) -> (Leaf, Option<ObjectId>) {
    match entries.iter().find(|entry| entry.name == name) {
        Some(entry) if entry.kind == EntryKind::Tree => (None, Some(entry.id)),
        Some(entry) => (Some((entry.kind, entry.id)), None),
        None => (None, None),
    }
}
