//! Writes the tree that another becomes by edits: only the directories on the edited paths are read and written.

use std::collections::BTreeMap;

use cfgupdater_core::{EntryKind, Error};
use gix::objs::Tree;
use gix::objs::tree::{Entry, EntryKind as Mode};

use super::ids;
use super::session::Session;
use super::tree_plan::{PlannedEntry, PlannedTree, Start};

/// Applies `plan` to `base` and returns the id of the tree written, `None` where nothing is left in it.
pub(crate) fn apply(
    session: &Session,
    base: Option<gix::ObjectId>,
    plan: &PlannedTree<'_>,
) -> Result<Option<gix::ObjectId>, Error> {
    let start = match plan.start {
        Start::Base => base,
        Start::Nothing => None,
        Start::Tree(id) => Some(ids::to_gix(&id)),
    };
    let (mut entries, edited) = read_apart(session, start, plan)?;
    let mut changed = false;
    for (name, planned) in &plan.entries {
        let old = edited.get(*name);
        let new = edit(session, name, old, planned)?;
        changed |= new.as_ref() != old;
        entries.extend(new);
    }
    if entries.is_empty() {
        return Ok(None);
    }
    if let (false, Some(same)) = (changed, start) {
        return Ok(Some(same));
    }
    entries.sort();
    session.write(&Tree { entries }).map(Some)
}

type Apart = (Vec<Entry>, BTreeMap<Vec<u8>, Entry>);

/// Reads a directory and sets the entries that the plan names apart from those it leaves alone.
fn read_apart(
    session: &Session,
    tree: Option<gix::ObjectId>,
    plan: &PlannedTree<'_>,
) -> Result<Apart, Error> {
    let Some(tree) = tree else { return Ok(Apart::default()) };
    let (edited, kept): (Vec<_>, Vec<_>) = session
        .tree(tree)?
        .entries
        .into_iter()
        .partition(|entry| plan.entries.contains_key(entry.filename.as_slice()));
    Ok((kept, edited.into_iter().map(|entry| (entry.filename.to_vec(), entry)).collect()))
}

/// Returns what becomes of one entry.
fn edit(
    session: &Session,
    name: &[u8],
    old: Option<&Entry>,
    planned: &PlannedEntry<'_>,
) -> Result<Option<Entry>, Error> {
    let entry = |mode, oid| Some(Entry { mode, filename: name.into(), oid });
    Ok(match planned {
        PlannedEntry::Remove => None,
        PlannedEntry::Put(kind, id) => {
            let oid = ids::to_gix(id);
            let is_empty_directory = *kind == EntryKind::Tree && oid.is_empty_tree();
            if is_empty_directory { None } else { entry(ids::mode_of(*kind), oid) }
        }
        PlannedEntry::Edit(plan) => {
            let (directory, file) = match old {
                Some(old) if old.mode.is_tree() => (Some(old.oid), None),
                other => (None, other.filter(|_| !plan.replaces_file)),
            };
            match apply(session, directory, plan)? {
                Some(oid) => entry(Mode::Tree.into(), oid),
                // A removal below a file leaves the file: what it names isn't there.
                None => file.cloned(),
            }
        }
    })
}
