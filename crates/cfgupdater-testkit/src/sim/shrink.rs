//! Shortening a schedule that breaks a promise.

use cfgupdater_core::Landing;

use super::{Violation, run_with};
use crate::mutations::Tamper;
use crate::schedule::{Schedule, Step};
use crate::setup::{Required, RollOut, Setup};
use crate::world::replica::Fault;

/// Drops steps, makes the others plainer and everybody's habits simpler, as long as the same promise is broken; returns
/// the shortest violation found.
pub fn shrink(violation: Violation, tamper: impl Fn() -> Box<dyn Tamper>) -> Violation {
    let mut best = violation;
    let breaks = |schedule: Schedule, invariant: &str| {
        run_with(&schedule, tamper()).err().filter(|found| found.invariant == invariant)
    };
    // A plainer setup may make steps needless, and fewer steps a plainer setup.
    while drop_steps(&mut best, breaks)
        | simplify_steps(&mut best, breaks)
        | simplify_setup(&mut best, breaks)
    {}
    best
}

/// Plays a schedule, and returns how it breaks a promise.
trait Breaks: Fn(Schedule, &str) -> Option<Box<Violation>> + Copy {}

impl<F: Fn(Schedule, &str) -> Option<Box<Violation>> + Copy> Breaks for F {}

/// Takes another schedule if it breaks the same promise, and tells whether it does.
fn take(best: &mut Violation, schedule: Schedule, breaks: impl Breaks) -> bool {
    let found = breaks(schedule, best.invariant);
    let taken = found.is_some();
    if let Some(found) = found {
        *best = *found;
    }
    taken
}

/// Drops steps, large blocks first.
fn drop_steps(best: &mut Violation, breaks: impl Breaks) -> bool {
    let mut dropped = false;
    let mut block = best.schedule.steps.len().max(1);
    loop {
        let mut shorter = false;
        let mut start = 0;
        while start < best.schedule.steps.len() {
            let end = (start + block).min(best.schedule.steps.len());
            let mut steps = best.schedule.steps.clone();
            steps.drain(start..end);
            if take(best, Schedule { steps, ..best.schedule.clone() }, breaks) {
                shorter = true;
            } else {
                start = end;
            }
        }
        dropped |= shorter;
        if block == 1 && !shorter {
            return dropped;
        }
        block = (block / 2).max(1);
    }
}

/// Makes each step plainer.
fn simplify_steps(best: &mut Violation, breaks: impl Breaks) -> bool {
    let mut simpler = false;
    for place in 0..best.schedule.steps.len() {
        for plainer in plainer(best.schedule.steps[place]) {
            let mut schedule = best.schedule.clone();
            schedule.steps[place] = plainer;
            simpler |= plainer != best.schedule.steps[place] && take(best, schedule, breaks);
        }
    }
    simpler
}

/// Returns what may do instead of a step, the plainest first.
fn plainer(step: Step) -> Vec<Step> {
    match step {
        Step::Turn { replica, .. } => vec![Step::Turn { replica, fault: Fault::Nothing }],
        Step::Run { replica, turns } if turns > 1 => {
            vec![Step::Turn { replica, fault: Fault::Nothing }, Step::Run { replica, turns: turns - 1 }]
        }
        Step::Storm { replica, set, first, count, sequences } if count > 1 => {
            let sequence = sequences.then_some(first);
            let one = Step::Announce { replica, set, release: first, sequence, attempt: 1 };
            vec![one, Step::Storm { replica, set, first, count: count - 1, sequences }]
        }
        Step::Announce { replica, set, release, sequence: Some(_), attempt } => {
            vec![Step::Announce { replica, set, release, sequence: None, attempt }]
        }
        Step::Report { replica, wave, target, claim, works, seen: Some(_) } => {
            vec![Step::Report { replica, wave, target, claim, works, seen: None }]
        }
        Step::Operate { replica, wave, what, key: Some(_) } => {
            vec![Step::Operate { replica, wave, what, key: None }]
        }
        _ => Vec::new(),
    }
}

/// Takes from the setup what isn't needed: replicas, waves, targets, gates, habits.
fn simplify_setup(best: &mut Violation, breaks: impl Breaks) -> bool {
    let mut simpler = false;
    for simplify in SIMPLER {
        let mut schedule = best.schedule.clone();
        simplify(&mut schedule.setup);
        simpler |= schedule.setup != best.schedule.setup && take(best, schedule, breaks);
    }
    simpler
}

/// One thing less each, towards [`Setup::plain`]; none undoes another, or shortening would never end.
const SIMPLER: [fn(&mut Setup); 22] = [
    |setup| {
        let Setup { seed, bad, waves, pulled, .. } = *setup;
        *setup = Setup { seed, bad, waves: waves.min(2), pulled, ..Setup::plain() };
    },
    |setup| setup.replicas = 1,
    |setup| setup.observer = false,
    |setup| setup.waves = setup.waves.min(2),
    |setup| setup.waves = 1,
    |setup| setup.sets = 1,
    |setup| setup.targets = 1,
    |setup| setup.roll_out = RollOut::Never,
    |setup| setup.freeze = None,
    |setup| setup.landing = Landing::Tip,
    |setup| setup.required = Required::One,
    |setup| setup.approval = false,
    |setup| setup.soak = false,
    |setup| setup.atomic = true,
    |setup| setup.requests_checks = false,
    |setup| setup.cancels = false,
    |setup| (setup.stuck, setup.mute) = (0, 0),
    |setup| setup.pulled = false,
    |setup| setup.slow_ci = false,
    |setup| setup.ci_on_stable = false,
    |setup| setup.hooks = false,
    |setup| setup.bad = 0,
];
