//! What is evaluated, by which program, and within which limits.

use std::time::Duration;

use cfgupdater_core::RepoPath;

/// The settings of a renderer.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct JsonnetSettings {
    /// The command that runs [`serve`](super::serve).
    pub worker: Vec<String>,
    /// The files to evaluate.
    pub entries: Vec<JsonnetEntry>,
    /// Where imports are looked for that are not beside the file that imports them, in this order.
    pub libraries: Vec<RepoPath>,
    /// How deep calls may be nested.
    pub stack: usize,
    /// How long one rendering may take.
    pub time: Duration,
    /// How large everything that is generated may be, in bytes.
    pub output: u64,
    /// How much memory an evaluation may take, in bytes.
    pub memory: u64,
}

/// An entry file, and where what it makes goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonnetEntry {
    /// The file.
    pub file: RepoPath,
    /// The directory of the files it makes.
    pub directory: RepoPath,
}

impl JsonnetSettings {
    /// Builds settings with the default limits.
    pub fn new(worker: Vec<String>, entries: Vec<JsonnetEntry>) -> Self {
        Self {
            worker,
            entries,
            libraries: Vec::new(),
            stack: 500,
            time: Duration::from_mins(1),
            output: 512 * 1024 * 1024,
            memory: 2 * 1024 * 1024 * 1024,
        }
    }
}
