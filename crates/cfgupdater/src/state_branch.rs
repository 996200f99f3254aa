//! The state branch: an orphan branch of small JSON files, one commit a compare-and-swap.

use std::collections::BTreeMap;

use cfgupdater_core::{
    BlobId, CommitId, ENTRY_PATH, Entry, EntryKind, Error, ErrorKind, GitRepo, Identity, IntentId, NewCommit,
    RepoPath, State, StateFiles, TreeEdit, TreeId, Walk, encode_entry, encode_state, intent_path,
    state_message,
};

/// Reads all files of a state commit. Paths that can't be ours are passed over.
pub(crate) fn read_files(repo: &dyn GitRepo, commit: &CommitId) -> Result<StateFiles, Error> {
    let mut files = StateFiles::new();
    collect(repo, &repo.commit(commit)?.tree, None, &mut files)?;
    Ok(files)
}

/// Returns where a state commit keeps what it records.
pub(crate) fn entry_path() -> RepoPath {
    ENTRY_PATH.parse().expect("a constant path")
}

/// Deepest directory of the state's tree: `targets/<wave>/<target>`.
const DEEPEST: usize = 4;

fn collect(
    repo: &dyn GitRepo,
    tree: &TreeId,
    below: Option<&RepoPath>,
    files: &mut StateFiles,
) -> Result<(), Error> {
    for entry in repo.list(tree)? {
        let Ok(name) = std::str::from_utf8(&entry.name) else { continue };
        let path = match below {
            Some(directory) => directory.join(name),
            None => name.parse(),
        };
        let Ok(path) = path else { continue };
        match entry.kind {
            EntryKind::Tree if path.components().count() <= DEEPEST => {
                collect(repo, &TreeId::new(entry.id), Some(&path), files)?;
            }
            EntryKind::File => {
                files.insert(path, repo.blob(&BlobId::new(entry.id))?);
            }
            _ => {}
        }
    }
    Ok(())
}

/// Writes the state commit that takes `before` to `after` by what `entry` records.
pub(crate) fn write(
    repo: &dyn GitRepo,
    parent: Option<CommitId>,
    before: &State,
    after: &State,
    entry: &Entry,
    identity: &Identity,
) -> Result<CommitId, Error> {
    let old = parent.map(|_| encode_state(before)).unwrap_or_default();
    let mut new = encode_state(after);
    new.insert(entry_path(), encode_entry(entry));
    let base = parent.map(|parent| repo.commit(&parent)).transpose()?.map(|commit| commit.tree);
    let tree = repo.edit_tree(base.as_ref(), &edits(repo, &old, &new)?)?;
    repo.write_commit(&NewCommit::new(
        tree,
        parent.into_iter().collect(),
        (&identity.name, &identity.email),
        entry.at,
        state_message(entry),
    ))
}

fn edits(repo: &dyn GitRepo, old: &StateFiles, new: &StateFiles) -> Result<Vec<TreeEdit>, Error> {
    let gone = old.keys().filter(|path| !new.contains_key(*path)).cloned().map(TreeEdit::remove);
    let mut edits: Vec<TreeEdit> = gone.collect();
    for (path, content) in new.iter().filter(|(path, content)| old.get(*path) != Some(*content)) {
        edits.push(TreeEdit::file(path.clone(), repo.write_blob(content)?));
    }
    Ok(edits)
}

/// Remembers which state commit accepted which intent: the one that our commits cite. Holds for one history of the
/// branch; what a push that was lost would have accepted must not get in here.
#[derive(Debug, Clone, Default)]
pub(crate) struct AcceptedIn(BTreeMap<IntentId, CommitId>);

impl AcceptedIn {
    pub(crate) fn remember(&mut self, intent: IntentId, state: CommitId) {
        self.0.insert(intent, state);
    }

    /// Forgets all intents but these.
    pub(crate) fn keep(&mut self, wanted: impl Fn(IntentId) -> bool) {
        self.0.retain(|id, _| wanted(*id));
    }

    /// Finds the oldest commit in a row, from `tip` back, that holds the intent's file.
    pub(crate) fn find(
        &mut self,
        repo: &dyn GitRepo,
        tip: CommitId,
        intent: IntentId,
    ) -> Result<CommitId, Error> {
        if let Some(known) = self.0.get(&intent)
            && repo.has_commit(known)?
            && repo.is_ancestor(known, &tip)?
        {
            return Ok(*known);
        }
        let path: RepoPath = intent_path(intent).parse().expect("an id makes a valid path");
        let mut found = None;
        for commit in repo.walk(&Walk::from(tip).first_parent())? {
            if repo.entry(&repo.commit(&commit)?.tree, &path)?.is_none() {
                break;
            }
            found = Some(commit);
        }
        let lost = || Error::new(ErrorKind::NotFound, format!("intent {intent} is not on the state branch"));
        let commit = found.ok_or_else(lost)?;
        self.0.insert(intent, commit);
        Ok(commit)
    }
}
