//! Where fetched references are kept locally, so that their commits stay and an unchanged one isn't fetched again.

use cfgupdater_core::{Error, ErrorKind, RefEdit, RefMap, RefName};

use crate::objects::local_repo::LocalRepo;

/// Returns the local name under which a reference of the remote is kept.
pub(crate) fn local_name(remote: &RefName) -> String {
    let name = remote.as_str();
    format!("refs/cfgupdater/remote/{}", name.strip_prefix("refs/").unwrap_or(name))
}

/// Fetches a reference wherever it moved: here `+` concerns the local copy only.
pub(crate) fn refspec(remote: &RefName) -> String {
    format!("+{remote}:{}", local_name(remote))
}

/// How the local copies differ from the remote.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Stale {
    pub(crate) any_moved: bool,
    pub(crate) gone: Vec<RefName>,
}

/// Compares the local copies of `names` with what the remote lists.
///
/// # Errors
/// Fails with [`ErrorKind::Corrupt`] where a copy names a commit that isn't there any more.
pub(crate) fn compare(repo: &LocalRepo, names: &[RefName], remote: &RefMap) -> Result<Stale, Error> {
    let mut stale = Stale { any_moved: false, gone: Vec::new() };
    for name in names {
        let kept = kept(repo, name)?;
        match (kept, remote.get(name)) {
            (Some(kept), Some(listed)) if kept == *listed => require(repo, name, &kept)?,
            (_, Some(_)) => stale.any_moved = true,
            (Some(_), None) => stale.gone.push(name.clone()),
            (None, None) => {}
        }
    }
    Ok(stale)
}

/// Reads the local copies of `names`.
pub(crate) fn read<'a>(repo: &LocalRepo, names: impl Iterator<Item = &'a RefName>) -> Result<RefMap, Error> {
    let mut refs = RefMap::new();
    for name in names {
        let id = kept(repo, name)?.ok_or_else(|| damaged(repo, name))?;
        refs.insert(name.clone(), id);
    }
    Ok(refs)
}

/// Records what was pushed, so that it isn't fetched back. A reference that moved on since is fetched as any other.
pub(crate) fn record(repo: &LocalRepo, edits: &[RefEdit]) -> Result<(), Error> {
    for edit in edits {
        let Some(new) = &edit.new else { continue };
        repo.store().set_reference(&kept_as(&edit.name)?, new)?;
    }
    Ok(())
}

fn kept(repo: &LocalRepo, name: &RefName) -> Result<Option<cfgupdater_core::CommitId>, Error> {
    repo.objects().resolve(&kept_as(name)?)
}

fn kept_as(name: &RefName) -> Result<RefName, Error> {
    local_name(name).parse().map_err(|cause| {
        Error::new(ErrorKind::Invalid, format!("{name} is too long to be kept locally")).with_source(cause)
    })
}

fn require(repo: &LocalRepo, name: &RefName, id: &cfgupdater_core::CommitId) -> Result<(), Error> {
    if repo.objects().has_commit(id)? { Ok(()) } else { Err(damaged(repo, name)) }
}

fn damaged(repo: &LocalRepo, name: &RefName) -> Error {
    let message =
        format!("{} lost what was fetched of {name}; it has to be fetched afresh", repo.path().display());
    Error::new(ErrorKind::Corrupt, message)
}
