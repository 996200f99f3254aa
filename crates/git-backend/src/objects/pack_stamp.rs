//! Whether the packs of an object database are still those that were seen.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Clocks of file systems tick this slowly at worst: a directory changed again within the same tick keeps its date.
const COARSEST_TICK: Duration = Duration::from_secs(2);

/// Returns the directory of a repository's packs.
pub(crate) fn packs_of(repository: &Path) -> PathBuf {
    repository.join("objects/pack")
}

/// What the directory of packs looked like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PackStamp {
    modified: SystemTime,
    /// The date lay far enough back when the directory was read that any later change must alter it.
    settled: bool,
    /// Packs are named by their content, so equal names are equal packs.
    indexes: BTreeSet<OsString>,
}

impl PackStamp {
    /// Looks at `directory`.
    pub(crate) fn read(directory: &Path) -> io::Result<Self> {
        let modified = directory.metadata()?.modified()?;
        let settled = SystemTime::now().duration_since(modified).is_ok_and(|age| age > COARSEST_TICK);
        let mut indexes = BTreeSet::new();
        for entry in directory.read_dir()? {
            let name = entry?.file_name();
            // Git puts the index of a pack in place last; what else lies here is of no use before.
            if Path::new(&name).extension().is_some_and(|extension| extension == "idx") {
                indexes.insert(name);
            }
        }
        Ok(Self { modified, settled, indexes })
    }

    /// Looks again, as cheaply as is safe: `None` where nothing can have changed.
    pub(crate) fn read_if_changed(&self, directory: &Path) -> io::Result<Option<Self>> {
        if self.settled && directory.metadata()?.modified()? == self.modified {
            return Ok(None);
        }
        Self::read(directory).map(Some)
    }

    /// Tells whether both saw the same packs.
    pub(crate) fn same_packs(&self, other: &Self) -> bool {
        self.indexes == other.indexes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pack_added_in_the_same_tick_is_seen() {
        let directory = tempfile::tempdir().unwrap();
        let before = PackStamp::read(directory.path()).unwrap();
        std::fs::write(directory.path().join("pack-1.idx"), "").unwrap();
        let after =
            before.read_if_changed(directory.path()).unwrap().expect("a fresh directory is never settled");
        assert!(!after.same_packs(&before));
    }

    #[test]
    fn an_old_directory_is_not_listed_again() {
        let directory = tempfile::tempdir().unwrap();
        let old = SystemTime::now() - Duration::from_mins(1);
        std::fs::File::open(directory.path()).unwrap().set_modified(old).unwrap();
        let stamp = PackStamp::read(directory.path()).unwrap();
        assert_eq!(stamp.read_if_changed(directory.path()).unwrap(), None);
    }
}
