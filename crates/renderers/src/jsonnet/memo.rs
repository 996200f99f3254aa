//! What an entry made of which files: unchanged inputs are not evaluated again.

use std::collections::BTreeMap;

use cfgupdater_core::{BlobId, EntryKind, Error, ErrorKind, GitRepo, ObjectId, RepoPath, TreeEdit, TreeId};

use super::settings::JsonnetEntry;

/// The last evaluation of an entry.
#[derive(Debug, Clone, Default)]
pub(super) struct Memo {
    /// Every path that was asked for, with what was there.
    asked: BTreeMap<String, Option<ObjectId>>,
    /// What was made, by path.
    made: BTreeMap<RepoPath, ObjectId>,
    /// A directory that holds exactly that.
    exact: Option<TreeId>,
}

impl Memo {
    /// Lists how a tree changes, if every file that was asked for is as it was and what was made of them is still there: a
    /// repository that was made anew has nothing that was never pushed.
    pub(super) fn reused(
        &mut self,
        repo: &dyn GitRepo,
        tree: &TreeId,
        entry: &JsonnetEntry,
    ) -> Result<Option<Vec<TreeEdit>>, Error> {
        if !self.holds(repo, tree)? {
            return Ok(None);
        }
        let edits = self.edits(repo, tree, entry)?;
        for id in edits.iter().filter_map(|edit| edit.entry.map(|(_, id)| id)) {
            match repo.blob(&BlobId::new(id)) {
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
                there => there.map(drop)?,
            }
        }
        Ok(Some(edits))
    }

    /// Tells whether every file that was asked for is as it was.
    fn holds(&self, repo: &dyn GitRepo, tree: &TreeId) -> Result<bool, Error> {
        for (path, known) in &self.asked {
            if file(repo, tree, path)? != *known {
                return Ok(false);
            }
        }
        Ok(!self.asked.is_empty())
    }

    /// Remembers that a path was asked for.
    pub(super) fn asked(&mut self, path: String, found: Option<ObjectId>) {
        self.asked.insert(path, found);
    }

    /// Remembers that a file was made.
    pub(super) fn made(&mut self, path: RepoPath, id: BlobId) {
        self.made.insert(path, *id.object_id());
    }

    /// Lists how a tree changes so that the entry's directory holds exactly what was made.
    pub(super) fn edits(
        &mut self,
        repo: &dyn GitRepo,
        tree: &TreeId,
        entry: &JsonnetEntry,
    ) -> Result<Vec<TreeEdit>, Error> {
        let there = repo.entry(tree, &entry.directory)?.filter(|entry| entry.kind == EntryKind::Tree);
        let there = there.map(|entry| TreeId::new(entry.id));
        if there.is_some() && there == self.exact {
            return Ok(Vec::new());
        }
        let mut present = BTreeMap::new();
        if let Some(there) = &there {
            for change in repo.diff(None, there)? {
                let path = String::from_utf8_lossy(&change.path).into_owned();
                if let (Ok(path), Some(new)) = (entry.directory.join(&path), change.new) {
                    present.insert(path, new);
                }
            }
        }
        let mut edits = Vec::new();
        for (path, id) in &self.made {
            if present.remove(path) != Some((EntryKind::File, *id)) {
                edits.push(TreeEdit::put(path.clone(), EntryKind::File, *id));
            }
        }
        edits.extend(present.into_keys().map(TreeEdit::remove));
        if edits.is_empty() {
            self.exact = there;
        }
        Ok(edits)
    }
}

/// Returns the plain file at a path.
pub(super) fn file(repo: &dyn GitRepo, tree: &TreeId, path: &str) -> Result<Option<ObjectId>, Error> {
    let Ok(path) = path.parse::<RepoPath>() else { return Ok(None) };
    let entry = repo.entry(tree, &path)?;
    let is_file = |kind| matches!(kind, EntryKind::File | EntryKind::Executable);
    Ok(entry.filter(|entry| is_file(entry.kind)).map(|entry| entry.id))
}
