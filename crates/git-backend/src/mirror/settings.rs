//! [`MirrorSettings`]: where a mirror lies and what it mirrors.

use std::path::PathBuf;

use crate::objects::local_repo::Engine;
use crate::remote::settings::RemoteSettings;

/// Where a mirror lies, and what it mirrors.
#[derive(Debug, Clone)]
pub struct MirrorSettings {
    pub(crate) directory: PathBuf,
    pub(crate) remote: RemoteSettings,
    pub(crate) upkeep_interval: u32,
    pub(crate) engine: Engine,
    #[cfg(feature = "ssh-signing")]
    pub(crate) signing_key: Option<crate::SigningKey>,
}

impl MirrorSettings {
    /// Keeps a mirror of `remote` in `directory`, which belongs to this mirror alone and is created as needed.
    pub fn new(directory: impl Into<PathBuf>, remote: RemoteSettings) -> Self {
        Self {
            directory: directory.into(),
            remote,
            upkeep_interval: 50,
            engine: Engine::default(),
            #[cfg(feature = "ssh-signing")]
            signing_key: None,
        }
    }

    /// Looks every so many fetches and pushes whether the mirror wants consolidating; zero never looks.
    #[must_use]
    pub fn with_upkeep_interval(mut self, operations: u32) -> Self {
        self.upkeep_interval = operations;
        self
    }

    /// Signs every commit that is written, with this key.
    #[cfg(feature = "ssh-signing")]
    #[must_use]
    pub fn with_signing_key(mut self, key: crate::SigningKey) -> Self {
        self.signing_key = Some(key);
        self
    }

    /// Reads and writes objects by this engine.
    #[must_use]
    pub fn with_engine(mut self, engine: Engine) -> Self {
        self.engine = engine;
        self
    }
}
