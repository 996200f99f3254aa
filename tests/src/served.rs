//! Repositories that a forge for tests serves.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::repository::{Remote, git};

/// Serves a repository as `acme/cfg.git` below `root`, with an `update` hook that says what the forge would refuse.
///
/// # Panics
/// Fails where a file can't be written.
pub fn serve(remote: &Remote, root: &Path, hook: &str) {
    let account = root.join("acme");
    std::fs::create_dir_all(&account).expect("a directory can be made");
    std::os::unix::fs::symlink(remote.path(), account.join("cfg.git")).expect("a link can be made");
    git(remote.path(), &["config", "http.receivepack", "true"]);
    let file = remote.path().join("hooks/update");
    std::fs::write(&file, hook).expect("a file can be written");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755))
        .expect("a file can be made executable");
}
