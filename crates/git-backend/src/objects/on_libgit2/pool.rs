//! Open handles of one repository: libgit2's can't be shared between threads, and opening one costs time.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use cfgupdater_core::{Error, ErrorKind};
use git2::{ErrorClass, ErrorCode, Repository, RepositoryOpenFlags};

use crate::objects::failures::damaged;
use crate::objects::pack_stamp::{PackStamp, packs_of};

/// More idle handles than this are closed.
const IDLE: usize = 8;

/// A handle, and the packs there were when it was opened.
pub(super) struct Handle {
    pub(super) repo: Repository,
    stamp: PackStamp,
    generation: u64,
}

/// Hands out handles and takes them back.
pub(super) struct Pool {
    path: PathBuf,
    idle: Mutex<Idle>,
}

#[derive(Default)]
struct Idle {
    handles: Vec<Handle>,
    /// Handles of an earlier generation belong to a repository that was replaced.
    generation: u64,
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Pool {
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let pool = Self { path: path.to_owned(), idle: Mutex::default() };
        let handle = pool.fresh()?;
        pool.put(handle);
        Ok(pool)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Closes all handles and opens the repository that is there now.
    pub(super) fn reopen(&self) -> Result<(), Error> {
        {
            let mut idle = self.lock();
            idle.generation += 1;
            idle.handles.clear();
        }
        let handle = self.fresh()?;
        self.put(handle);
        Ok(())
    }

    /// Returns a handle that knows every pack present now.
    pub(super) fn take(&self) -> Result<Handle, Error> {
        let idle = self.lock().handles.pop();
        match idle {
            Some(handle) => self.renewed(handle),
            None => self.fresh(),
        }
    }

    /// Opens the repository again if its packs changed: libgit2 finds new ones by itself, but keeps looking for objects
    /// in those that are gone.
    pub(super) fn renewed(&self, mut handle: Handle) -> Result<Handle, Error> {
        let packs =
            handle.stamp.read_if_changed(&packs_of(&self.path)).map_err(|e| damaged(&self.path, e))?;
        match packs {
            None => Ok(handle),
            Some(packs) if packs.same_packs(&handle.stamp) => {
                handle.stamp = packs;
                Ok(handle)
            }
            Some(_) => self.fresh(),
        }
    }

    /// Tells whether packs came or went since a handle was opened.
    pub(super) fn is_outdated(&self, handle: &Handle) -> bool {
        let packs = handle.stamp.read_if_changed(&packs_of(&self.path));
        !matches!(packs, Ok(None)) && !matches!(packs, Ok(Some(packs)) if packs.same_packs(&handle.stamp))
    }

    pub(super) fn put(&self, handle: Handle) {
        let mut idle = self.lock();
        if handle.generation == idle.generation && idle.handles.len() < IDLE {
            idle.handles.push(handle);
        }
    }

    pub(super) fn fresh(&self) -> Result<Handle, Error> {
        let generation = self.lock().generation;
        // The stamp is taken first: packs that appear in between are then seen as a change, not missed.
        let stamp = PackStamp::read(&packs_of(&self.path)).map_err(|e| damaged(&self.path, e))?;
        let flags = RepositoryOpenFlags::NO_SEARCH | RepositoryOpenFlags::BARE;
        let nowhere: [&Path; 0] = [];
        let repo =
            Repository::open_ext(&self.path, flags, nowhere).map_err(|cause| self.unopenable(cause))?;
        Ok(Handle { repo, stamp, generation })
    }

    fn unopenable(&self, cause: git2::Error) -> Error {
        let path = self.path.display();
        if cause.message().contains("objectformat") || cause.message().contains("object format") {
            let message = format!("{path} uses an object format other than SHA-1; open it by the engine gix");
            return Error::new(ErrorKind::Unsupported, message).with_source(cause);
        }
        if cause.code() == ErrorCode::Owner {
            let message =
                format!("{path} belongs to another user; give it to this one, or use the engine gix");
            return Error::new(ErrorKind::Forbidden, message).with_source(cause);
        }
        // libgit2 also reads the user's and the system's configuration: a mistake there is no damage here.
        if cause.class() == ErrorClass::Config && !cause.message().contains(&*self.path.to_string_lossy()) {
            let message =
                format!("{path} can't be opened by libgit2: mend the git configuration that is named below");
            return Error::new(ErrorKind::Other, message).with_source(cause);
        }
        damaged(&self.path, cause)
    }

    fn lock(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_in_the_users_configuration_is_no_damage() {
        let pool = Pool { path: "/srv/mirror.git".into(), idle: Mutex::default() };
        let told = |file: &str| {
            let message = format!("failed to parse config file: missing ']' (in {file}:1)");
            pool.unopenable(git2::Error::new(ErrorCode::GenericError, ErrorClass::Config, message)).kind()
        };
        assert_eq!(told("/home/me/.gitconfig"), ErrorKind::Other);
        assert_eq!(told("/srv/mirror.git/config"), ErrorKind::Corrupt);
    }
}
