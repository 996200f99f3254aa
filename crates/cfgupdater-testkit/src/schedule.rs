//! Schedules: what is played, as data drawn from a seed, so that it can be replayed and shortened.

use crate::setup::{Required, RollOut, Setup};
use crate::world::ci::CiMove;
use crate::world::people::PersonMove;
use crate::world::releases::RELEASES;
use crate::world::replica::Fault;

/// One step. Numbers that name things are taken modulo the things that exist when it is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// An application's CI announces a release.
    Announce {
        /// The replica that is called.
        replica: u8,
        /// The set.
        set: u8,
        /// The release.
        release: u8,
        /// Its sequence, if the set has them.
        sequence: Option<u8>,
        /// The attempt.
        attempt: u8,
    },
    /// An application's CI announces several releases at once.
    Storm {
        /// The replica that is called.
        replica: u8,
        /// The set.
        set: u8,
        /// The first release; the others follow it.
        first: u8,
        /// How many.
        count: u8,
        /// Whether they have sequences.
        sequences: bool,
    },
    /// Somebody asks what would become of an announcement.
    Preview {
        /// The replica that is called.
        replica: u8,
        /// The set.
        set: u8,
        /// The release.
        release: u8,
    },
    /// A target reports what it runs.
    Report {
        /// The replica that is called.
        replica: u8,
        /// The wave.
        wave: u8,
        /// The target.
        target: u8,
        /// What it names.
        claim: Said,
        /// Whether it runs.
        works: bool,
        /// How many minutes ago it was seen, if that is said.
        seen: Option<u8>,
    },
    /// A report is sent once more, word for word: by a sender that heard no answer, or by one that had it first.
    Resend {
        /// The replica that is called.
        replica: u8,
        /// Which one, from the newest.
        nth: u8,
    },
    /// A target's deploy tool is asked what it runs.
    Sight {
        /// The replica that asks.
        replica: u8,
        /// The wave.
        wave: u8,
        /// The target.
        target: u8,
        /// How many commits before stable's tip its revision is.
        back: u8,
        /// Whether it runs.
        works: bool,
        /// How many minutes its answer was on its way.
        delay: u8,
    },
    /// An operator acts.
    Operate {
        /// The replica that is called.
        replica: u8,
        /// The wave.
        wave: u8,
        /// What for.
        what: Operating,
        /// The call's key; the same one may come with another operation.
        key: Option<u8>,
    },
    /// An operator's client repeats a call that had a key, word for word.
    Repeat {
        /// The replica that is called.
        replica: u8,
        /// Which one, from the newest.
        nth: u8,
    },
    /// A replica is started anew with the next configuration, or with the one before.
    RollOut {
        /// The replica.
        replica: u8,
        /// Whether it goes back.
        back: bool,
    },
    /// Something says *look*, with or without a reason: a webhook that is late, repeated, replayed or forged.
    Look {
        /// The replica.
        replica: u8,
    },
    /// A replica does the next thing it has to do.
    Turn {
        /// The replica.
        replica: u8,
        /// How it goes wrong.
        fault: Fault,
    },
    /// A replica does as many things in a row.
    Run {
        /// The replica.
        replica: u8,
        /// How many.
        turns: u8,
    },
    /// Time passes.
    Pass {
        /// How many seconds.
        seconds: u16,
    },
    /// CI, or somebody who meddles with it, acts on a commit.
    Ci {
        /// Which one: 0 is stable's tip, then the chain from its tip down, then any.
        pick: u8,
        /// What happens.
        what: CiMove,
    },
    /// A person acts.
    Person(PersonMove),
    /// A replica's clock is set.
    Skew {
        /// The replica.
        replica: u8,
        /// How many seconds it is ahead.
        seconds: i16,
    },
}

/// What a report names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Said {
    /// A commit of stable, this many before its tip.
    Revision(u8),
    /// The release that came into the wave this many introductions ago.
    Release(u8),
    /// The tip of auto.
    Auto,
    /// A commit that doesn't exist.
    Nonsense,
}

/// What an operator does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operating {
    /// Closes a wave.
    Hold,
    /// Opens it again.
    Release,
    /// Lets in what waits.
    Approve,
    /// Takes the wave back to what it was this many commits ago.
    RollBack(u8),
    /// Stops all landing.
    Pause,
    /// Lets landing go on.
    Resume,
    /// Stops waiting for the wave's last target, for half an hour.
    Waive,
    /// Takes back the intent that was accepted last but this many.
    Withdraw(u8),
    /// Tries the intent again that ended last but this many.
    Retry(u8),
    /// Accepts the repository as it is.
    Accept,
}

/// A setup and what is played in it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Schedule {
    /// The seed it was drawn from.
    pub seed: u64,
    /// What it is played in.
    pub setup: Setup,
    /// What is played.
    pub steps: Vec<Step>,
}

/// The last release that is announced; people put others into waves by hand.
const LAST_ANNOUNCED: u8 = 55;

/// Shortest and longest schedule.
const LENGTH: std::ops::Range<usize> = 30..61;

impl Schedule {
    /// Draws a schedule: at least 30 steps, two announcements and one fault. The same seed gives the same one.
    pub fn from_seed(seed: u64) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        let setup = Setup::draw(&mut rng);
        let mut draw = Draw::new(&setup, rng);
        let length = draw.rng.usize(LENGTH);
        let mut steps = vec![draw.announce(), draw.announce()];
        while steps.len() + 1 < length {
            let step = draw.step();
            steps.push(step);
            steps.extend(draw.follow_up(step));
        }
        let at = draw.rng.usize(2..steps.len());
        let fault = draw.fault_for_certain();
        steps.insert(at, Step::Turn { replica: draw.replica(), fault });
        Self { seed, setup, steps }
    }

    /// Tells how many faults, moves of people and meddling with CI it holds.
    pub fn faults(&self) -> usize {
        let is_fault = |step: &&Step| match step {
            Step::Turn { fault, .. } => *fault != Fault::Nothing,
            Step::Person(_) | Step::Skew { .. } | Step::Ci { .. } | Step::RollOut { .. } => true,
            _ => false,
        };
        self.steps.iter().filter(is_fault).count()
    }
}

/// Draws steps. Each schedule allows some kinds of trouble and not others, so that rare ones meet each other.
struct Draw {
    rng: fastrand::Rng,
    setup: Setup,
    allowed: u32,
    sequences: bool,
    eager: bool,
    announced: Vec<Step>,
    fresh: u8,
    /// How many keys operators' calls have had.
    keys: u8,
}

/// Kinds of trouble that a schedule may allow.
const STALE: u32 = 1;
const REMOTE: u32 = 1 << 1;
const UNSURE: u32 = 1 << 2;
const CRASH: u32 = 1 << 3;
const PEOPLE: u32 = 1 << 4;
const AUTO: u32 = 1 << 5;
const CI: u32 = 1 << 6;
const SKEW: u32 = 1 << 7;
const OPERATORS: u32 = 1 << 8;
const FAILURES: u32 = 1 << 9;
const ODD_REPORTS: u32 = 1 << 10;
const FORCE: u32 = 1 << 11;

impl Draw {
    fn new(setup: &Setup, mut rng: fastrand::Rng) -> Self {
        let mut allowed = rng.u32(..);
        // What stops everything until a person acts is played seldom.
        if rng.u32(..8) != 0 {
            allowed &= !FORCE;
        }
        let (sequences, eager) = (rng.u32(..4) == 0, rng.u32(..4) != 0);
        Self {
            rng,
            setup: setup.clone(),
            allowed,
            sequences,
            eager,
            announced: Vec::new(),
            fresh: 0,
            keys: 0,
        }
    }

    fn allows(&self, kind: u32) -> bool {
        self.allowed & kind != 0
    }

    fn one_in(&mut self, n: u32) -> bool {
        self.rng.u32(..n) == 0
    }

    fn replica(&mut self) -> u8 {
        self.rng.u8(..if self.setup.observer { 3 } else { 2 })
    }

    fn step(&mut self) -> Step {
        match self.rng.u32(..100) {
            0..=10 => self.announce(),
            11 => self.storm(),
            12 => self.preview(),
            13..=26 => self.report(),
            27..=30 => self.operate(),
            31..=34 if self.keys > 0 && self.allows(OPERATORS) => {
                Step::Repeat { replica: self.replica(), nth: self.rng.u8(..3) }
            }
            35 if self.setup.roll_out != RollOut::Never => {
                Step::RollOut { replica: self.replica(), back: self.one_in(4) }
            }
            31..=36 => Step::Look { replica: self.replica() },
            37..=48 => Step::Run { replica: self.replica(), turns: self.rng.u8(3..9) },
            49..=74 => Step::Turn { replica: self.replica(), fault: self.fault() },
            75..=85 => Step::Pass { seconds: [1, 30, 300, 900, 1800, 3700][self.rng.usize(..6)] },
            86..=93 => self.ci(),
            94..=98 => self.person(),
            _ if self.allows(SKEW) => {
                Step::Skew { replica: self.replica(), seconds: self.rng.i16(-4000..4000) }
            }
            _ => self.announce(),
        }
    }

    /// In most schedules a replica mostly gets to work on what it was told before its callers lose patience.
    fn follow_up(&mut self, step: Step) -> Option<Step> {
        let (Step::Announce { replica, .. }
        | Step::Storm { replica, .. }
        | Step::Report { replica, .. }
        | Step::Resend { replica, .. }
        | Step::Sight { replica, .. }
        | Step::Repeat { replica, .. }
        | Step::Operate { replica, .. }) = step
        else {
            return None;
        };
        let worked_on = self.eager && !self.one_in(3);
        worked_on.then(|| Step::Run { replica, turns: self.rng.u8(3..8) })
    }

    fn announce(&mut self) -> Step {
        let repeat = !self.announced.is_empty() && self.one_in(3);
        let step = if repeat {
            let Step::Announce { set, release, sequence, attempt, .. } =
                self.announced[self.rng.usize(..self.announced.len())]
            else {
                return Step::Look { replica: 0 };
            };
            let attempt = if self.one_in(3) { attempt + 1 } else { attempt };
            Step::Announce { replica: self.replica(), set, release, sequence, attempt }
        } else {
            self.fresh = (self.fresh + 1).min(LAST_ANNOUNCED);
            let set = self.rng.u8(..2);
            let late = u8::from(self.sequences && self.one_in(4));
            let sequence = self.sequences.then(|| self.fresh.saturating_sub(2 * late));
            Step::Announce { replica: self.replica(), set, release: self.fresh, sequence, attempt: 1 }
        };
        self.announced.push(step);
        step
    }

    fn storm(&mut self) -> Step {
        let count = self.rng.u8(3..8).min(LAST_ANNOUNCED - self.fresh);
        let first = self.fresh + 1;
        self.fresh += count;
        Step::Storm {
            replica: self.replica(),
            set: self.rng.u8(..2),
            first,
            count,
            sequences: self.sequences,
        }
    }

    /// Asks about what was announced, or what never is.
    fn preview(&mut self) -> Step {
        let release = if self.rng.bool() { self.fresh.max(1) } else { LAST_ANNOUNCED + 1 };
        Step::Preview { replica: self.replica(), set: self.rng.u8(..2), release }
    }

    fn report(&mut self) -> Step {
        let odd = self.allows(ODD_REPORTS) && self.one_in(3);
        if odd && self.one_in(4) {
            return Step::Resend { replica: self.replica(), nth: self.rng.u8(..6) };
        }
        let claim = match self.rng.u32(..8) {
            0 if odd => Said::Auto,
            1 if odd => Said::Nonsense,
            2..=4 if odd => Said::Revision(self.rng.u8(..8)),
            5 => Said::Release(self.rng.u8(..2)),
            _ => Said::Revision(self.rng.u8(..2)),
        };
        let works = !(self.allows(FAILURES) && self.one_in(4));
        let seen = self.one_in(4).then(|| self.rng.u8(..90));
        let (wave, target) = (self.rng.u8(..4) / 2, self.rng.u8(..2));
        let replica = self.replica();
        match (claim, seen) {
            // Half of what says when it was seen was asked for.
            (Said::Revision(back), Some(minutes)) if minutes % 2 == 0 => {
                Step::Sight { replica, wave, target, back, works, delay: minutes / 2 % 3 }
            }
            _ => Step::Report { replica, wave, target, claim, works, seen },
        }
    }

    fn operate(&mut self) -> Step {
        let back = self.rng.u8(..3);
        let what = match self.rng.u32(..16) {
            0 | 1 if self.allows(OPERATORS) => Operating::Hold,
            2 if self.allows(OPERATORS) => Operating::RollBack(back + 1),
            3 if self.allows(OPERATORS) => Operating::Pause,
            4 if self.allows(OPERATORS) => Operating::Waive,
            5 if self.allows(OPERATORS) => Operating::Withdraw(back),
            6 if self.allows(OPERATORS) => Operating::Retry(back),
            7 => Operating::Resume,
            8 => Operating::Accept,
            9..=11 => Operating::Release,
            _ => Operating::Approve,
        };
        let last = u8::try_from(self.setup.waves - 1).unwrap_or(0);
        let wave = if what == Operating::Approve { last } else { self.rng.u8(..3) };
        let key = self.one_in(2).then(|| {
            // Now and then a key comes again with another operation.
            let used = self.keys > 0 && self.one_in(6);
            self.keys += u8::from(!used);
            self.keys
        });
        Step::Operate { replica: self.replica(), wave, what, key }
    }

    fn fault(&mut self) -> Fault {
        if self.one_in(2) { Fault::Nothing } else { self.fault_for_certain() }
    }

    fn fault_for_certain(&mut self) -> Fault {
        let stale = Fault::Stale { back: self.rng.u8(1..4), mask: self.rng.u8(1..16) };
        match self.rng.u32(..20) {
            0..=3 if self.allows(STALE) => stale,
            4 if self.allows(STALE) => Fault::Trailing,
            5..=6 if self.allows(REMOTE) => Fault::Unreachable,
            7 if self.allows(REMOTE) => Fault::RateLimited,
            8..=9 if self.allows(REMOTE) => Fault::Declined,
            10 if self.allows(UNSURE) => Fault::Lost,
            11..=12 if self.allows(UNSURE) => Fault::Unanswered,
            13..=14 if self.allows(UNSURE) => Fault::Late,
            15..=16 if self.allows(CRASH) => Fault::CrashBefore,
            17..=18 if self.allows(CRASH) => Fault::CrashAfter,
            _ => Fault::Blind,
        }
    }

    fn ci(&mut self) -> Step {
        let odd = self.allows(CI);
        let what = match self.rng.u32(..20) {
            0..=1 if odd => CiMove::Lie,
            2..=3 if odd => CiMove::Rerun,
            4..=6 if odd => CiMove::Flip,
            7..=8 if odd => CiMove::Cancel,
            9..=10 if odd => CiMove::Unknown,
            11..=12 if odd => CiMove::Impostor { passes: self.rng.u32(..4) != 0 },
            13 if odd => CiMove::OtherSeries { passes: self.rng.bool() },
            14 if odd => CiMove::Repeat,
            15 => CiMove::Begin,
            _ => CiMove::Finish,
        };
        Step::Ci { pick: self.rng.u8(..6), what }
    }

    fn person(&mut self) -> Step {
        let nth = self.rng.u8(..3);
        let release = if self.rng.bool() {
            self.rng.u8(1..=self.fresh.max(1))
        } else {
            self.rng.u8(LAST_ANNOUNCED + 2..RELEASES)
        };
        let back = self.rng.u8(1..3);
        Step::Person(match self.rng.u32(..24) {
            0..=2 if self.allows(PEOPLE) => PersonMove::Edit { slot: self.rng.u8(..6), release },
            3..=4 if self.allows(PEOPLE) => PersonMove::Same { nth },
            5 if self.allows(PEOPLE) => PersonMove::CherryPick { nth, release: 0 },
            6 if self.allows(PEOPLE) => PersonMove::CherryPick { nth, release },
            7 if self.allows(PEOPLE) => PersonMove::Merge { nth },
            8 if self.allows(PEOPLE) => PersonMove::LandByHand { nth },
            19 if self.allows(PEOPLE) => PersonMove::Require(self.required()),
            20 if self.allows(PEOPLE) => PersonMove::RenameStable,
            9..=10 if self.allows(AUTO) => PersonMove::Foreign { copied: self.rng.bool(), release: 0 },
            11 if self.allows(AUTO) => PersonMove::Foreign { copied: self.rng.bool(), release },
            12 if self.allows(AUTO) => PersonMove::RewindAuto { back },
            13 if self.allows(AUTO) => PersonMove::DeleteAuto,
            14 if self.allows(AUTO) => PersonMove::DeleteProbe,
            15..=16 if self.allows(FORCE) => PersonMove::Rewind { back },
            17 if self.allows(FORCE) => PersonMove::DeleteState,
            18 if self.allows(FORCE) => PersonMove::RewindState { back },
            _ => PersonMove::Push { broken: self.rng.u32(..5) == 0 },
        })
    }

    fn required(&mut self) -> Required {
        match self.rng.u32(..8) {
            0 => Required::Nothing,
            1..=2 => Required::Trusted,
            3..=5 => Required::Two,
            _ => Required::One,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_tells_the_whole_schedule_and_it_is_worth_playing() {
        for seed in 0..500 {
            let schedule = Schedule::from_seed(seed);
            assert_eq!(schedule, Schedule::from_seed(seed));
            let announced =
                schedule.steps.iter().filter(|step| matches!(step, Step::Announce { .. })).count();
            assert!(schedule.steps.len() >= 30 && announced >= 2 && schedule.faults() >= 1, "{seed}");
        }
    }
}
