//! [`Context`]: a directory that is read without ever leaving it.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use cfgupdater_core::{Error, ErrorKind};
use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat, fstat, openat, statat};
use rustix::io::Errno;

use super::source_path::SourcePath;

/// A directory on this machine. Everything below it is reached component by component and never through a symbolic
/// link, so that nobody who can write there makes us read elsewhere, not even while we look.
#[derive(Debug)]
pub(super) struct Context {
    path: PathBuf,
    root: OwnedFd,
}

/// What is at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    File { size: u64 },
    Directory,
}

impl Context {
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = openat(CWD, path, flags, Mode::empty()).map_err(|cause| {
            let message = format!("the directory {} can't be read; is it there?", path.display());
            Error::new(ErrorKind::Invalid, message).with_source(std::io::Error::from(cause))
        })?;
        Ok(Self { path: path.to_owned(), root })
    }

    /// Tells what is at a path, and fails unless it is a plain file or a directory.
    pub(super) fn look(&self, source: &SourcePath) -> Result<Found, Error> {
        let Some((name, above)) = source.parts().split_last() else { return Ok(Found::Directory) };
        self.look_in(&self.descend(source, above)?, source, name)
    }

    /// Lists what is in a directory, each name with what it is, sorted.
    pub(super) fn list(&self, source: &SourcePath) -> Result<Vec<(String, Found)>, Error> {
        let directory = self.descend(source, source.parts())?;
        let entries = Dir::read_from(&directory).map_err(|cause| self.unreadable(source, cause))?;
        let mut listed = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|cause| self.unreadable(source, cause))?;
            let name = entry.file_name();
            if name != c"." && name != c".." {
                let name =
                    name.to_str().map_err(|_| self.refused(source, "holds a name that is not UTF-8"))?;
                listed.push((name.to_owned(), self.look_in(&directory, &source.join(name), name)?));
            }
        }
        listed.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        Ok(listed)
    }

    fn look_in(&self, directory: &OwnedFd, source: &SourcePath, name: &str) -> Result<Found, Error> {
        let stat = statat(directory, name, AtFlags::SYMLINK_NOFOLLOW);
        let stat = stat.map_err(|cause| self.unreadable(source, cause))?;
        self.judge(source, &stat)
    }

    fn open_in(&self, directory: &OwnedFd, source: &SourcePath, name: &str) -> Result<(File, u64), Error> {
        // A look first: to open a device can set it off.
        self.look_in(directory, source, name)?;
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let opened = openat(directory, name, flags, Mode::empty());
        let file = opened.map_err(|cause| self.unreadable(source, cause))?;
        let stat = fstat(&file).map_err(|cause| self.unreadable(source, cause))?;
        match self.judge(source, &stat)? {
            Found::File { size } => Ok((File::from(file), size)),
            Found::Directory => Err(self.refused(source, "is a directory")),
        }
    }

    fn descend(&self, source: &SourcePath, parts: &[String]) -> Result<OwnedFd, Error> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let here = openat(&self.root, ".", flags, Mode::empty());
        let mut here = here.map_err(|cause| self.unreadable(source, cause))?;
        for part in parts {
            let next = openat(&here, part.as_str(), flags, Mode::empty());
            here = next.map_err(|cause| self.unreadable(source, cause))?;
        }
        Ok(here)
    }

    fn judge(&self, source: &SourcePath, stat: &Stat) -> Result<Found, Error> {
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => {
                Ok(Found::File { size: u64::try_from(stat.st_size).unwrap_or_default() })
            }
            FileType::Directory => Ok(Found::Directory),
            FileType::Symlink => {
                let why =
                    "is a symbolic link; name what it leads to, or make the link with `link` and `target`";
                Err(self.refused(source, why))
            }
            _ => Err(self.refused(source, "is neither a file nor a directory; leave it out")),
        }
    }

    fn unreadable(&self, source: &SourcePath, cause: Errno) -> Error {
        let why = match cause {
            Errno::NOENT => "is not there; build it first, or correct its name",
            // What a symbolic link in the way looks like depends on what was asked for.
            Errno::LOOP | Errno::NOTDIR => {
                "leads through something that is no directory, such as a symbolic link"
            }
            Errno::ACCESS | Errno::PERM => "may not be read; change its permissions",
            _ => "can't be read",
        };
        self.refused(source, why).with_source(std::io::Error::from(cause))
    }

    pub(super) fn refused(&self, source: &SourcePath, why: &str) -> Error {
        let place = self.path.join(source.to_string());
        Error::new(ErrorKind::Invalid, format!("{} {why}", place.display()))
    }
}

/// Opens one file after the other; those of one directory without finding it again.
#[derive(Debug)]
pub(super) struct Files<'a> {
    context: &'a Context,
    directory: Option<(Vec<String>, OwnedFd)>,
}

impl<'a> Files<'a> {
    pub(super) fn of(context: &'a Context) -> Self {
        Self { context, directory: None }
    }

    /// Opens a file for reading, and returns its size.
    pub(super) fn open(&mut self, source: &SourcePath) -> Result<(File, u64), Error> {
        let Some((name, above)) = source.parts().split_last() else {
            return Err(self.context.refused(source, "is a directory"));
        };
        let known = self.directory.take().filter(|(parts, _)| parts == above);
        let known = match known {
            Some(known) => known,
            None => (above.to_vec(), self.context.descend(source, above)?),
        };
        let opened = self.context.open_in(&known.1, source, name);
        self.directory = Some(known);
        opened
    }

    pub(super) fn context(&self) -> &'a Context {
        self.context
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::unix::fs::symlink;

    use super::*;

    fn source(text: &str) -> SourcePath {
        SourcePath::parse(text).unwrap()
    }

    fn tree() -> (tempfile::TempDir, Context) {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("d")).unwrap();
        std::fs::write(dir.path().join("d/f"), "content").unwrap();
        symlink("f", dir.path().join("d/link")).unwrap();
        symlink("d", dir.path().join("away")).unwrap();
        let context = Context::open(dir.path()).unwrap();
        (dir, context)
    }

    #[test]
    fn files_are_read_and_directories_listed() {
        let (dir, context) = tree();
        let (mut file, size) = Files::of(&context).open(&source("d/f")).unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        assert_eq!((text.as_str(), size), ("content", 7));
        std::fs::remove_file(dir.path().join("d/link")).unwrap();
        assert_eq!(context.list(&source("d")).unwrap(), [("f".to_owned(), Found::File { size: 7 })]);
        assert_eq!(context.look(&source(".")).unwrap(), Found::Directory);
    }

    #[test]
    fn links_are_followed_nowhere() {
        let (_dir, context) = tree();
        for bad in ["d/link", "away/f", "away"] {
            let error = Files::of(&context).open(&source(bad)).unwrap_err().to_string();
            assert!(error.contains("symbolic link"), "{bad}: {error}");
        }
        assert!(context.list(&source("away")).is_err());
    }

    #[test]
    fn what_is_no_file_is_not_opened() {
        let (dir, context) = tree();
        rustix::fs::mknodat(CWD, dir.path().join("pipe"), FileType::Fifo, Mode::RUSR, 0).unwrap();
        let error = Files::of(&context).open(&source("pipe")).unwrap_err().to_string();
        assert!(error.contains("neither a file nor a directory"), "{error}");
        let dev = Context::open(Path::new("/dev")).unwrap();
        assert!(Files::of(&dev).open(&source("zero")).is_err() && dev.look(&source("null")).is_err());
        assert!(Files::of(&context).open(&source("d")).is_err());
    }

    #[test]
    fn what_is_missing_is_named() {
        let (_dir, context) = tree();
        let error = context.look(&source("d/none")).unwrap_err().to_string();
        assert!(error.contains("d/none is not there"), "{error}");
        assert!(Context::open(Path::new("/nowhere/at/all")).is_err());
    }
}
