//! Writes the tree that another becomes by edits: only the directories on the edited paths are read and written.

use cfgupdater_core::{EntryKind, Error, ObjectId};

use super::session::{Kind, Session};
use super::tree_format::{self, Entry, Tree, mode_of};
use super::tree_plan::{Directory, PlannedEntry, Start, TreePlan};

/// A directory on an edited path.
struct Opened {
    tree: Tree,
    start: Option<ObjectId>,
}

/// Applies `plan` to `base` and returns the id of the tree written, `None` where nothing is left in it.
pub(crate) fn apply(
    session: &impl Session,
    base: Option<ObjectId>,
    plan: &TreePlan<'_>,
) -> Result<Option<ObjectId>, Error> {
    let opened = open(session, base, plan)?;
    let mut written: Vec<Option<ObjectId>> = vec![None; opened.len()];
    // Directories come after those they lie in, so from the end each one's own are done before it.
    for (at, directory) in plan.directories.iter().enumerate().rev() {
        if let Some(opened) = &opened[at] {
            written[at] = close(session, opened, directory, plan, &written)?;
        }
    }
    Ok(written[0])
}

/// Reads the directories from the root down. One that a later edit took away again is not read.
fn open(
    session: &impl Session,
    base: Option<ObjectId>,
    plan: &TreePlan<'_>,
) -> Result<Vec<Option<Opened>>, Error> {
    let mut opened: Vec<Option<Opened>> = Vec::new();
    opened.resize_with(plan.directories.len(), || None);
    let mut found: Vec<Option<Option<ObjectId>>> = vec![None; plan.directories.len()];
    found[0] = Some(base);
    for (at, directory) in plan.directories.iter().enumerate() {
        let Some(found_here) = found[at] else { continue };
        let start = match directory.start {
            Start::Base => found_here,
            Start::Nothing => None,
            Start::Tree(id) => Some(id),
        };
        let tree = start.map_or_else(|| Ok(Tree::empty()), |id| Tree::read(session, &id))?;
        for (name, entry) in &directory.entries {
            if let PlannedEntry::Edit(below) = entry {
                found[*below] = Some(tree.find(name).filter(Entry::is_tree).map(|entry| entry.id));
            }
        }
        opened[at] = Some(Opened { tree, start });
    }
    Ok(opened)
}

/// Writes one directory; the directories in it are written already.
fn close(
    session: &impl Session,
    opened: &Opened,
    directory: &Directory<'_>,
    plan: &TreePlan<'_>,
    written: &[Option<ObjectId>],
) -> Result<Option<ObjectId>, Error> {
    let kept = opened.tree.entries().filter(|entry| !directory.entries.contains_key(entry.name));
    let mut entries: Vec<Entry<'_>> = kept.collect();
    let mut changed = false;
    for (name, planned) in &directory.entries {
        let old = opened.tree.find(name);
        let new = edited(name, old, *planned, plan, written);
        changed |= new != old;
        entries.extend(new);
    }
    match opened.start {
        _ if entries.is_empty() => Ok(None),
        Some(same) if !changed => Ok(Some(same)),
        _ => session.write(Kind::Tree, &tree_format::format(entries)).map(Some),
    }
}

/// Returns what becomes of one entry.
fn edited<'a>(
    name: &'a [u8],
    old: Option<Entry<'a>>,
    planned: PlannedEntry,
    plan: &TreePlan<'_>,
    written: &[Option<ObjectId>],
) -> Option<Entry<'a>> {
    match planned {
        PlannedEntry::Remove => None,
        PlannedEntry::Put(EntryKind::Tree, id) if is_empty_tree(&id) => None,
        PlannedEntry::Put(kind, id) => Some(Entry { mode: mode_of(kind), name, id }),
        PlannedEntry::Edit(below) => match written[below] {
            Some(id) => Some(Entry { mode: mode_of(EntryKind::Tree), name, id }),
            // A removal below a file leaves the file: what it names isn't there.
            None => old.filter(|old| !old.is_tree() && !plan.directories[below].replaces_file),
        },
    }
}

/// Knows the ids of the tree without entries, in both formats.
pub(crate) fn is_empty_tree(id: &ObjectId) -> bool {
    let hex = id.to_string();
    hex == "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
        || hex == "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321"
}
