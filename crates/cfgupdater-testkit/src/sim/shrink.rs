//! Shortening a schedule that breaks a promise.

use super::{Violation, run_with};
use crate::mutations::Tamper;
use crate::schedule::Schedule;

/// Drops steps, large blocks first, as long as the same promise is broken; returns the shortest violation found.
pub fn shrink(violation: Violation, tamper: impl Fn() -> Box<dyn Tamper>) -> Violation {
    let mut best = violation;
    let breaks = |schedule: Schedule, invariant: &str| {
        run_with(&schedule, tamper()).err().filter(|found| found.invariant == invariant)
    };
    let mut block = best.schedule.steps.len().max(1);
    loop {
        let mut shorter = false;
        let mut start = 0;
        while start < best.schedule.steps.len() {
            let end = (start + block).min(best.schedule.steps.len());
            let mut steps = best.schedule.steps.clone();
            steps.drain(start..end);
            let candidate = Schedule { steps, ..best.schedule.clone() };
            match breaks(candidate, best.invariant) {
                Some(found) => {
                    best = *found;
                    shorter = true;
                }
                None => start = end,
            }
        }
        if block == 1 && !shorter {
            return best;
        }
        block = (block / 2).max(1);
    }
}
