//! [`carry`]: one commit's change, applied to another tree path by path.
//!
//! Only the paths that the commit touches are read, so the cost is that of the change, not of the repository.

mod merge_content;

use cfgupdater_core::{
    BlobId, CommitId, EntryKind, Error, GitRepo, ObjectId, RepoPath, TreeChange, TreeEdit, TreeId,
};
use merge_content::{merge_json, merge_text};

/// What became of a carried commit.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CarryOutcome {
    /// The tree that has the change; the tree of `onto` itself where it had the change already.
    Carried {
        /// The tree, written.
        tree: TreeId,
    },
    /// Both sides changed these paths in ways that don't go together.
    Conflict {
        /// The paths, in order; bytes that are not UTF-8 are replaced.
        paths: Vec<String>,
    },
    /// The commit is a merge, or a root: it has no single change to carry.
    NotOneChange,
}

/// Applies what `commit` changed against its parent to the tree of `onto`.
///
/// A path changed on one side only, or alike on both, takes that change. Where both sides changed a file differently,
/// image definitions are merged key by key and other files line by line. Everything else is a conflict, also two changes
/// among lines that repeat: which of them a side meant isn't guessed, so it conflicts where `git merge-file` may not.
///
/// # Errors
/// Fails where an object can't be read or written.
pub fn carry(
    repo: &dyn GitRepo,
    commit: &CommitId,
    onto: &CommitId,
    is_image_definition: &dyn Fn(&str) -> bool,
) -> Result<CarryOutcome, Error> {
    let commit = repo.commit(commit)?;
    let [parent] = commit.parents.as_slice() else { return Ok(CarryOutcome::NotOneChange) };
    let base = repo.commit(parent)?.tree;
    let target = Target { repo, tree: repo.commit(onto)?.tree, is_image_definition };
    let mut edits = Vec::new();
    let mut conflicts = Vec::new();
    let changes = repo.diff(Some(&base), &commit.tree)?;
    for change in &changes {
        match target.apply(change, &changes)? {
            Applied::Already => {}
            Applied::Edit(edit) => edits.push(edit),
            Applied::Conflict => conflicts.push(String::from_utf8_lossy(&change.path).into_owned()),
        }
    }
    if !conflicts.is_empty() {
        return Ok(CarryOutcome::Conflict { paths: conflicts });
    }
    // Removals first: a directory may give way to a file of its name, or the other way round.
    edits.sort_by_key(|edit| edit.entry.is_some());
    let tree = if edits.is_empty() { target.tree } else { repo.edit_tree(Some(&target.tree), &edits)? };
    Ok(CarryOutcome::Carried { tree })
}

type Leaf = Option<(EntryKind, ObjectId)>;

enum Applied {
    Already,
    Edit(TreeEdit),
    Conflict,
}

/// The tree that a change is carried to.
struct Target<'a> {
    repo: &'a dyn GitRepo,
    tree: TreeId,
    is_image_definition: &'a dyn Fn(&str) -> bool,
}

impl Target<'_> {
    fn apply(&self, change: &TreeChange, changes: &[TreeChange]) -> Result<Applied, Error> {
        let path = std::str::from_utf8(&change.path).ok().and_then(|path| path.parse::<RepoPath>().ok());
        let Some(path) = path else { return Ok(Applied::Conflict) };
        let current = self.repo.entry(&self.tree, &path)?.map(|entry| (entry.kind, entry.id));
        if current == change.new {
            return Ok(Applied::Already);
        }
        if current != change.old {
            return self.merge(path, change, current);
        }
        if current.is_none() && self.a_file_is_in_the_way(&path, changes)? {
            return Ok(Applied::Conflict);
        }
        Ok(Applied::Edit(edit(path, change.new)))
    }

    /// Finds a file where the new path needs a directory, unless the same commit removes that file.
    fn a_file_is_in_the_way(&self, path: &RepoPath, changes: &[TreeChange]) -> Result<bool, Error> {
        for (end, _) in path.as_str().match_indices('/') {
            let above = &path.as_str()[..end];
            let Ok(above_path) = above.parse() else { continue };
            let entry = self.repo.entry(&self.tree, &above_path)?;
            let is_removed =
                || changes.iter().any(|change| change.path == above.as_bytes() && change.new.is_none());
            if entry.is_some_and(|entry| entry.kind != EntryKind::Tree) && !is_removed() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Merges a file that both sides changed.
    fn merge(&self, path: RepoPath, change: &TreeChange, current: Leaf) -> Result<Applied, Error> {
        let (Some(base), Some(ours), Some(theirs)) = (file(change.old), file(current), file(change.new))
        else {
            return Ok(Applied::Conflict);
        };
        let kind = if ours.0 == base.0 { theirs.0 } else { ours.0 };
        let [base, ours, theirs] =
            [self.repo.blob(&base.1)?, self.repo.blob(&ours.1)?, self.repo.blob(&theirs.1)?];
        let merged = if (self.is_image_definition)(path.as_str()) {
            merge_json(&base, &ours, &theirs)
        } else {
            merge_text(&base, &ours, &theirs)
        };
        let Some(content) = merged else { return Ok(Applied::Conflict) };
        let blob = self.repo.write_blob(&content)?;
        Ok(Applied::Edit(edit(path, Some((kind, *blob.object_id())))))
    }
}

fn edit(path: RepoPath, entry: Leaf) -> TreeEdit {
    match entry {
        Some((kind, id)) => TreeEdit::put(path, kind, id),
        None => TreeEdit::remove(path),
    }
}

fn file(leaf: Leaf) -> Option<(EntryKind, BlobId)> {
    let (kind, id) = leaf?;
    matches!(kind, EntryKind::File | EntryKind::Executable).then(|| (kind, BlobId::new(id)))
}
