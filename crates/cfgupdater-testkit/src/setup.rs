//! What a schedule is played in: the policy, the replicas and everybody's habits, drawn from one seed.

use std::time::Duration;

use cfgupdater_core::{
    Landing, Policy, RequiredCheck, RequiredChecks, SetPolicy, Slot, TargetPolicy, WavePolicy,
};

use crate::world::ci::TRUSTED;
use crate::world::dag::SLOTS;

/// Which checks are required.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Required {
    /// One, from any source.
    One,
    /// Two, from any source.
    Two,
    /// One, from the trusted source alone.
    Trusted,
    /// None, by mistake.
    Nothing,
    /// None, on purpose.
    NothingAllowed,
}

/// What the next generation of the configuration changes, where one is rolled out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RollOut {
    /// There is none.
    Never,
    /// Every commit must be green, or the tip alone.
    Landing,
    /// The last wave needs an approval, or needs it no longer.
    Approval,
}

/// When a wave is frozen where it has a window: minutes of the week, and the same in words.
pub const FREEZE: (std::ops::Range<i64>, &str) = (30..150, "Mon 00:30 - Mon 02:30 UTC");

/// Everything that doesn't change while a schedule is played.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[expect(clippy::struct_excessive_bools, reason = "independent habits of independent parties")]
pub struct Setup {
    /// Feeds what must differ from commit to commit, such as how long its checks take.
    pub seed: u64,
    /// How many waves: 1 to 3.
    pub waves: usize,
    /// How many image sets: 1 or 2.
    pub sets: usize,
    /// How many targets the first wave has; the others have one.
    pub targets: usize,
    /// How many replicas run.
    pub replicas: usize,
    /// What must be green for a commit to land.
    pub landing: Landing,
    /// Which checks are required.
    pub required: Required,
    /// Whether the last wave needs an approval.
    pub approval: bool,
    /// Whether releases soak in the first wave.
    pub soak: bool,
    /// Whether a push of several branches moves all or none of them.
    pub atomic: bool,
    /// Whether the forge runs the checks of any commit when asked.
    pub requests_checks: bool,
    /// Whether the forge cancels the checks of a tip when its branch moves on.
    pub cancels: bool,
    /// Releases that break the checks, one bit each.
    pub bad: u64,
    /// One commit in this many never has its checks started; 0 for none.
    pub stuck: u64,
    /// Targets that never report, one bit each in the order of all waves.
    pub mute: u8,
    /// Whether targets, while everything comes to rest, answer only when they are asked, as where every report is lost.
    pub pulled: bool,
    /// Whether CI runs on the stable branch too.
    pub ci_on_stable: bool,
    /// Whether CI creates the checks of a commit late and one by one.
    pub slow_ci: bool,
    /// The wave that has a freeze window.
    pub freeze: Option<usize>,
    /// What the next generation of the configuration changes.
    pub roll_out: RollOut,
    /// Whether one more replica only observes.
    pub observer: bool,
    /// Whether every change is told to every replica at once, as webhooks do where none is lost.
    pub hooks: bool,
}

impl Setup {
    /// Draws a setup.
    pub fn draw(rng: &mut fastrand::Rng) -> Self {
        let mut one_in = |n: u32| rng.u32(..n) == 0;
        let (sets, waves, targets, replicas) = (
            if one_in(4) { 2 } else { 1 },
            if one_in(3) { 3 } else { 2 },
            if one_in(2) { 2 } else { 1 },
            if one_in(2) { 2 } else { 1 },
        );
        let landing = if one_in(4) { Landing::EveryCommit } else { Landing::Tip };
        let (approval, soak, atomic) = (one_in(5), one_in(5), !one_in(3));
        let (requests_checks, cancels) = (one_in(5), one_in(6));
        let (is_stuck, has_mute, ci_on_stable) = (one_in(3), one_in(6), one_in(2));
        let required = match rng.u32(..40) {
            0 => Required::Nothing,
            1 => Required::NothingAllowed,
            2..=8 => Required::Trusted,
            9..=18 => Required::Two,
            _ => Required::One,
        };
        let bad = rng.u64(..) & rng.u64(..) & rng.u64(..);
        let stuck = if is_stuck { rng.u64(3..12) } else { 0 };
        let mute = if has_mute { 1 << rng.u32(..4) } else { 0 };
        let (slow_ci, observer, hooks) = (rng.u32(..5) == 0, rng.u32(..8) == 0, rng.u32(..3) == 0);
        let freeze = (rng.u32(..5) == 0).then(|| if rng.bool() { 0 } else { waves - 1 });
        let roll_out = match rng.u32(..12) {
            0 => RollOut::Landing,
            1 => RollOut::Approval,
            _ => RollOut::Never,
        };
        let seed = rng.u64(..);
        let pulled = seed.is_multiple_of(3);
        Self {
            seed,
            waves,
            sets,
            targets,
            replicas,
            landing,
            required,
            approval,
            soak,
            atomic,
            requests_checks,
            cancels,
            bad,
            stuck,
            mute,
            pulled,
            ci_on_stable,
            slow_ci,
            freeze,
            roll_out,
            observer,
            hooks,
        }
    }

    /// Builds a setup in which nothing is special: two waves, one set, one target each, one replica, honest CI.
    pub fn plain() -> Self {
        Self {
            seed: 1,
            waves: 2,
            sets: 1,
            targets: 1,
            replicas: 1,
            landing: Landing::Tip,
            required: Required::One,
            approval: false,
            soak: false,
            atomic: true,
            requests_checks: false,
            cancels: false,
            bad: 0,
            stuck: 0,
            mute: 0,
            pulled: false,
            ci_on_stable: false,
            slow_ci: false,
            freeze: None,
            roll_out: RollOut::Never,
            observer: false,
            hooks: false,
        }
    }

    /// Builds the policy that all replicas work by at first.
    ///
    /// # Panics
    /// Never: the names are constants.
    pub fn policy(&self) -> Policy {
        let wave = |index: usize| {
            let count = if index == 0 { self.targets } else { 1 };
            let target = |n: usize| TargetPolicy::new(name(&format!("w{index}-{n}")));
            let mut wave = WavePolicy::new(name(&format!("w{index}")), (0..count).map(target).collect());
            wave.approval = self.approval && index + 1 == self.waves && index > 0;
            wave.soak = if self.soak && index == 0 { Duration::from_mins(10) } else { Duration::ZERO };
            wave.freeze.extend((self.freeze == Some(index)).then(|| name(FREEZE.1)));
            wave
        };
        let set = |index: usize| SetPolicy::new(name(["app", "db"][index % 2]));
        let sets = (0..self.sets).map(set).collect();
        let mut policy = Policy::new(name("master"), sets, (0..self.waves).map(wave).collect());
        policy.landing = self.landing;
        policy.required = Some(self.required.checks());
        policy.generation = u64::from(self.roll_out != RollOut::Never);
        // Shorter than the pause between two looks, so that one look after the last write sees every limit passed.
        policy.not_started_timeout = Duration::from_mins(20);
        policy.running_timeout = Duration::from_mins(40);
        policy.resync = Duration::from_hours(1);
        policy
    }

    /// Builds the policy of the next generation, where one is rolled out.
    pub fn next_policy(&self) -> Option<Policy> {
        let mut next = self.policy();
        next.generation += 1;
        match self.roll_out {
            RollOut::Never => return None,
            RollOut::Landing if self.landing == Landing::Tip => next.landing = Landing::EveryCommit,
            RollOut::Landing => next.landing = Landing::Tip,
            RollOut::Approval => {
                let last = next.waves.last_mut()?;
                last.approval = !last.approval;
            }
        }
        Some(next)
    }
}

impl Required {
    /// Builds the required set.
    pub fn checks(self) -> RequiredChecks {
        let mut required = match self {
            Self::One => RequiredChecks::named(["ci"]),
            Self::Two => RequiredChecks::named(["ci", "e2e"]),
            Self::Trusted | Self::Nothing | Self::NothingAllowed => RequiredChecks::default(),
        };
        if self == Self::Trusted {
            required
                .checks
                .insert(RequiredCheck { source: Some(TRUSTED.to_owned()), ..RequiredCheck::named("ci") });
        }
        required.allow_empty = self == Self::NothingAllowed;
        required
    }
}

fn name<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("constant names are valid")
}

/// Lists the slots of a policy with their places in a tree: two for each wave.
pub(crate) fn slots(policy: &Policy) -> Vec<Option<Slot>> {
    let slot = |place: usize| {
        let (wave, set) = (policy.waves.get(place / 2)?, policy.sets.get(place % 2)?);
        Some((wave.name.clone(), set.name.clone()))
    };
    (0..SLOTS).map(slot).collect()
}
