//! What the operator configured, as the rules need it.

use std::time::Duration;

use crate::branch_names::check_branches;
use crate::check::RequiredChecks;
use crate::error::Error;
use crate::freeze::FreezeWindow;
use crate::layout::{Layout, ReleaseIdentity};
use crate::name::{BranchName, SetName, TargetName, WaveName};
use crate::path_set::PathSet;
use crate::release_file::ReleaseFile;
use crate::repo_path::RepoPath;
use crate::verify_images::VerifyImages;

/// The configuration of one repository.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Policy {
    /// The branch that deploy tools follow.
    pub stable: BranchName,
    /// The branch that CI tests.
    pub auto: BranchName,
    /// The branch that keeps what was accepted and decided.
    pub state: BranchName,
    /// The scratch branch that gets untested commits tested.
    pub probe: BranchName,
    /// What must be green for a commit to land.
    pub landing: Landing,
    /// The required checks, where the configuration names them.
    pub required: Option<RequiredChecks>,
    /// Whether commits land where neither the configuration nor the forge requires any check.
    pub allow_empty_required: bool,
    /// How long a required check may stay away.
    pub not_started_timeout: Duration,
    /// How long a required check may run.
    pub running_timeout: Duration,
    /// How long announcements are gathered into one write.
    pub batch_window: Duration,
    /// How often to look without being told to.
    pub resync: Duration,
    /// The configuration's generation; a replica below the recorded one only observes.
    pub generation: u64,
    /// Whether to write at all.
    pub mode: Mode,
    /// Who our commits are by.
    pub identity: Identity,
    /// The paths that a renderer makes: never merged, and made again whenever an intent is applied.
    pub generated: PathSet,
    /// Whether generated files that don't match keep a commit of auto from landing.
    pub verify_generated: bool,
    /// The image sets.
    pub sets: Vec<SetPolicy>,
    /// The waves, first to last.
    pub waves: Vec<WavePolicy>,
}

/// Author and committer of our commits.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Identity {
    /// The name.
    pub name: String,
    /// The e-mail address.
    pub email: String,
}

impl Default for Identity {
    fn default() -> Self {
        Self { name: "cfgupdater".to_owned(), email: "cfgupdater@localhost".to_owned() }
    }
}

/// What must be green for a commit to land.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Landing {
    /// The commit itself: a green tip may carry a red middle.
    #[default]
    Tip,
    /// It and every commit between it and stable.
    EveryCommit,
}

/// Whether to write at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Mode {
    /// Move the branches.
    #[default]
    Act,
    /// Only say what would be done.
    Observe,
}

/// One image set.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SetPolicy {
    /// Its name.
    pub name: SetName,
    /// Where its images are kept.
    pub layout: Layout,
    /// Which builds are the same release.
    pub identity: ReleaseIdentity,
    /// The file beside the images that names their release, where one is wanted.
    pub release_file: Option<ReleaseFile>,
    /// The waves it goes through; all of them where empty.
    pub waves: Vec<WaveName>,
    /// What its announced images are asked for at their registries.
    pub verify_images: VerifyImages,
}

/// One wave.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WavePolicy {
    /// Its name.
    pub name: WaveName,
    /// Who must report.
    pub targets: Vec<TargetPolicy>,
    /// How long a release must have been proven in the wave before it may leave it.
    pub soak: Duration,
    /// Whether an operator must approve each promotion into it.
    pub approval: bool,
    /// When nothing may land in it.
    pub freeze: Vec<FreezeWindow>,
}

/// One target of a wave.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TargetPolicy {
    /// Its name.
    pub name: TargetName,
    /// The sets it runs; all of them where empty.
    pub sets: Vec<SetName>,
}

impl Policy {
    /// Builds a policy of defaults for the given waves and sets.
    pub fn new(stable: BranchName, sets: Vec<SetPolicy>, waves: Vec<WavePolicy>) -> Self {
        Self {
            stable,
            auto: Self::default_auto(),
            state: Self::default_state(),
            probe: Self::default_probe(),
            landing: Landing::Tip,
            required: None,
            allow_empty_required: false,
            not_started_timeout: Duration::from_mins(30),
            running_timeout: Duration::from_hours(2),
            batch_window: Duration::from_millis(250),
            resync: Duration::from_mins(5),
            generation: 0,
            mode: Mode::Act,
            identity: Identity::default(),
            generated: PathSet::default(),
            verify_generated: false,
            sets,
            waves,
        }
    }

    /// Checks what no engine may be run by: branches that can't be told apart.
    ///
    /// # Errors
    /// Says what is wrong and what to change, as [`ErrorKind::Invalid`](crate::ErrorKind::Invalid).
    pub fn check(&self) -> Result<(), Error> {
        let Self { stable, auto, state, probe, .. } = self;
        check_branches(&[("stable", stable), ("auto", auto), ("state", state), ("probe", probe)])
    }

    /// Returns the branch that CI tests where none is configured.
    pub fn default_auto() -> BranchName {
        default_branch("auto")
    }

    /// Returns the branch that holds the state where none is configured.
    pub fn default_state() -> BranchName {
        default_branch("cfgupdater/state")
    }

    /// Returns the branch to which untested commits are pushed where none is configured.
    pub fn default_probe() -> BranchName {
        default_branch("cfgupdater/probe")
    }

    /// Returns the checks that count: the configured ones or, where it names none, those that the forge requires.
    pub fn required_with(&self, by_forge: Option<RequiredChecks>) -> RequiredChecks {
        let mut required = self.required.clone().or(by_forge).unwrap_or_default();
        required.allow_empty |= self.allow_empty_required;
        required
    }

    /// Finds a set by name.
    pub fn set(&self, name: &SetName) -> Option<&SetPolicy> {
        self.sets.iter().find(|set| set.name == *name)
    }

    /// Finds a wave by name.
    pub fn wave(&self, name: &WaveName) -> Option<&WavePolicy> {
        self.waves.iter().find(|wave| wave.name == *name)
    }

    /// Lists the waves a set goes through, first to last.
    pub fn waves_of<'a>(&'a self, set: &'a SetPolicy) -> impl Iterator<Item = &'a WavePolicy> {
        self.waves.iter().filter(|wave| set.waves.is_empty() || set.waves.contains(&wave.name))
    }

    /// Lists the promotions that exist: a set, the wave it leaves and the wave it enters.
    pub fn steps(&self) -> impl Iterator<Item = (&SetPolicy, &WavePolicy, &WavePolicy)> {
        self.sets.iter().flat_map(|set| {
            self.waves_of(set).zip(self.waves_of(set).skip(1)).map(move |(from, to)| (set, from, to))
        })
    }
}

fn default_branch(name: &str) -> BranchName {
    name.parse().expect("the default branch names are valid")
}

impl SetPolicy {
    /// Builds a set of defaults.
    pub fn new(name: SetName) -> Self {
        Self {
            name,
            layout: Layout::default(),
            identity: ReleaseIdentity::default(),
            release_file: None,
            waves: Vec::new(),
            verify_images: VerifyImages::default(),
        }
    }

    /// Returns where the release of a wave is written, where that is wanted.
    pub fn release_path(&self, wave: &WaveName) -> Option<RepoPath> {
        Some(self.release_file.as_ref()?.beside(self.layout.files(wave).first()?))
    }
}

impl WavePolicy {
    /// Builds a wave without gates.
    pub fn new(name: WaveName, targets: Vec<TargetPolicy>) -> Self {
        Self { name, targets, soak: Duration::ZERO, approval: false, freeze: Vec::new() }
    }

    /// Lists the targets that run a set.
    pub fn targets_of<'a>(&'a self, set: &'a SetName) -> impl Iterator<Item = &'a TargetPolicy> {
        self.targets.iter().filter(move |target| target.runs(set))
    }
}

impl TargetPolicy {
    /// Builds a target that runs every set.
    pub fn new(name: TargetName) -> Self {
        Self { name, sets: Vec::new() }
    }

    /// Tells whether this target runs a set.
    pub fn runs(&self, set: &SetName) -> bool {
        self.sets.is_empty() || self.sets.contains(set)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allowing_an_empty_set_takes_no_check_away() {
        let mut policy = Policy::new("main".parse().unwrap(), Vec::new(), Vec::new());
        policy.allow_empty_required = true;
        let by_forge = RequiredChecks::named(["ci"]);
        assert_eq!(policy.required_with(Some(by_forge.clone())).checks, by_forge.checks);
        assert!(policy.required_with(None).allow_empty);
        policy.allow_empty_required = false;
        assert!(!policy.required_with(None).allow_empty, "unless somebody says so, nothing lands");
    }
}
