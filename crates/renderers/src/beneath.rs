//! Files below one directory, reached without following any link: whatever somebody put there meanwhile, nothing outside
//! is touched.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{
    AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat, fstat, mkdirat, openat, statat, symlinkat, unlinkat,
};

/// An open directory.
#[derive(Debug)]
pub(crate) struct Beneath {
    root: OwnedFd,
    /// The directory used last, with its path: files come in the order of their paths.
    last: Option<(String, OwnedFd)>,
}

/// Something found in a directory.
#[derive(Debug)]
pub(crate) struct Found {
    /// Its path from the root; `None` where it is no text.
    pub(crate) path: Option<String>,
    pub(crate) kind: FileType,
    pub(crate) stamp: Stamp,
}

/// What changes when a file does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    inode: u64,
    mode: u32,
    pub(crate) size: u64,
    /// Nanoseconds since 1970: set by the kernel alone.
    pub(crate) changed: i128,
}

impl Stamp {
    #[allow(clippy::cast_sign_loss, clippy::unnecessary_cast, reason = "the types differ between platforms")]
    fn of(stat: &Stat) -> Self {
        let changed = i128::from(stat.st_ctime) * 1_000_000_000 + i128::from(stat.st_ctime_nsec);
        Self { inode: stat.st_ino as u64, mode: stat.st_mode as u32, size: stat.st_size as u64, changed }
    }

    pub(crate) fn is_executable(&self) -> bool {
        self.mode & 0o100 != 0
    }
}

/// Nothing is generated in deeper directories.
const DEEPEST: usize = 256;

const DIRECTORY: OFlags =
    OFlags::DIRECTORY.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC).union(OFlags::RDONLY);

impl Beneath {
    pub(crate) fn open(root: &Path) -> io::Result<Self> {
        Ok(Self { root: openat(CWD, root, DIRECTORY, Mode::empty())?, last: None })
    }

    /// Writes a new file; there must be none.
    pub(crate) fn write(&mut self, path: &str, content: &[u8], executable: bool) -> io::Result<Stamp> {
        let (parent, name) = self.parent(path, true)?;
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(if executable { 0o755 } else { 0o644 });
        let mut file = File::from(openat(parent, name, flags, mode)?);
        file.write_all(content)?;
        Ok(Stamp::of(&fstat(&file)?))
    }

    /// Makes a link; there must be nothing.
    pub(crate) fn link(&mut self, path: &str, target: &str) -> io::Result<Stamp> {
        let (parent, name) = self.parent(path, true)?;
        symlinkat(target, parent, name)?;
        Ok(Stamp::of(&statat(parent, name, AtFlags::SYMLINK_NOFOLLOW)?))
    }

    /// Makes an empty directory.
    pub(crate) fn make_directory(&mut self, path: &str) -> io::Result<()> {
        let (parent, name) = self.parent(path, true)?;
        Ok(mkdirat(parent, name, Mode::from_raw_mode(0o755))?)
    }

    /// Reads a plain file of at most `limit` bytes.
    pub(crate) fn read(&mut self, path: &str, limit: u64) -> io::Result<Vec<u8>> {
        let (parent, name) = self.parent(path, false)?;
        // Without waiting: what was a file may be a pipe by now.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = File::from(openat(parent, name, flags, Mode::empty())?);
        if !file.metadata()?.is_file() {
            return Err(io::Error::other("it is not a plain file any more"));
        }
        let mut content = Vec::new();
        file.take(limit + 1).read_to_end(&mut content)?;
        if content.len() as u64 > limit { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(content) }
    }

    /// Removes a file or a link, and the directories that become empty by it.
    pub(crate) fn remove(&mut self, path: &str) -> io::Result<()> {
        let (parent, name) = self.parent(path, false)?;
        unlinkat(parent, name, AtFlags::empty())?;
        let mut directory = path;
        while let Some((above, _)) = directory.rsplit_once('/') {
            self.last = None;
            let (parent, name) = self.parent(above, false)?;
            // It fails where something is left in it.
            if unlinkat(parent, name, AtFlags::REMOVEDIR).is_err() {
                break;
            }
            directory = above;
        }
        Ok(())
    }

    /// Lists everything below but directories, with each link as itself. Returns a directory that lies too deep to be looked
    /// into, if there is one.
    pub(crate) fn scan(&mut self, found: &mut impl FnMut(Found)) -> io::Result<Option<String>> {
        self.last = None;
        let mut open = vec![String::new()];
        while let Some(below) = open.pop() {
            if below.split('/').count() > DEEPEST {
                return Ok(Some(below));
            }
            self.scan_one(&below, &mut open, found)?;
        }
        Ok(None)
    }

    /// Lists one directory, and adds those in it to `open`.
    fn scan_one(
        &mut self,
        below: &str,
        open: &mut Vec<String>,
        found: &mut impl FnMut(Found),
    ) -> io::Result<()> {
        let prefix = if below.is_empty() { String::new() } else { format!("{below}/") };
        let (directory, _) = self.parent(&prefix, false)?;
        for entry in Dir::read_from(directory)? {
            let entry = entry?;
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            let stat = statat(directory, name, AtFlags::SYMLINK_NOFOLLOW)?;
            let kind = FileType::from_raw_mode(stat.st_mode);
            let path = name.to_str().ok().map(|name| format!("{prefix}{name}"));
            match (kind, path) {
                (FileType::Directory, Some(path)) => open.push(path),
                (kind, path) => found(Found { path, kind, stamp: Stamp::of(&stat) }),
            }
        }
        Ok(())
    }

    fn parent<'p>(&mut self, path: &'p str, make: bool) -> io::Result<(&OwnedFd, &'p str)> {
        let Some((directory, name)) = path.rsplit_once('/') else { return Ok((&self.root, path)) };
        if self.last.as_ref().is_none_or(|(last, _)| last != directory) {
            let mut open = self.root.try_clone()?;
            for part in directory.split('/') {
                if make {
                    match mkdirat(&open, part, Mode::from_raw_mode(0o755)) {
                        Ok(()) | Err(rustix::io::Errno::EXIST) => {}
                        Err(error) => return Err(error.into()),
                    }
                }
                open = openat(&open, part, DIRECTORY, Mode::empty())?;
            }
            self.last = Some((directory.to_owned(), open));
        }
        let (_, open) = self.last.as_ref().expect("it was just set");
        Ok((open, name))
    }
}
