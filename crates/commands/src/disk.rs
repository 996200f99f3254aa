//! How much disk directories take.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::io::Errno;

/// How often it is looked at, at the most.
const INTERVAL: Duration = Duration::from_millis(200);

/// Waits until the directories take more than `limit` bytes; for ever if they never do.
pub(crate) async fn exceeded(directories: &[PathBuf], limit: u64) {
    let mut pause = INTERVAL;
    loop {
        tokio::time::sleep(pause).await;
        let directories = directories.to_vec();
        let start = Instant::now();
        let used = tokio::task::spawn_blocking(move || {
            directories.iter().map(|path| used(path)).fold(0, u64::saturating_add)
        });
        if used.await.is_ok_and(|used| used > limit) {
            return;
        }
        // Looking at many files must not take longer than what is looked at.
        pause = INTERVAL.max(10 * start.elapsed());
    }
}

/// What each file takes at least, also an empty one: there is room for so many only.
const LEAST: u64 = 4096;

/// Returns what is allocated below a directory, in bytes. Links are not followed, and what vanishes meanwhile counts for
/// nothing. What lies too deep to be looked at is too much.
fn used(directory: &Path) -> u64 {
    let mut all = 0;
    let mut open = vec![directory.to_owned()];
    while let Some(directory) = open.pop() {
        let entries = match std::fs::read_dir(directory) {
            Err(error) if error.raw_os_error() == Some(Errno::NAMETOOLONG.raw_os_error()) => return u64::MAX,
            entries => entries.into_iter().flatten().flatten(),
        };
        for entry in entries {
            let Ok(metadata) = entry.metadata() else { continue };
            all += LEAST.max(metadata.blocks() * 512);
            if metadata.is_dir() {
                open.push(entry.path());
            }
        }
    }
    all
}
