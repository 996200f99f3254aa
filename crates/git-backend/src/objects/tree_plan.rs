//! Edits of a tree, arranged by directory, so that one pass over the edited directories applies them.

use std::collections::BTreeMap;

use cfgupdater_core::{EntryKind, ObjectId, TreeEdit};

/// The directories to edit, the root first and each after the one it lies in. They name each other by position, since
/// nesting them would need a stack as deep as the deepest path.
#[derive(Debug)]
pub(crate) struct TreePlan<'a> {
    pub(crate) directories: Vec<Directory<'a>>,
}

/// What to do in one directory.
#[derive(Debug)]
pub(crate) struct Directory<'a> {
    pub(crate) start: Start,
    /// Something was put below at some point, so a file of this directory's name is gone.
    pub(crate) replaces_file: bool,
    pub(crate) entries: BTreeMap<&'a [u8], PlannedEntry>,
}

/// What to do with one entry.
#[derive(Debug, Clone, Copy)]
pub(crate) enum PlannedEntry {
    Put(EntryKind, ObjectId),
    Remove,
    /// Edit the directory at this position.
    Edit(usize),
}

/// What a directory holds before its entries are edited.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Start {
    /// What the base has there.
    Base,
    /// Nothing: an earlier edit removed or replaced it.
    Nothing,
    /// A tree that an earlier edit put there.
    Tree(ObjectId),
}

impl<'a> TreePlan<'a> {
    /// Arranges edits; they apply in their order.
    pub(crate) fn new(edits: &'a [TreeEdit]) -> Self {
        let mut plan = Self { directories: Vec::new() };
        plan.open(Start::Base);
        for edit in edits {
            plan.add(edit.path.as_str(), edit.entry);
        }
        plan
    }

    fn open(&mut self, start: Start) -> usize {
        self.directories.push(Directory { start, replaces_file: false, entries: BTreeMap::new() });
        self.directories.len() - 1
    }

    fn add(&mut self, path: &'a str, put: Option<(EntryKind, ObjectId)>) {
        let (above, name) = path.rsplit_once('/').map_or((None, path), |(above, name)| (Some(above), name));
        let mut directory = 0;
        for name in above.into_iter().flat_map(|above| above.split('/')) {
            let Some(below) = self.enter(directory, name.as_bytes(), put.is_some()) else { return };
            self.directories[below].replaces_file |= put.is_some();
            directory = below;
        }
        let entry = put.map_or(PlannedEntry::Remove, |(kind, id)| PlannedEntry::Put(kind, id));
        self.directories[directory].entries.insert(name.as_bytes(), entry);
    }

    /// Makes an entry a directory to edit; `None` where there is nothing below it to remove.
    fn enter(&mut self, directory: usize, name: &'a [u8], putting: bool) -> Option<usize> {
        let start = match self.directories[directory].entries.get(name) {
            Some(PlannedEntry::Edit(below)) => return Some(*below),
            Some(PlannedEntry::Put(EntryKind::Tree, id)) => Start::Tree(*id),
            Some(PlannedEntry::Put(..) | PlannedEntry::Remove) if putting => Start::Nothing,
            Some(PlannedEntry::Put(..) | PlannedEntry::Remove) => return None,
            None => Start::Base,
        };
        let below = self.open(start);
        self.directories[directory].entries.insert(name, PlannedEntry::Edit(below));
        Some(below)
    }
}
