//! Lays a commit's files out in a directory, without git and without leaving it.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, symlink};
use std::path::{Component, Path, PathBuf};

use cfgupdater_core::{BlobId, CommitId, EntryKind, Error, ErrorKind, GitRepo, TreeEntry, TreeId};

/// Writes every file of `commit` below `directory`, which must be empty. Submodules become empty directories.
///
/// # Errors
/// Fails with [`ErrorKind::Invalid`] for names and links that would lead out of the directory, and with
/// [`ErrorKind::Other`] where the disk doesn't take it.
pub fn lay_out(repo: &dyn GitRepo, commit: &CommitId, directory: &Path) -> Result<(), Error> {
    write_tree(repo, &repo.commit(commit)?.tree, directory, Path::new(""))
}

fn write_tree(repo: &dyn GitRepo, tree: &TreeId, root: &Path, below: &Path) -> Result<(), Error> {
    for entry in repo.list(tree)? {
        let path = below.join(checked_name(&entry)?);
        let full = root.join(&path);
        match entry.kind {
            EntryKind::Tree => {
                fs::create_dir(&full).map_err(|error| disk(&path, error))?;
                write_tree(repo, &TreeId::new(entry.id), root, &path)?;
            }
            EntryKind::Submodule => fs::create_dir(&full).map_err(|error| disk(&path, error))?,
            EntryKind::Symlink => link(&repo.blob(&BlobId::new(entry.id))?, &path, &full)?,
            EntryKind::File => write_file(&repo.blob(&BlobId::new(entry.id))?, 0o644, &path, &full)?,
            EntryKind::Executable => write_file(&repo.blob(&BlobId::new(entry.id))?, 0o755, &path, &full)?,
        }
    }
    Ok(())
}

/// Returns an entry's name, if it can be that of a file here.
///
/// # Errors
/// Fails with [`ErrorKind::Invalid`] for a name that would lead out of its directory or that git refuses.
pub fn checked_name(entry: &TreeEntry) -> Result<&str, Error> {
    let name = std::str::from_utf8(&entry.name).ok();
    name.filter(|name| name.parse::<cfgupdater_core::RepoPath>().is_ok() && !name.contains('/')).ok_or_else(
        || {
            let shown = String::from_utf8_lossy(&entry.name).escape_debug().to_string();
            Error::new(
                ErrorKind::Invalid,
                format!("the tree holds the name `{shown}`, which can't be laid out"),
            )
        },
    )
}

fn write_file(content: &[u8], mode: u32, path: &Path, full: &Path) -> Result<(), Error> {
    // `create_new` follows no link that may lie there.
    let file = fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(full);
    file.and_then(|mut file| file.write_all(content)).map_err(|error| disk(path, error))
}

fn link(target: &[u8], path: &Path, full: &Path) -> Result<(), Error> {
    let target = std::str::from_utf8(target).map(PathBuf::from).unwrap_or_default();
    if !link_stays_inside(path, &target) {
        let message = format!("the link {} leads out of the repository and is not laid out", path.display());
        return Err(Error::new(ErrorKind::Invalid, message));
    }
    symlink(&target, full).map_err(|error| disk(path, error))
}

/// Tells whether a link at `path` to `target` stays inside, by its text alone: never above the root on the way.
pub fn link_stays_inside(path: &Path, target: &Path) -> bool {
    let mut depth = path.components().count().saturating_sub(1);
    for component in target.components() {
        match component {
            Component::Normal(_) => depth += 1,
            Component::CurDir => {}
            Component::ParentDir if depth > 0 => depth -= 1,
            _ => return false,
        }
    }
    !target.as_os_str().is_empty()
}

fn disk(path: &Path, error: std::io::Error) -> Error {
    Error::new(ErrorKind::Other, format!("{} can't be written to the scratch directory", path.display()))
        .with_source(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_stay_inside_on_every_step() {
        for (path, target, inside) in [
            ("a/link", "file", true),
            ("a/link", "../b/file", true),
            ("link", "..", false),
            ("a/link", "../../etc/passwd", false),
            ("a/link", "/etc/passwd", false),
            ("a/link", "x/../../../y", false),
            ("a/link", "", false),
        ] {
            assert_eq!(link_stays_inside(Path::new(path), Path::new(target)), inside, "{path} -> {target}");
        }
    }
}
