//! Applies intents to trees: the one way commits of auto are made, and the one way they are recognised.

use cfgupdater_core::{
    Autocommit, Commit, CommitId, Error, ErrorKind, GitRepo, Identity, Intent, IntentId, NewCommit, Policy,
    ReleaseFile, State, TreeEdit, TreeId, encode_images,
};

/// Writes the tree that `base` becomes when `intent` writes its set into its wave.
pub(crate) fn tree(
    repo: &dyn GitRepo,
    base: &TreeId,
    intent: &Intent,
    policy: &Policy,
) -> Result<TreeId, Error> {
    let set = policy.set(&intent.set).ok_or_else(|| {
        Error::new(
            ErrorKind::Invalid,
            format!("image set `{}` of intent {} is not configured", intent.set, intent.id),
        )
    })?;
    let files = set.layout.files(&intent.wave);
    let (tags, digests) = encode_images(&intent.images);
    let mut edits = vec![
        TreeEdit::file(files.tags, repo.write_blob(&tags)?),
        TreeEdit::file(files.digests, repo.write_blob(&digests)?),
    ];
    if let Some(path) = set.release_path(&intent.wave) {
        edits.push(TreeEdit::file(path, repo.write_blob(&ReleaseFile::content(intent.release))?));
    }
    repo.edit_tree(Some(base), &edits)
}

/// Writes the commit of `intent` on `parent`. The same intent on the same parent gives the same id on every replica.
pub(crate) fn commit(
    repo: &dyn GitRepo,
    parent: &Commit,
    intent: &Intent,
    accepted_in: CommitId,
    policy: &Policy,
) -> Result<CommitId, Error> {
    let Identity { name, email } = &policy.identity;
    repo.write_commit(&NewCommit::new(
        tree(repo, &parent.tree, intent, policy)?,
        vec![parent.id],
        (name, email),
        intent.accepted_at,
        Autocommit::of(intent, accepted_in).encode(),
    ))
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
    let Some(said) = Autocommit::decode(&commit.message) else { return Ok(None) };
    let Some(accepted) = state.intents.get(&said.id) else { return Ok(None) };
    let [parent] = commit.parents.as_slice() else { return Ok(None) };
    let dated = commit.committed_at == accepted.intent.accepted_at.floor_to_seconds();
    if !dated || policy.set(&accepted.intent.set).is_none() {
        return Ok(None);
    }
    let expected = tree(repo, &repo.commit(parent)?.tree, &accepted.intent, policy)?;
    Ok((expected == commit.tree).then_some((said.id, said.state)))
}
