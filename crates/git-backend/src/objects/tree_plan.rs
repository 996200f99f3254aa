//! Edits of a tree, arranged by directory, so that one pass over the edited directories applies them.

use std::collections::BTreeMap;

use cfgupdater_core::{EntryKind, ObjectId, TreeEdit};

/// What to do in one directory.
#[derive(Debug)]
pub(crate) struct PlannedTree<'a> {
    pub(crate) start: Start,
    /// Something was put below at some point, so a file of this directory's name is gone.
    pub(crate) replaces_file: bool,
    pub(crate) entries: BTreeMap<&'a [u8], PlannedEntry<'a>>,
}

/// What to do with one entry.
#[derive(Debug)]
pub(crate) enum PlannedEntry<'a> {
    Put(EntryKind, ObjectId),
    Remove,
    Edit(PlannedTree<'a>),
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

impl<'a> PlannedTree<'a> {
    /// Arranges edits; they apply in their order.
    pub(crate) fn new(edits: &'a [TreeEdit]) -> Self {
        let mut root = Self::starting(Start::Base);
        for edit in edits {
            root.add(edit.path.as_str(), edit.entry);
        }
        root
    }

    fn starting(start: Start) -> Self {
        Self { start, replaces_file: false, entries: BTreeMap::new() }
    }

    fn add(&mut self, path: &'a str, put: Option<(EntryKind, ObjectId)>) {
        let Some((directory, rest)) = path.split_once('/') else {
            let entry = put.map_or(PlannedEntry::Remove, |(kind, id)| PlannedEntry::Put(kind, id));
            self.entries.insert(path.as_bytes(), entry);
            return;
        };
        let entry = self
            .entries
            .entry(directory.as_bytes())
            .or_insert_with(|| PlannedEntry::Edit(Self::starting(Start::Base)));
        if let Some(below) = entry.make_directory(put.is_some()) {
            below.replaces_file |= put.is_some();
            below.add(rest, put);
        }
    }
}

impl<'a> PlannedEntry<'a> {
    /// Turns the entry into a directory to edit; `None` where there is nothing below it to remove.
    fn make_directory(&mut self, putting: bool) -> Option<&mut PlannedTree<'a>> {
        match self {
            Self::Edit(_) => {}
            Self::Put(EntryKind::Tree, id) => *self = Self::Edit(PlannedTree::starting(Start::Tree(*id))),
            Self::Put(..) | Self::Remove if putting => {
                *self = Self::Edit(PlannedTree::starting(Start::Nothing));
            }
            Self::Put(..) | Self::Remove => return None,
        }
        match self {
            Self::Edit(tree) => Some(tree),
            _ => None,
        }
    }
}
