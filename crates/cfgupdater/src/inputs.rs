//! Trees with their generated paths left out: what a rendering depends on, and what makes a commit ours.

use std::collections::BTreeMap;

use cfgupdater_core::{EntryKind, Error, GitRepo, ObjectId, PathSet, TreeEntry, TreeId};
use sha2::{Digest, Sha256};

/// Tells what a tree holds apart from generated paths. Directories that hold none of them count by their id, so the cost
/// is that of the directories which hold both.
pub(crate) fn fingerprint(repo: &dyn GitRepo, tree: &TreeId, generated: &PathSet) -> Result<[u8; 32], Error> {
    Ok(fingerprint_below(repo, tree, "", generated)?.unwrap_or_default())
}

/// Returns `None` where nothing is left: a directory that holds generated files alone counts for nothing either.
fn fingerprint_below(
    repo: &dyn GitRepo,
    tree: &TreeId,
    below: &str,
    generated: &PathSet,
) -> Result<Option<[u8; 32]>, Error> {
    let (mut hash, mut is_empty) = (Sha256::new(), true);
    for entry in repo.list(tree)? {
        let path = path_of(below, &entry);
        match kept(&path, &entry, generated) {
            Kept::Nothing => {}
            Kept::Whole => {
                hash.update(format!("{:?} {} {}\0", entry.kind, entry.id, entry.name.len()));
                hash.update(&entry.name);
                is_empty = false;
            }
            Kept::InPart => {
                let inner = fingerprint_below(repo, &TreeId::new(entry.id), &path, generated)?;
                if let Some(inner) = inner {
                    hash.update(format!("in {}\0", entry.name.len()));
                    hash.update(&entry.name);
                    hash.update(inner);
                    is_empty = false;
                }
            }
        }
    }
    Ok((!is_empty).then(|| hash.finalize().into()))
}

/// Tells whether two trees hold the same apart from generated paths.
pub(crate) fn same(
    repo: &dyn GitRepo,
    one: &TreeId,
    other: &TreeId,
    generated: &PathSet,
) -> Result<bool, Error> {
    if one == other {
        return Ok(true);
    }
    if generated.is_empty() {
        return Ok(false);
    }
    same_below(repo, Some(one), Some(other), "", generated)
}

fn same_below(
    repo: &dyn GitRepo,
    one: Option<&TreeId>,
    other: Option<&TreeId>,
    below: &str,
    generated: &PathSet,
) -> Result<bool, Error> {
    let (one, other) =
        (kept_entries(repo, one, below, generated)?, kept_entries(repo, other, below, generated)?);
    for name in one.keys().chain(other.keys().filter(|name| !one.contains_key(*name))) {
        let (left, right) = (one.get(name), other.get(name));
        if left == right {
            continue;
        }
        let part = |entry: Option<&(Kept, EntryKind, ObjectId)>| match entry {
            Some((Kept::InPart, _, id)) => Some(Some(TreeId::new(*id))),
            Some(_) => None,
            None => Some(None),
        };
        let (Some(left), Some(right)) = (part(left), part(right)) else { return Ok(false) };
        let path = if below.is_empty() { name.clone() } else { format!("{below}/{name}") };
        if !same_below(repo, left.as_ref(), right.as_ref(), &path, generated)? {
            return Ok(false);
        }
    }
    Ok(true)
}

type KeptEntries = BTreeMap<String, (Kept, EntryKind, ObjectId)>;

fn kept_entries(
    repo: &dyn GitRepo,
    tree: Option<&TreeId>,
    below: &str,
    generated: &PathSet,
) -> Result<KeptEntries, Error> {
    let Some(tree) = tree else { return Ok(KeptEntries::new()) };
    let mut entries = KeptEntries::new();
    for entry in repo.list(tree)? {
        let kept = kept(&path_of(below, &entry), &entry, generated);
        if kept != Kept::Nothing {
            entries.insert(name_of(&entry), (kept, entry.kind, entry.id));
        }
    }
    Ok(entries)
}

/// Tells whether a tree holds any generated path.
pub(crate) fn holds_generated(repo: &dyn GitRepo, tree: &TreeId, generated: &PathSet) -> Result<bool, Error> {
    any_below(repo, tree, "", generated)
}

fn any_below(repo: &dyn GitRepo, tree: &TreeId, below: &str, generated: &PathSet) -> Result<bool, Error> {
    for entry in repo.list(tree)? {
        let path = path_of(below, &entry);
        let found = match kept(&path, &entry, generated) {
            Kept::Nothing => true,
            Kept::Whole => false,
            Kept::InPart => any_below(repo, &TreeId::new(entry.id), &path, generated)?,
        };
        if found {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What is left of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kept {
    Nothing,
    Whole,
    InPart,
}

fn kept(path: &str, entry: &TreeEntry, generated: &PathSet) -> Kept {
    if entry.kind != EntryKind::Tree {
        return if generated.contains(path) { Kept::Nothing } else { Kept::Whole };
    }
    match (generated.holds_all_below(path), generated.may_hold_below(path)) {
        (true, _) => Kept::Nothing,
        (false, true) => Kept::InPart,
        (false, false) => Kept::Whole,
    }
}

fn path_of(below: &str, entry: &TreeEntry) -> String {
    let name = name_of(entry);
    if below.is_empty() { name } else { format!("{below}/{name}") }
}

/// Names that are no text are spelled so that no pattern of ours means them, and no two of them alike.
fn name_of(entry: &TreeEntry) -> String {
    match std::str::from_utf8(&entry.name) {
        Ok(name) => name.to_owned(),
        Err(_) => entry.name.iter().map(|byte| format!("\0{byte:02x}")).collect(),
    }
}

#[cfg(test)]
mod tests;
