//! What people see of one repository.

use std::sync::Arc;

use cfgupdater_core::{Policy, Reason, RepoName, Snapshot};

/// The latest reading of a repository and what follows from it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct View {
    /// The repository.
    pub repo: RepoName,
    /// The policy it is run by.
    pub policy: Arc<Policy>,
    /// The latest snapshot; `None` until the first one was read.
    pub snapshot: Option<Arc<Snapshot>>,
    /// Whether the latest attempt to read the repository succeeded.
    pub reachable: bool,
    /// When the reading of that snapshot began: whatever was written before is in it.
    pub read_from: Option<std::time::Instant>,
    /// When this process last wrote to the repository.
    pub written: Option<std::time::Instant>,
    /// Why what waits waits.
    pub why: Vec<Reason>,
    /// What was done since the start.
    pub counters: Counters,
}

/// What was done since the start of this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Counters {
    /// Readings of the repository.
    pub observations: u64,
    /// Readings that failed.
    pub failed_observations: u64,
    /// Writes of the state branch.
    pub writes: u64,
    /// Movements of stable.
    pub landings: u64,
    /// Writes of the scratch branch.
    pub probes: u64,
    /// Effects that lost a race.
    pub lost_races: u64,
    /// Effects that the remote declined.
    pub declined: u64,
    /// Trees that were rendered.
    pub renders: u64,
    /// Trees that needn't be rendered, since what they depend on was rendered before.
    pub renders_reused: u64,
    /// Writes that ended at files which could not be rendered.
    pub failed_renders: u64,
    /// Calls answered.
    pub calls: u64,
}
