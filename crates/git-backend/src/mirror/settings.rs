//! [`MirrorSettings`]: where a mirror lies and what it mirrors.

use std::path::PathBuf;

use crate::remote::settings::RemoteSettings;

/// Where a mirror lies, and what it mirrors.
#[derive(Debug, Clone)]
pub struct MirrorSettings {
    pub(crate) directory: PathBuf,
    pub(crate) remote: RemoteSettings,
    pub(crate) upkeep_interval: u32,
}

impl MirrorSettings {
    /// Keeps a mirror of `remote` in `directory`, which belongs to this mirror alone and is created as needed.
    pub fn new(directory: impl Into<PathBuf>, remote: RemoteSettings) -> Self {
        Self { directory: directory.into(), remote, upkeep_interval: 50 }
    }

    /// Looks every so many fetches and pushes whether the mirror wants consolidating; zero never looks.
    #[must_use]
    pub fn with_upkeep_interval(mut self, operations: u32) -> Self {
        self.upkeep_interval = operations;
        self
    }
}
