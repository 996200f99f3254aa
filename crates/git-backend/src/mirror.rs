//! [`Mirror`]: a local copy of a remote that is fetched afresh when it is damaged.

mod create;
pub(crate) mod settings;
mod upkeep;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use cfgupdater_core::{
    BlobId, Commit, CommitId, Error, ErrorKind, GitRemote, GitRepo, NewCommit, ObjectFormat, RefEdit, RefMap,
    RefName, RefOutcome, RepoPath, TreeChange, TreeEdit, TreeEntry, TreeId, Walk,
};
use tokio::time::Instant;

use crate::objects::local_repo::LocalRepo;
use crate::remote::git_cli::GitCli;
use settings::MirrorSettings;
use upkeep::Upkeep;

/// A long-lived bare mirror: the local objects of a repository and its remote in one value.
///
/// Whatever happens to its directory, the next [`fetch`](GitRemote::fetch) repairs it: damage noticed by any call makes
/// that fetch begin with an empty repository, once, with a warning in the log. A call that notices damage fails with
/// [`ErrorKind::Corrupt`]. Objects that were written but not pushed are lost then; whoever wrote them derives them
/// again from what is fetched. Clones share one mirror.
#[derive(Debug, Clone)]
pub struct Mirror {
    settings: Arc<MirrorSettings>,
    repo: LocalRepo,
    remote: GitCli,
    upkeep: Upkeep,
    damaged: Arc<AtomicBool>,
    /// One repair at a time.
    repairing: Arc<tokio::sync::Mutex<()>>,
}

impl Mirror {
    /// Opens the mirror, or creates it empty where there is none that can be read.
    ///
    /// # Errors
    /// Fails where the remote can't be asked for its object format, or the directory can't be written.
    pub async fn open(settings: MirrorSettings, deadline: Duration) -> Result<Self, Error> {
        let repo = match LocalRepo::open(&settings.directory, settings.engine) {
            Ok(repo) => repo,
            Err(error) if error.kind() == ErrorKind::Corrupt => {
                if settings.directory.exists() {
                    tracing::warn!(mirror = %settings.directory.display(), "the mirror can't be read and is created again");
                }
                create::create(&settings, deadline).await?;
                LocalRepo::open(&settings.directory, settings.engine)?
            }
            Err(error) => return Err(error),
        };
        let remote = GitCli::new(settings.remote.clone(), repo.clone());
        let upkeep =
            Upkeep::new(settings.remote.git.clone(), settings.directory.clone(), settings.upkeep_interval);
        Ok(Self {
            settings: Arc::new(settings),
            repo,
            remote,
            upkeep,
            damaged: Arc::default(),
            repairing: Arc::default(),
        })
    }

    /// Returns the directory of the mirror.
    pub fn path(&self) -> &Path {
        self.repo.path()
    }

    /// Consolidates the object database now; the mirror does so by itself now and then.
    ///
    /// # Errors
    /// Fails where `git` can't repack it.
    pub async fn consolidate(&self) -> Result<(), Error> {
        self.upkeep.consolidate().await
    }

    /// Asks the remote whether it takes pushes from us, without pushing anything; see [`GitCli::may_push`].
    ///
    /// # Errors
    /// Fails as a push would.
    pub async fn may_push(&self, commit: CommitId, deadline: Duration) -> Result<(), Error> {
        self.remote.may_push(commit, deadline).await
    }

    /// Empties the mirror. The next fetch brings everything anew.
    ///
    /// # Errors
    /// Fails as [`Mirror::open`] does.
    pub async fn recreate(&self, deadline: Duration) -> Result<(), Error> {
        self.damaged.store(true, Ordering::Release);
        self.repair(deadline).await
    }

    /// Empties a damaged mirror.
    async fn repair(&self, deadline: Duration) -> Result<(), Error> {
        let end = Instant::now() + deadline;
        let Ok(_one_at_a_time) = tokio::time::timeout(deadline, self.repairing.lock()).await else {
            let message = "the mirror is still being fetched afresh by another call; it is tried again later";
            return Err(Error::new(ErrorKind::TimedOut, message));
        };
        if !self.damaged.load(Ordering::Acquire) {
            return Ok(());
        }
        tracing::warn!(mirror = %self.path().display(), "the mirror is damaged and is fetched afresh");
        create::create(&self.settings, end.saturating_duration_since(Instant::now())).await?;
        self.repo.store().reopen()?;
        self.damaged.store(false, Ordering::Release);
        Ok(())
    }

    /// Remembers damage that a call noticed.
    fn note<T>(&self, result: Result<T, Error>) -> Result<T, Error> {
        if result.as_ref().is_err_and(|error| error.kind() == ErrorKind::Corrupt) {
            self.damaged.store(true, Ordering::Release);
        }
        result
    }

    /// Remembers damage that a call on a tree or blob noticed. Their ids come from objects that are here, so one that
    /// is absent was lost.
    fn note_inner<T>(&self, result: Result<T, Error>) -> Result<T, Error> {
        match result {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                self.damaged.store(true, Ordering::Release);
                Err(Error::new(ErrorKind::Corrupt, "the mirror lost an object; it is fetched afresh")
                    .with_source(error))
            }
            other => self.note(other),
        }
    }
}

impl GitRepo for Mirror {
    fn object_format(&self) -> ObjectFormat {
        self.repo.objects().object_format()
    }

    fn resolve(&self, name: &RefName) -> Result<Option<CommitId>, Error> {
        self.note(self.repo.objects().resolve(name))
    }

    fn commit(&self, id: &CommitId) -> Result<Commit, Error> {
        self.note(self.repo.objects().commit(id))
    }

    fn has_commit(&self, id: &CommitId) -> Result<bool, Error> {
        self.note(self.repo.objects().has_commit(id))
    }

    fn is_ancestor(&self, ancestor: &CommitId, descendant: &CommitId) -> Result<bool, Error> {
        self.note(self.repo.objects().is_ancestor(ancestor, descendant))
    }

    fn merge_base(&self, one: &CommitId, other: &CommitId) -> Result<Option<CommitId>, Error> {
        self.note(self.repo.objects().merge_base(one, other))
    }

    fn walk(&self, range: &Walk) -> Result<Vec<CommitId>, Error> {
        self.note(self.repo.objects().walk(range))
    }

    fn entry(&self, tree: &TreeId, path: &RepoPath) -> Result<Option<TreeEntry>, Error> {
        self.note_inner(self.repo.objects().entry(tree, path))
    }

    fn list(&self, tree: &TreeId) -> Result<Vec<TreeEntry>, Error> {
        self.note_inner(self.repo.objects().list(tree))
    }

    fn diff(&self, old: Option<&TreeId>, new: &TreeId) -> Result<Vec<TreeChange>, Error> {
        self.note_inner(self.repo.objects().diff(old, new))
    }

    fn blob(&self, id: &BlobId) -> Result<Vec<u8>, Error> {
        self.note_inner(self.repo.objects().blob(id))
    }

    fn write_blob(&self, content: &[u8]) -> Result<BlobId, Error> {
        self.note(self.repo.objects().write_blob(content))
    }

    fn edit_tree(&self, base: Option<&TreeId>, edits: &[TreeEdit]) -> Result<TreeId, Error> {
        self.note_inner(self.repo.objects().edit_tree(base, edits))
    }

    fn write_commit(&self, commit: &NewCommit) -> Result<CommitId, Error> {
        #[cfg(feature = "ssh-signing")]
        if let Some(key) = &self.settings.signing_key {
            return self.note(self.repo.objects().write_commit(&key.sign(commit)?));
        }
        self.note(self.repo.objects().write_commit(commit))
    }
}

#[async_trait]
impl GitRemote for Mirror {
    async fn ls_remote(&self, names: &[RefName], deadline: Duration) -> Result<RefMap, Error> {
        self.remote.ls_remote(names, deadline).await
    }

    async fn fetch(&self, names: &[RefName], deadline: Duration) -> Result<RefMap, Error> {
        let end = Instant::now() + deadline;
        let left = || end.saturating_duration_since(Instant::now());
        self.repair(left()).await?;
        let mut fetched = self.note(self.remote.fetch(names, left()).await);
        if self.damaged.load(Ordering::Acquire) {
            self.repair(left()).await?;
            fetched = self.note(self.remote.fetch(names, left()).await);
        }
        self.upkeep.after_operation();
        fetched
    }

    async fn push(&self, edits: &[RefEdit], deadline: Duration) -> Result<Vec<RefOutcome>, Error> {
        let outcomes = self.note(self.remote.push(edits, deadline).await);
        self.upkeep.after_operation();
        outcomes
    }

    async fn head_branch(&self, deadline: Duration) -> Result<Option<RefName>, Error> {
        self.remote.head_branch(deadline).await
    }
}
