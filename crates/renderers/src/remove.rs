//! Removes directories that others filled, however deep these are and whatever their modes.

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Dir, Mode, OFlags, chmodat, openat, renameat, unlinkat};
use rustix::io::Errno;

const DIRECTORY: OFlags =
    OFlags::DIRECTORY.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC).union(OFlags::RDONLY);

/// Removes a directory with all below it. No link is followed, and one that isn't there is fine.
///
/// Directories are moved up before they are emptied, so depth costs neither stack nor open files.
pub(crate) fn remove(directory: &Path) -> io::Result<()> {
    let root = match openat(CWD, directory, DIRECTORY, Mode::empty()) {
        Ok(root) => root,
        Err(Errno::NOENT) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let mut moved = 0_u64;
    loop {
        let entries = names(&root)?;
        if entries.is_empty() {
            return std::fs::remove_dir(directory);
        }
        for name in entries {
            if let Some(inner) = unlink(&root, &name)? {
                for below in names(&inner)? {
                    if unlink(&inner, &below)?.is_some() {
                        move_up(&inner, &below, &root, &mut moved)?;
                    }
                }
                unlinkat(&root, name.as_c_str(), AtFlags::REMOVEDIR)?;
            }
        }
    }
}

type Name = std::ffi::CString;

fn names(directory: &OwnedFd) -> io::Result<Vec<Name>> {
    let mut names = Vec::new();
    for entry in Dir::read_from(directory)? {
        let name = entry?.file_name().to_owned();
        if !matches!(name.to_bytes(), b"." | b"..") {
            names.push(name);
        }
    }
    Ok(names)
}

/// Removes what is no directory; returns a directory, open.
fn unlink(directory: &OwnedFd, name: &Name) -> io::Result<Option<OwnedFd>> {
    match unlinkat(directory, name.as_c_str(), AtFlags::empty()) {
        Ok(()) => return Ok(None),
        // The one is what Linux says of directories, the other POSIX.
        Err(Errno::ISDIR | Errno::PERM) => {}
        Err(error) => return Err(error.into()),
    }
    // Without these nothing in it can be removed.
    chmodat(directory, name.as_c_str(), Mode::RWXU, AtFlags::empty())?;
    Ok(Some(openat(directory, name.as_c_str(), DIRECTORY, Mode::empty())?))
}

fn move_up(from: &OwnedFd, name: &Name, root: &OwnedFd, moved: &mut u64) -> io::Result<()> {
    loop {
        *moved += 1;
        match renameat(from, name.as_c_str(), root, format!("moved-{moved}")) {
            Ok(()) => return Ok(()),
            // Somebody has a file or a directory of that name.
            Err(Errno::EXIST | Errno::NOTEMPTY | Errno::NOTDIR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn whatever_lies_in_it_is_removed_and_nothing_else() {
        let place = tempfile::tempdir().unwrap();
        let (directory, outside) = (place.path().join("full"), place.path().join("outside"));
        std::fs::create_dir_all(directory.join("a/b/c")).unwrap();
        std::fs::create_dir_all(directory.join("moved-1/moved-2")).unwrap();
        std::fs::create_dir(&outside).unwrap();
        std::fs::write(outside.join("kept"), "x").unwrap();
        std::fs::write(directory.join("moved-3"), "x").unwrap();
        std::fs::write(directory.join("a/b/c/file"), "x").unwrap();
        symlink(&outside, directory.join("a/b/link")).unwrap();
        std::fs::set_permissions(directory.join("a/b"), PermissionsExt::from_mode(0o000)).unwrap();
        remove(&directory).unwrap();
        assert!(!directory.exists() && outside.join("kept").exists());
        remove(&directory).unwrap();
    }

    #[test]
    fn depth_costs_no_stack() {
        let place = tempfile::tempdir().unwrap();
        let directory = place.path().join("deep");
        std::fs::create_dir(&directory).unwrap();
        let mut open = openat(CWD, &directory, DIRECTORY, Mode::empty()).unwrap();
        for _ in 0..20_000 {
            rustix::fs::mkdirat(&open, "d", Mode::RWXU).unwrap();
            open = openat(&open, "d", DIRECTORY, Mode::empty()).unwrap();
        }
        remove(&directory).unwrap();
        assert!(!directory.exists());
    }
}
