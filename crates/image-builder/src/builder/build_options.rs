//! [`BuildOptions`]: how a build is run, as far as it makes no difference to what is built.

use std::path::PathBuf;
use std::thread::available_parallelism;

use super::cache::CacheMode;
use super::revision::Revision;

/// How a build is run. None of it but [`BuildOptions::epoch`] makes a difference to the images.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct BuildOptions {
    /// What images are tagged by.
    pub revision: Revision,
    /// How far the previous images are believed.
    pub cache: CacheMode,
    /// Tags beside the branch's that a previous image may have, the most likely first.
    pub cache_from: Vec<String>,
    /// How many layers are made at a time.
    pub jobs: usize,
    /// The time that all files have, in seconds since 1970.
    pub epoch: u64,
    /// Whether images are pushed and tagged.
    pub push: bool,
    /// A directory that remembers what layers were compressed to, so that [`CacheMode::Verify`] need not do it again. It
    /// is made where it is absent, and deleting it costs time only.
    pub cache_directory: Option<PathBuf>,
    /// A directory that the images are written to, as an OCI image layout.
    pub oci_layout: Option<PathBuf>,
}

impl BuildOptions {
    /// Builds, pushes and tags, with the caution that is the default.
    pub fn new(revision: Revision) -> Self {
        Self {
            revision,
            cache: CacheMode::default(),
            cache_from: Vec::new(),
            jobs: available_parallelism().map_or(1, usize::from),
            epoch: 0,
            push: true,
            cache_directory: None,
            oci_layout: None,
        }
    }
}
