//! When a call is repeated.

use std::time::Duration;

use super::error::CallError;

/// The pause before the first repetition where the service gave no advice; it doubles with each further one.
const FIRST: Duration = Duration::from_millis(250);

/// The longest pause we choose ourselves.
const LONGEST: Duration = Duration::from_secs(10);

/// Returns how long to pause before the next attempt, `None` where there must be none.
///
/// The service's own advice counts in full; ours is spread by `random`, from 0 to 1, so that callers who were turned
/// away together don't come back together.
pub(super) fn pause(attempt: u32, error: &CallError, left: Duration, random: f64) -> Option<Duration> {
    if !error.is_passing() {
        return None;
    }
    let ours = FIRST.saturating_mul(1 << attempt.min(10)).min(LONGEST).mul_f64(0.5 + random / 2.0);
    let pause = match error {
        CallError::Refused { retry_after: Some(advice), .. } => *advice,
        _ => ours,
    };
    (pause < left).then_some(pause)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEFT: Duration = Duration::from_mins(2);

    fn refused(status: u16, retry_after: Option<u64>) -> CallError {
        let retry_after = retry_after.map(Duration::from_secs);
        CallError::Refused { status, detail: String::new(), retry_after }
    }

    #[test]
    fn pauses_grow_up_to_a_limit() {
        let pauses = [0, 1, 2, 3, 20, u32::MAX].map(|n| pause(n, &refused(503, None), LEFT, 1.0).unwrap());
        assert_eq!(pauses.map(|pause| pause.as_millis()), [250, 500, 1000, 2000, 10_000, 10_000]);
        assert_eq!(pause(1, &refused(503, None), LEFT, 0.0), Some(Duration::from_millis(250)));
    }

    #[test]
    fn the_services_advice_counts() {
        assert_eq!(pause(0, &refused(503, Some(7)), LEFT, 0.0), Some(Duration::from_secs(7)));
        assert_eq!(pause(9, &refused(429, Some(1)), LEFT, 1.0), Some(Duration::from_secs(1)));
    }

    #[test]
    fn a_pause_that_leaves_no_time_is_not_begun() {
        assert_eq!(pause(0, &refused(503, Some(120)), LEFT, 0.0), None);
        assert_eq!(pause(0, &refused(503, None), Duration::ZERO, 0.0), None);
    }

    #[test]
    fn what_will_not_pass_is_not_repeated() {
        for status in [400, 401, 403, 404, 409, 413, 422, 500, 501] {
            assert_eq!(pause(0, &refused(status, Some(1)), LEFT, 0.0), None, "{status}");
        }
        let untrusted = CallError::Unreachable { detail: String::new(), passing: false };
        assert_eq!(pause(0, &untrusted, LEFT, 0.0), None);
    }
}
