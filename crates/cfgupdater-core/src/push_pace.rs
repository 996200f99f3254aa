//! How often a repository is pushed to, where its forge gives advice.

use std::time::Duration;

use crate::timestamp::Timestamp;

const MINUTE: Duration = Duration::from_mins(1);

/// The pushes of the last minute, kept only where somebody counts them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(crate) struct PushPace(Vec<Timestamp>);

impl PushPace {
    /// Returns when the next push may be made, `None` where it may be made now.
    ///
    /// Two pushes may follow each other at once, as an announcement and a landing do; the rest are spread over the
    /// minute, so that no call waits for the whole of it.
    pub(crate) fn wait(&self, now: Timestamp, per_minute: Option<u32>) -> Option<Timestamp> {
        let limit = usize::try_from(per_minute?.max(1)).unwrap_or(usize::MAX);
        let recent: Vec<Timestamp> = self.0.iter().copied().filter(|at| now < at.after(MINUTE)).collect();
        let gap = MINUTE / u32::try_from(limit - 1).unwrap_or(u32::MAX).max(1);
        let spread = recent.last().filter(|_| recent.len() >= 2.min(limit)).map(|last| last.after(gap));
        let full = recent.len().checked_sub(limit).map(|over| recent[over].after(MINUTE));
        spread.max(full).filter(|at| *at > now)
    }

    /// Takes note of a push.
    pub(crate) fn pushed(&mut self, now: Timestamp, per_minute: Option<u32>) {
        self.0.retain(|at| now < at.after(MINUTE));
        if per_minute.is_some() {
            self.0.push(now);
        }
    }

    /// Forgets all, when the clock was put back.
    pub(crate) fn forget(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pushes as often as is allowed, and returns the seconds at which that was.
    fn pushes(per_minute: Option<u32>, seconds: i64) -> Vec<i64> {
        let mut pace = PushPace::default();
        let mut at = Vec::new();
        for second in 0..seconds {
            let now = Timestamp::from_millis(second * 1000);
            while pace.wait(now, per_minute).is_none() && at.len() < 1000 {
                pace.pushed(now, per_minute);
                at.push(second);
            }
        }
        at
    }

    #[test]
    fn six_a_minute_are_two_at_once_and_the_rest_spread() {
        assert_eq!(pushes(Some(6), 70), [0, 0, 12, 24, 36, 48, 60]);
    }

    #[test]
    fn no_minute_has_more_than_advised_and_no_call_waits_too_long() {
        for limit in [1, 2, 3, 6] {
            let at = pushes(Some(limit), 600);
            let most =
                at.iter().map(|from| at.iter().filter(|t| (*from..from + 60).contains(*t)).count()).max();
            assert!(most <= Some(limit as usize), "{limit}: {most:?}");
            // One of them is kept in hand, so that the next may follow at once.
            let steady = (limit - 1).max(1) as usize;
            assert!(at.len() >= 10 * steady, "{limit}: {} in ten minutes", at.len());
        }
        let at = pushes(Some(6), 600);
        assert!(at.windows(2).all(|pair| pair[1] - pair[0] < 20), "{at:?}");
    }

    #[test]
    fn nothing_is_counted_where_nobody_gives_advice() {
        let mut pace = PushPace::default();
        for second in 0..100 {
            let now = Timestamp::from_millis(second * 10);
            assert_eq!(pace.wait(now, None), None);
            pace.pushed(now, None);
        }
        assert_eq!(pace, PushPace::default());
    }

    #[test]
    fn an_idle_repository_is_written_at_once() {
        let mut pace = PushPace::default();
        for second in [0, 0, 12, 24, 36, 48] {
            pace.pushed(Timestamp::from_millis(second * 1000), Some(6));
        }
        assert_eq!(pace.wait(Timestamp::from_millis(200_000), Some(6)), None);
    }

    #[test]
    fn a_push_counts_for_less_than_a_minute() {
        let mut pace = PushPace::default();
        for second in [0, 1] {
            pace.pushed(Timestamp::from_millis(second * 1000), Some(2));
        }
        assert_eq!(pace.wait(Timestamp::from_millis(60_000), Some(2)), None);
    }

    #[test]
    fn pushes_of_a_clock_that_was_put_back_are_forgotten() {
        let mut pace = PushPace::default();
        for _ in 0..6 {
            pace.pushed(Timestamp::from_millis(3_600_000), Some(6));
        }
        assert!(pace.wait(Timestamp::from_millis(0), Some(6)).is_some());
        pace.forget();
        assert_eq!(pace.wait(Timestamp::from_millis(0), Some(6)), None);
    }
}
