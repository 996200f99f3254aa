//! The operations of [`GitRepo`](cfgupdater_core::GitRepo), on any engine.

use cfgupdater_core::{
    Commit, CommitId, Error, NewCommit, ObjectId, RepoPath, TreeEdit, TreeEntry, TreeId, Walk,
};

use super::history::{History, Range};
use super::session::{Kind, Session};
use super::tree_format::Tree;
use super::tree_plan::TreePlan;
use super::{commit_format, failures, tree_edit};

pub(crate) fn commit(session: &impl Session, id: &CommitId) -> Result<Commit, Error> {
    let content = session.read(id.object_id(), Kind::Commit)?;
    let malformed =
        || failures::unreadable(session.path(), id.object_id(), Kind::Commit, "its header is malformed");
    commit_format::parse(*id, &content).ok_or_else(malformed)
}

pub(crate) fn entry(
    session: &impl Session,
    tree: &TreeId,
    path: &RepoPath,
) -> Result<Option<TreeEntry>, Error> {
    let mut directory = *tree.object_id();
    let mut components = path.components().peekable();
    while let Some(name) = components.next() {
        let tree = Tree::read(session, &directory)?;
        let Some(entry) = tree.find(name.as_bytes()) else { break };
        if components.peek().is_none() {
            return Ok(Some(TreeEntry::new(name, entry.kind(), entry.id)));
        }
        if !entry.is_tree() {
            break;
        }
        directory = entry.id;
    }
    Ok(None)
}

pub(crate) fn list(session: &impl Session, tree: &TreeId) -> Result<Vec<TreeEntry>, Error> {
    let tree = Tree::read(session, tree.object_id())?;
    Ok(tree.entries().map(|entry| TreeEntry::new(entry.name, entry.kind(), entry.id)).collect())
}

pub(crate) fn edit_tree(
    session: &impl Session,
    base: Option<&TreeId>,
    edits: &[TreeEdit],
) -> Result<TreeId, Error> {
    for (_, id) in edits.iter().filter_map(|edit| edit.entry.as_ref()) {
        session.require_format(id)?;
    }
    let base = base.map(|tree| *tree.object_id());
    let tree: Option<ObjectId> = tree_edit::apply(session, base, &TreePlan::new(edits))?;
    tree.map_or_else(|| session.write(Kind::Tree, &[]), Ok).map(TreeId::new)
}

pub(crate) fn write_commit(session: &impl Session, commit: &NewCommit) -> Result<CommitId, Error> {
    session.require_format(commit.tree.object_id())?;
    for parent in &commit.parents {
        session.require_format(parent.object_id())?;
    }
    session.write(Kind::Commit, &commit_format::format(commit)?).map(CommitId::new)
}

pub(crate) fn is_ancestor(
    session: &impl Session,
    ancestor: &CommitId,
    descendant: &CommitId,
) -> Result<bool, Error> {
    Ok(merge_base(session, ancestor, descendant)?.as_ref() == Some(ancestor))
}

pub(crate) fn merge_base(
    session: &impl Session,
    one: &CommitId,
    other: &CommitId,
) -> Result<Option<CommitId>, Error> {
    session.require_format(one.object_id())?;
    session.require_format(other.object_id())?;
    session.merge_base(one, other)
}

/// Without `first_parent` and without anything hidden, this reads the whole history, however small the limit: the order
/// of children before parents can't be known earlier.
pub(crate) fn walk(session: &impl Session, walk: &Walk) -> Result<Vec<CommitId>, Error> {
    let range = Range { tip: walk.tip, hide: walk.hide.clone(), limit: walk.limit.unwrap_or(usize::MAX) };
    for id in std::iter::once(&range.tip).chain(&range.hide) {
        session.require_format(id.object_id())?;
    }
    History::new(session, walk.first_parent).list(&range)
}
