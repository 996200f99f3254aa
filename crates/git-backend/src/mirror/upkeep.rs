//! Keeps the object database of a mirror small. Git's own automatic collection is off, since it would run whenever
//! it pleases.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use cfgupdater_core::{Error, ErrorKind, explain};
use tokio::sync::Mutex;

use crate::remote::git_command::GitCommand;
use crate::remote::run_locally;

/// Consolidating the largest repository must end within this time.
const LIMIT: Duration = Duration::from_mins(15);

/// Every so many consolidations, everything is packed anew and what nothing reached for two weeks is dropped.
const THOROUGH_EVERY: u32 = 16;

/// How much lies around.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Load {
    loose_objects: usize,
    packs: usize,
}

impl Load {
    fn wants_consolidating(self) -> bool {
        self.loose_objects >= 2_000 || self.packs >= 30
    }

    /// Estimates as git does, by one of the 256 directories of loose objects.
    fn measure(objects: &Path) -> io::Result<Self> {
        let count = |directory: &str, ending: &str| match objects.join(directory).read_dir() {
            Ok(entries) => Ok(entries
                .filter_map(Result::ok)
                .filter(|entry| entry.file_name().to_string_lossy().ends_with(ending))
                .count()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
            Err(error) => Err(error),
        };
        Ok(Self { loose_objects: count("17", "")? * 256, packs: count("pack", ".pack")? })
    }
}

/// Consolidates a mirror now and then, never twice at once.
#[derive(Debug, Clone)]
pub(crate) struct Upkeep {
    git: PathBuf,
    repository: PathBuf,
    interval: u32,
    operations: Arc<AtomicU32>,
    consolidations: Arc<Mutex<u32>>,
}

impl Upkeep {
    pub(crate) fn new(git: PathBuf, repository: PathBuf, interval: u32) -> Self {
        Self { git, repository, interval, operations: Arc::default(), consolidations: Arc::default() }
    }

    /// Counts a fetch or push; consolidates in the background when it is time and there is enough to do.
    pub(crate) fn after_operation(&self) {
        let count = self.operations.fetch_add(1, Ordering::Relaxed) + 1;
        if self.interval == 0 || !count.is_multiple_of(self.interval) {
            return;
        }
        let upkeep = self.clone();
        tokio::spawn(async move {
            if let Err(error) = upkeep.consolidate_if_needed().await {
                tracing::warn!(mirror = %upkeep.repository.display(), error = explain(&error), "upkeep failed");
            }
        });
    }

    async fn consolidate_if_needed(&self) -> Result<(), Error> {
        let objects = self.repository.join("objects");
        let load = tokio::task::spawn_blocking(move || Load::measure(&objects)).await;
        let load = load.map_err(io::Error::other).flatten().map_err(|cause| {
            let message = format!("can't look at {}", self.repository.display());
            Error::new(ErrorKind::Corrupt, message).with_source(cause)
        })?;
        if load.wants_consolidating() { self.consolidate().await } else { Ok(()) }
    }

    /// Consolidates now, unless that is being done already.
    pub(crate) async fn consolidate(&self) -> Result<(), Error> {
        let Ok(mut done) = self.consolidations.try_lock() else { return Ok(()) };
        *done += 1;
        let thorough = done.is_multiple_of(THOROUGH_EVERY);
        tracing::debug!(mirror = %self.repository.display(), thorough, "consolidating");
        for args in commands(thorough) {
            let command = GitCommand::local(&self.git, &self.repository).args(*args);
            run_locally(&format!("consolidate {}", self.repository.display()), &command, LIMIT).await?;
        }
        Ok(())
    }
}

/// The usual way rolls small packs and all loose objects, reachable or not, into larger packs and drops nothing. The
/// thorough way keeps unreachable objects in a pack of their own until they are two weeks old.
fn commands(thorough: bool) -> &'static [&'static [&'static str]] {
    if thorough {
        &[
            &["repack", "-q", "-d", "--cruft", "--cruft-expiration=2.weeks.ago", "--no-write-bitmap-index"],
            &["commit-graph", "write", "--reachable", "--no-progress"],
        ]
    } else {
        &[
            &["repack", "-q", "-d", "--geometric=2", "--no-write-bitmap-index"],
            &["commit-graph", "write", "--reachable", "--split", "--no-progress"],
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_mirror_is_left_alone() {
        assert!(!Load { loose_objects: 1_999, packs: 29 }.wants_consolidating());
        assert!(Load { loose_objects: 2_000, packs: 0 }.wants_consolidating());
        assert!(Load { loose_objects: 0, packs: 30 }.wants_consolidating());
    }

    #[test]
    fn packs_and_loose_objects_are_counted() {
        let objects = tempfile::tempdir().unwrap();
        for name in ["17/a", "17/b", "18/c", "pack/pack-1.pack", "pack/pack-1.idx"] {
            let file = objects.path().join(name);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, "").unwrap();
        }
        assert_eq!(Load::measure(objects.path()).unwrap(), Load { loose_objects: 512, packs: 1 });
    }
}
