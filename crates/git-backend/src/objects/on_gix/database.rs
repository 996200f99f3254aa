//! The object database of one repository, shared between threads and with `git` processes.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use cfgupdater_core::{CommitId, Error, ErrorKind, ObjectFormat};
use gix::odb::store::init::Slots;
use gix::sec::Trust;

use super::ids;
use super::session::GixSession;
use crate::objects::failures::{damaged, unreadable};
use crate::objects::pack_stamp::{PackStamp, packs_of};
use crate::objects::session::Kind;

/// Room for packs that appear while an operation runs; between operations the database is opened anew.
const SPARE_SLOTS: usize = 256;

/// Opens a repository again whenever another process changed its packs.
///
/// A handle of gix has a fixed number of slots for packs and finds new ones by rescanning after a miss. Noticing
/// the change first keeps misses cheap, and no number of fetches exhausts the slots.
#[derive(Debug)]
pub(crate) struct Database {
    path: PathBuf,
    opened: RwLock<Arc<Opened>>,
}

struct Opened {
    repo: gix::ThreadSafeRepository,
    format: ObjectFormat,
    packs: PackStamp,
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opened").field("format", &self.format).finish_non_exhaustive()
    }
}

impl Database {
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let opened = RwLock::new(Arc::new(open(path)?));
        Ok(Self { path: path.to_owned(), opened })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn format(&self) -> ObjectFormat {
        self.current().format
    }

    /// Opens the repository again, whatever changed.
    pub(crate) fn reopen(&self) -> Result<(), Error> {
        self.replace(open(&self.path)?);
        Ok(())
    }

    /// Starts an operation that sees every pack present now.
    pub(crate) fn session(&self) -> Result<GixSession, Error> {
        let known = self.current();
        let packs = known.packs.read_if_changed(&packs_of(&self.path)).map_err(|e| damaged(&self.path, e))?;
        let fresh = match packs {
            None => known,
            Some(packs) if packs.same_packs(&known.packs) => {
                self.replace(Opened { repo: known.repo.clone(), format: known.format, packs })
            }
            Some(_) => self.replace(open(&self.path)?),
        };
        Ok(GixSession::new(&self.path, fresh.format, fresh.repo.to_thread_local()))
    }

    /// Tells whether a commit is there, without a rescan for one that is not.
    pub(crate) fn has_commit(&self, id: &CommitId) -> Result<bool, Error> {
        let gix_id = ids::to_gix(id.object_id());
        loop {
            let mut session = self.session()?;
            session.repo.objects.refresh_never();
            let header = session.repo.try_find_header(gix_id);
            match header.map_err(|e| unreadable(&self.path, id.object_id(), Kind::Commit, e))? {
                Some(header) => return Ok(header.kind().is_commit()),
                // Maintenance moves loose objects into packs: what was in neither place may have moved meanwhile.
                None if self.is_unchanged_since(&session)? => return Ok(false),
                None => {}
            }
        }
    }

    fn is_unchanged_since(&self, earlier: &GixSession) -> Result<bool, Error> {
        let now = self.session()?;
        Ok(std::ptr::eq(earlier.repo.objects.store_ref(), now.repo.objects.store_ref()))
    }

    fn current(&self) -> Arc<Opened> {
        self.opened.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn replace(&self, opened: Opened) -> Arc<Opened> {
        let opened = Arc::new(opened);
        *self.opened.write().unwrap_or_else(PoisonError::into_inner) = opened.clone();
        opened
    }
}

/// Opens without regard to the environment, to global configuration and to who owns the directory: it is ours.
fn open(path: &Path) -> Result<Opened, Error> {
    // The stamp is taken first: packs that appear in between are then seen as a change, not missed.
    let packs = PackStamp::read(&packs_of(path)).map_err(|e| damaged(path, e))?;
    let repo = gix::open::Options::isolated()
        .open_path_as_is(true)
        .with(Trust::Full)
        .object_store_slots(Slots::AsNeededByDiskState { multiplier: 2.0, minimum: SPARE_SLOTS })
        .open(path)
        .map_err(|e| damaged(path, e))?;
    let hash = repo.to_thread_local().object_hash();
    let format = ids::format_of(hash).ok_or_else(|| {
        let message =
            format!("{} uses the object format {hash}; sha1 and sha256 are supported", path.display());
        Error::new(ErrorKind::Unsupported, message)
    })?;
    Ok(Opened { repo, format, packs })
}
