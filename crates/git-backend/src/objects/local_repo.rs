//! [`LocalRepo`]: the local objects of a repository, on whichever engine.

use std::path::Path;
use std::sync::Arc;

use cfgupdater_core::{CommitId, Error, GitRepo, RefName};

use super::gix_repo::GixRepo;

/// Which library reads and writes local objects. Both do the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Engine {
    /// gix, in Rust. Knows SHA-1 and SHA-256.
    #[default]
    Gix,
    /// libgit2, in C. Knows SHA-1 only.
    #[cfg(feature = "libgit2")]
    Libgit2,
}

/// What a mirror and a remote need of a local repository beside its objects.
pub(crate) trait Store: GitRepo {
    fn path(&self) -> &Path;

    /// Opens the repository again after it was replaced by another one at the same path.
    fn reopen(&self) -> Result<(), Error>;

    /// Points a reference at a commit that is here, whatever it pointed at.
    fn set_reference(&self, name: &RefName, commit: &CommitId) -> Result<(), Error>;
}

/// A bare repository on this machine, opened by one of the engines. Clones share it.
#[derive(Debug, Clone)]
pub struct LocalRepo {
    store: Arc<dyn Store>,
}

impl LocalRepo {
    /// Opens a bare repository by the engine named.
    ///
    /// # Errors
    /// Fails as the engine does.
    pub fn open(path: &Path, engine: Engine) -> Result<Self, Error> {
        match engine {
            Engine::Gix => Ok(GixRepo::open(path)?.into()),
            #[cfg(feature = "libgit2")]
            Engine::Libgit2 => Ok(super::git2_repo::Git2Repo::open(path)?.into()),
        }
    }

    /// Returns the objects.
    pub fn objects(&self) -> &dyn GitRepo {
        &*self.store
    }

    /// Returns the directory of the repository.
    pub fn path(&self) -> &Path {
        self.store.path()
    }

    pub(crate) fn store(&self) -> &dyn Store {
        &*self.store
    }
}

impl From<GixRepo> for LocalRepo {
    fn from(repo: GixRepo) -> Self {
        Self { store: Arc::new(repo) }
    }
}

#[cfg(feature = "libgit2")]
impl From<super::git2_repo::Git2Repo> for LocalRepo {
    fn from(repo: super::git2_repo::Git2Repo) -> Self {
        Self { store: Arc::new(repo) }
    }
}
