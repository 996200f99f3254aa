//! What a command changed in a directory: taken back where it is generated, undone and reported where it isn't.

use std::collections::BTreeSet;
use std::io;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use cfgupdater_core::{BlobId, EntryKind, Error, GitRepo, PathSet, RepoPath, TreeEdit};
use rustix::fs::FileType;

use super::{Directory, Known};
use crate::beneath::{Found, Stamp};

/// The kernel's clock for files may lag behind by this: what was changed later may have an equal stamp.
const CLOCK: Duration = Duration::from_millis(50);

/// What a command changed.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    /// Generated files, as edits of the tree.
    pub(crate) edits: Vec<TreeEdit>,
    /// Other paths.
    pub(crate) strays: Vec<String>,
}

/// Why nothing is taken back.
#[derive(Debug)]
pub(crate) enum Unusable {
    /// What was made can't be files of a repository.
    Refused(String),
    Backend(Error),
    Disk(io::Error),
}

impl From<Error> for Unusable {
    fn from(error: Error) -> Self {
        Self::Backend(error)
    }
}

impl From<io::Error> for Unusable {
    fn from(error: io::Error) -> Self {
        Self::Disk(error)
    }
}

impl Directory {
    /// Finds what was changed since `started`, takes generated files into the repository and undoes the rest. At most
    /// `limit` bytes are read.
    pub(crate) fn take_back(
        &mut self,
        repo: &dyn GitRepo,
        generated: &PathSet,
        started: SystemTime,
        mut limit: u64,
    ) -> Result<Changes, Unusable> {
        let unsure_from = nanoseconds(started.checked_sub(CLOCK).unwrap_or(started));
        let (mut seen, mut touched) = (BTreeSet::new(), Vec::new());
        let index = &self.index;
        let too_deep = self.files.scan(&mut |found| {
            let known = found.path.as_ref().and_then(|path| index.get(path));
            if let Some(path) = &found.path {
                seen.insert(path.clone());
            }
            let same = known.is_some_and(|known| known.stamp == Some(found.stamp));
            if !same || found.stamp.changed >= unsure_from {
                touched.push(found);
            }
        })?;
        if too_deep.is_some() {
            return Err(Unusable::Refused("it made directories in directories without end".to_owned()));
        }
        let mut changes = Changes::default();
        for found in touched {
            self.take(repo, generated, found, &mut changes, &mut limit)?;
        }
        let gone = |(path, known): &(&String, &Known)| known.stamp.is_some() && !seen.contains(*path);
        let gone: Vec<String> = self.index.iter().filter(gone).map(|(path, _)| path.clone()).collect();
        for path in gone {
            self.take_removal(repo, generated, &path, &mut changes)?;
        }
        Ok(changes)
    }

    fn take(
        &mut self,
        repo: &dyn GitRepo,
        generated: &PathSet,
        found: Found,
        changes: &mut Changes,
        limit: &mut u64,
    ) -> Result<(), Unusable> {
        let Some(path) = found.path.filter(|path| path.parse::<RepoPath>().is_ok()) else {
            return Err(Unusable::Refused("it made a file whose name git doesn't take".to_owned()));
        };
        let known = self.index.get(&path).copied();
        if let Some(known) = &known
            && self.is_unchanged(repo, &path, found.kind, found.stamp, known)?
        {
            self.index.insert(path, Known { stamp: Some(found.stamp), ..*known });
            return Ok(());
        }
        if !generated.contains(&path) {
            // A link in the place of a generated directory would hide what is below it.
            if found.kind != FileType::RegularFile && generated.may_hold_below(&path) {
                return Err(Unusable::Refused(format!("it made {path} something else than a directory")));
            }
            return self.undo(repo, &path, known, changes);
        }
        if found.kind != FileType::RegularFile {
            return Err(Unusable::Refused(format!(
                "it made {path} a link or another special file, which is never taken"
            )));
        }
        let content = self.read(&path, limit)?;
        let kind = if found.stamp.is_executable() { EntryKind::Executable } else { EntryKind::File };
        let id = *repo.write_blob(&content)?.object_id();
        changes.edits.push(TreeEdit::put(parsed(&path), kind, id));
        self.index.insert(path, Known { kind, id, stamp: Some(found.stamp) });
        Ok(())
    }

    /// Compares the content of what may have been changed.
    fn is_unchanged(
        &mut self,
        repo: &dyn GitRepo,
        path: &str,
        kind: FileType,
        stamp: Stamp,
        known: &Known,
    ) -> Result<bool, Unusable> {
        let expected = match known.kind {
            EntryKind::File | EntryKind::Executable => FileType::RegularFile,
            EntryKind::Symlink => FileType::Symlink,
            EntryKind::Tree | EntryKind::Submodule => FileType::Directory,
        };
        if kind != expected || known.stamp.is_none_or(|known| known.size != stamp.size) {
            return Ok(false);
        }
        if expected == FileType::Symlink {
            // A link can't be changed, only made again.
            return Ok(known.stamp == Some(stamp));
        }
        let executable = known.kind == EntryKind::Executable;
        let content = repo.blob(&BlobId::new(known.id))?;
        Ok(stamp.is_executable() == executable && self.files.read(path, stamp.size)? == content)
    }

    fn read(&mut self, path: &str, limit: &mut u64) -> Result<Vec<u8>, Unusable> {
        match self.files.read(path, *limit) {
            Ok(content) => {
                *limit -= content.len() as u64;
                Ok(content)
            }
            Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {
                Err(Unusable::Refused("the files it made are larger than the disk limit".to_owned()))
            }
            Err(error) => Err(error.into()),
        }
    }

    fn take_removal(
        &mut self,
        repo: &dyn GitRepo,
        generated: &PathSet,
        path: &str,
        changes: &mut Changes,
    ) -> Result<(), Unusable> {
        if generated.contains(path) {
            self.index.remove(path);
            changes.edits.push(TreeEdit::remove(parsed(path)));
            return Ok(());
        }
        let known = self.index.get(path).copied();
        changes.strays.push(path.to_owned());
        self.restore(repo, path, known)
    }

    fn undo(
        &mut self,
        repo: &dyn GitRepo,
        path: &str,
        known: Option<Known>,
        changes: &mut Changes,
    ) -> Result<(), Unusable> {
        changes.strays.push(path.to_owned());
        self.files.remove(path)?;
        self.restore(repo, path, known)
    }

    fn restore(&mut self, repo: &dyn GitRepo, path: &str, known: Option<Known>) -> Result<(), Unusable> {
        if let Some(Known { kind, id, .. }) = known {
            let stamp = self.put_one(repo, path, kind, id)?;
            self.index.insert(path.to_owned(), Known { kind, id, stamp });
        }
        Ok(())
    }
}

fn parsed(path: &str) -> RepoPath {
    path.parse().expect("the path was checked")
}

fn nanoseconds(time: SystemTime) -> i128 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| i128::try_from(since.as_nanos()).unwrap_or(i128::MAX))
}
