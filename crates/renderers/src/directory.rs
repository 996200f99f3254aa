//! A directory that holds the files of a tree, is moved from tree to tree, and tells what a command changed in it.

mod changes;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use cfgupdater_commands::link_stays_inside;
use cfgupdater_core::{
    BlobId, EntryKind, Error, ErrorKind, GitRepo, ObjectId, RepoPath, TreeChange, TreeEdit, TreeId,
};
use tempfile::TempDir;
use tracing::warn;

use crate::beneath::{Beneath, Stamp};
use crate::remove::remove;

pub(crate) use changes::{Changes, Unusable};

/// A directory with what it is known to hold.
#[derive(Debug)]
pub(crate) struct Directory {
    place: Place,
    files: Beneath,
    tree: TreeId,
    index: BTreeMap<String, Known>,
}

/// A file as it was written here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Known {
    kind: EntryKind,
    id: ObjectId,
    /// `None` for the empty directory that stands for a submodule.
    stamp: Option<Stamp>,
}

/// Where the files are, removed when dropped.
#[derive(Debug)]
struct Place(TempDir);

impl Drop for Place {
    fn drop(&mut self) {
        // What commands made may be deeper than the standard library can remove.
        if let Err(error) = remove(self.0.path()) {
            warn!("{} can't be removed: {error}", self.0.path().display());
        }
        // It is gone, or can't be removed at all.
        self.0.disable_cleanup(true);
    }
}

impl Directory {
    /// Lays a whole tree out in a new directory below `place`.
    ///
    /// # Errors
    /// Fails with [`ErrorKind::Invalid`] for names and links that would lead out of the directory, and with
    /// [`ErrorKind::Other`] where the disk doesn't take it.
    pub(crate) fn lay_out(repo: &dyn GitRepo, tree: &TreeId, place: &Path) -> Result<Self, Error> {
        let made = || {
            std::fs::create_dir_all(place)?;
            let place = tempfile::Builder::new().prefix("files-").tempdir_in(place)?;
            let files = Beneath::open(place.path())?;
            Ok((Place(place), files))
        };
        let (place, files) = made().map_err(|error| disk("the directory", error))?;
        let mut directory = Self { place, files, tree: *tree, index: BTreeMap::new() };
        directory.put(repo, repo.diff(None, tree)?)?;
        Ok(directory)
    }

    /// Returns where it is.
    pub(crate) fn path(&self) -> PathBuf {
        self.place.0.path().to_owned()
    }

    /// Returns how much its files take, in whole blocks.
    pub(crate) fn size(&self) -> u64 {
        let stamps = self.index.values().filter_map(|known| known.stamp);
        stamps.map(|stamp| stamp.size.max(1).next_multiple_of(4096)).sum()
    }

    /// Makes it hold another tree: what is the same in both stays untouched.
    pub(crate) fn move_to(&mut self, repo: &dyn GitRepo, tree: &TreeId) -> Result<(), Error> {
        let changes = repo.diff(Some(&self.tree), tree)?;
        self.put(repo, changes)?;
        self.tree = *tree;
        Ok(())
    }

    /// Removes first: what was a link may become a directory.
    fn put(&mut self, repo: &dyn GitRepo, changes: Vec<TreeChange>) -> Result<(), Error> {
        for change in &changes {
            let path = checked(&change.path)?;
            if self.index.remove(path.as_str()).is_some() {
                self.files.remove(path.as_str()).map_err(|error| disk(path.as_str(), error))?;
            }
        }
        for change in changes {
            let Some((kind, id)) = change.new else { continue };
            let path = checked(&change.path)?;
            let stamp = self.put_one(repo, path.as_str(), kind, id)?;
            self.index.insert(path.as_str().to_owned(), Known { kind, id, stamp });
        }
        Ok(())
    }

    fn put_one(
        &mut self,
        repo: &dyn GitRepo,
        path: &str,
        kind: EntryKind,
        id: ObjectId,
    ) -> Result<Option<Stamp>, Error> {
        let content = || repo.blob(&BlobId::new(id));
        let stamp = match kind {
            EntryKind::File => self.files.write(path, &content()?, false).map(Some),
            EntryKind::Executable => self.files.write(path, &content()?, true).map(Some),
            EntryKind::Symlink => {
                let target = String::from_utf8(content()?).unwrap_or_default();
                if !link_stays_inside(Path::new(path), Path::new(&target)) {
                    let message = format!(
                        "the link {path} leads out of the repository, so nothing is rendered: remove it"
                    );
                    return Err(Error::new(ErrorKind::Invalid, message));
                }
                self.files.link(path, &target).map(Some)
            }
            // A diff names no directories; a submodule's files are not here.
            EntryKind::Tree | EntryKind::Submodule => self.files.make_directory(path).map(|()| None),
        };
        stamp.map_err(|error| disk(path, error))
    }

    /// Takes the changes that were accepted as what it holds from now on.
    pub(crate) fn accept(&mut self, repo: &dyn GitRepo, edits: &[TreeEdit]) -> Result<(), Error> {
        if !edits.is_empty() {
            self.tree = repo.edit_tree(Some(&self.tree), edits)?;
        }
        Ok(())
    }
}

fn checked(path: &[u8]) -> Result<RepoPath, Error> {
    let text = std::str::from_utf8(path).ok().and_then(|path| path.parse().ok());
    text.ok_or_else(|| {
        let shown = String::from_utf8_lossy(path).escape_debug().to_string();
        Error::new(
            ErrorKind::Invalid,
            format!("the tree holds the path `{shown}`, which can't be laid out: rename it"),
        )
    })
}

fn disk(path: &str, error: io::Error) -> Error {
    Error::new(ErrorKind::Other, format!("{path} can't be written to the renderer's directory"))
        .with_source(error)
}
