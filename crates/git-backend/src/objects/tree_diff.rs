//! What differs between two trees, leaf by leaf; equal subtrees are never read.

use std::collections::BTreeMap;

use cfgupdater_core::{Error, TreeChange};
use gix::objs::tree::Entry;

use super::ids;
use super::session::Session;

/// Lists the leaves that differ, by path.
pub(crate) fn diff(
    session: &Session,
    old: Option<gix::ObjectId>,
    new: Option<gix::ObjectId>,
) -> Result<Vec<TreeChange>, Error> {
    let mut changes = Vec::new();
    below(session, &[], old, new, &mut changes)?;
    changes.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(changes)
}

fn below(
    session: &Session,
    prefix: &[u8],
    old: Option<gix::ObjectId>,
    new: Option<gix::ObjectId>,
    changes: &mut Vec<TreeChange>,
) -> Result<(), Error> {
    if old == new {
        return Ok(());
    }
    for (name, [old, new]) in side_by_side(session, old, new)? {
        let path = [prefix, name.as_slice()].concat();
        if leaf(old.as_ref()) != leaf(new.as_ref()) {
            changes.push(TreeChange::new(path.clone(), leaf(old.as_ref()), leaf(new.as_ref())));
        }
        let directory = [path.as_slice(), b"/"].concat();
        below(session, &directory, subtree(old.as_ref()), subtree(new.as_ref()), changes)?;
    }
    Ok(())
}

/// Pairs the entries of two directories by name.
fn side_by_side(
    session: &Session,
    old: Option<gix::ObjectId>,
    new: Option<gix::ObjectId>,
) -> Result<BTreeMap<Vec<u8>, [Option<Entry>; 2]>, Error> {
    let mut pairs: BTreeMap<Vec<u8>, [Option<Entry>; 2]> = BTreeMap::new();
    for (side, tree) in [old, new].into_iter().enumerate() {
        let Some(tree) = tree else { continue };
        for entry in session.tree(tree)?.entries {
            let name = entry.filename.to_vec();
            pairs.entry(name).or_default()[side] = Some(entry);
        }
    }
    Ok(pairs)
}

fn leaf(entry: Option<&Entry>) -> Option<(cfgupdater_core::EntryKind, cfgupdater_core::ObjectId)> {
    let entry = entry.filter(|entry| !entry.mode.is_tree())?;
    Some((ids::kind_of(entry.mode), ids::from_gix(&entry.oid)))
}

fn subtree(entry: Option<&Entry>) -> Option<gix::ObjectId> {
    entry.filter(|entry| entry.mode.is_tree()).map(|entry| entry.oid)
}
