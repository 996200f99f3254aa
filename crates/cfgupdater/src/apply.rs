//! Applies intents to trees: the one way commits of auto are made, and the one way they are recognised.

use cfgupdater_core::{
    Autocommit, Commit, CommitId, Error, ErrorKind, FORMAT_VERSION, GitRepo, Identity, Intent, IntentId,
    LayoutError, NewCommit, Policy, ReleaseFile, State, TreeEdit, TreeId,
};

use crate::history::files_of;
use crate::inputs;

/// Why an intent can't be applied.
pub(crate) enum Unapplied {
    Backend(Error),
    Layout(LayoutError),
}

impl From<Error> for Unapplied {
    fn from(error: Error) -> Self {
        Self::Backend(error)
    }
}

/// Writes the tree that `base` becomes when `intent` writes its set into its wave; generated files stay as they are.
pub(crate) fn tree(
    repo: &dyn GitRepo,
    base: &TreeId,
    intent: &Intent,
    policy: &Policy,
) -> Result<TreeId, Unapplied> {
    let set = policy.set(&intent.set).ok_or_else(|| {
        Error::new(
            ErrorKind::Invalid,
            format!("image set `{}` of intent {} is not configured", intent.set, intent.id),
        )
    })?;
    let present =
        if set.layout.overwrites() { Vec::new() } else { files_of(repo, base, &set.layout, &intent.wave)? };
    let contents = set.layout.write(&intent.wave, &present, &intent.images).map_err(Unapplied::Layout)?;
    let mut edits = Vec::new();
    for (path, content) in set.layout.files(&intent.wave).into_iter().zip(contents) {
        edits.push(TreeEdit::file(path, repo.write_blob(&content)?));
    }
    if let Some(path) = set.release_path(&intent.wave) {
        edits.push(TreeEdit::file(path, repo.write_blob(&ReleaseFile::content(intent.release))?));
    }
    Ok(repo.edit_tree(Some(base), &edits)?)
}

/// Writes the commit of `intent` on `parent` with a tree. The same intent on the same parent gives the same id on every
/// replica.
pub(crate) fn commit(
    repo: &dyn GitRepo,
    parent: &Commit,
    tree: TreeId,
    intent: &Intent,
    accepted_in: CommitId,
    policy: &Policy,
) -> Result<CommitId, Error> {
    let Identity { name, email } = &policy.identity;
    repo.write_commit(&NewCommit::new(
        tree,
        vec![parent.id],
        (name, email),
        intent.accepted_at,
        Autocommit::of(intent, accepted_in).encode(),
    ))
}

/// Tells whether a commit's tree is what applying `intent` to its parent gives, generated paths aside.
pub(crate) fn is_result(
    repo: &dyn GitRepo,
    parent: &CommitId,
    intent: &Intent,
    result: &TreeId,
    policy: &Policy,
) -> Result<bool, Error> {
    match tree(repo, &repo.commit(parent)?.tree, intent, policy) {
        Ok(expected) => inputs::same(repo, &expected, result, &policy.generated),
        Err(Unapplied::Layout(_)) => Ok(false),
        Err(Unapplied::Backend(error)) => Err(error),
    }
}

/// Returns the intent that a commit applies, with the state commit it cites: the intent its trailers name, if
/// re-applying that gives its tree and its date. A copy that somebody committed, as a cherry-pick does, has another date
/// and is not ours.
pub(crate) fn recognise(
    repo: &dyn GitRepo,
    commit: &Commit,
    state: &State,
    policy: &Policy,
) -> Result<Option<(IntentId, Option<CommitId>)>, Error> {
    let known = |said: &Autocommit| said.version <= FORMAT_VERSION;
    let Some(said) = Autocommit::decode(&commit.message).filter(known) else { return Ok(None) };
    let Some(accepted) = state.intents.get(&said.id) else { return Ok(None) };
    let [parent] = commit.parents.as_slice() else { return Ok(None) };
    let dated = commit.committed_at == accepted.intent.accepted_at.floor_to_seconds();
    if !dated || policy.set(&accepted.intent.set).is_none() {
        return Ok(None);
    }
    let ours = is_result(repo, parent, &accepted.intent, &commit.tree, policy)?;
    Ok(ours.then_some((said.id, said.state)))
}
