//! The example configuration repository, laid out as people have it.

use std::path::{Path, PathBuf};

use crate::repository::{Clone, Remote, git};

/// Returns where the example is.
pub fn cfg_app() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/cfg-app")
}

impl Remote {
    /// Makes a repository that holds the files of a directory.
    pub fn of_directory(directory: &Path) -> Self {
        let remote = Self::new();
        let person = remote.person();
        copy(directory, &person.path());
        person.commit_all("feat: the configuration");
        person.push();
        remote
    }
}

impl Clone {
    /// Commits everything that was changed.
    pub fn commit_all(&self, message: &str) -> &Self {
        git(&self.path(), &["add", "--all"]);
        git(&self.path(), &["commit", "--quiet", "-m", message]);
        self
    }
}

/// Copies everything in a directory into another one, which is made where it is absent.
pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("directories can be made");
    for entry in std::fs::read_dir(from).expect("the directory can be read") {
        let entry = entry.expect("its entries can be read");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("it has a type").is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), &target).expect("files can be copied");
        }
    }
}
