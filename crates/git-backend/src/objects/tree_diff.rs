//! What differs between two trees, leaf by leaf; equal subtrees are never read.

use std::collections::BTreeMap;

use cfgupdater_core::{EntryKind, Error, ErrorKind, ObjectId, TreeChange};

use super::session::Session;
use super::tree_format::{Entry, Tree};

/// Most directories and changed leaves together. A tree that names one directory again and again has as many leaves as its
/// author likes, whatever little it weighs.
const MOST: usize = 1_000_000;

/// Two directories to compare. Depth costs memory, never stack: a tree may be deeper than any stack.
struct Pair {
    prefix: Vec<u8>,
    old: Option<ObjectId>,
    new: Option<ObjectId>,
}

/// Lists the leaves that differ, by path.
///
/// # Errors
/// Fails where a tree can't be read, and where more differs than any repository of configuration holds.
pub(crate) fn diff(
    session: &impl Session,
    old: Option<ObjectId>,
    new: Option<ObjectId>,
) -> Result<Vec<TreeChange>, Error> {
    let mut changes = Vec::new();
    let mut read_so_far = 0;
    let mut open = vec![Pair { prefix: Vec::new(), old, new }];
    while let Some(Pair { prefix, old, new }) = open.pop() {
        if old == new {
            continue;
        }
        read_so_far += 1;
        if read_so_far + changes.len() > MOST {
            return Err(too_many(new.or(old)));
        }
        let [old, new] = [read(session, old)?, read(session, new)?];
        for (name, [old, new]) in side_by_side(&old, &new) {
            let path = [prefix.as_slice(), name].concat();
            let below = [subtree(old), subtree(new)];
            if below[0] != below[1] {
                let prefix = [path.as_slice(), b"/"].concat();
                open.push(Pair { prefix, old: below[0], new: below[1] });
            }
            if leaf(old) != leaf(new) {
                changes.push(TreeChange::new(path, leaf(old), leaf(new)));
            }
        }
    }
    changes.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(changes)
}

fn too_many(tree: Option<ObjectId>) -> Error {
    let of = tree.map_or_else(String::new, |tree| format!(" below tree {tree}"));
    let message = format!(
        "more than {MOST} directories and files differ{of}, which no repository of configuration has; a tree that names one \
         directory again and again must be taken out of the branch"
    );
    Error::new(ErrorKind::Invalid, message)
}

fn read(session: &impl Session, tree: Option<ObjectId>) -> Result<Tree, Error> {
    tree.map_or_else(|| Ok(Tree::empty()), |tree| Tree::read(session, &tree))
}

type Sides<'a> = [Option<Entry<'a>>; 2];

/// Pairs the entries of two directories by name.
fn side_by_side<'a>(old: &'a Tree, new: &'a Tree) -> BTreeMap<&'a [u8], Sides<'a>> {
    let mut pairs: BTreeMap<&[u8], Sides<'a>> = BTreeMap::new();
    for (side, tree) in [old, new].into_iter().enumerate() {
        for entry in tree.entries() {
            pairs.entry(entry.name).or_default()[side] = Some(entry);
        }
    }
    pairs
}

fn leaf(entry: Option<Entry<'_>>) -> Option<(EntryKind, ObjectId)> {
    entry.filter(|entry| !entry.is_tree()).map(|entry| (entry.kind(), entry.id))
}

fn subtree(entry: Option<Entry<'_>>) -> Option<ObjectId> {
    entry.filter(Entry::is_tree).map(|entry| entry.id)
}
