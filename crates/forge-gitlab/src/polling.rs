//! When to look again by ourselves: GitLab tells nobody of statuses that others post.

use std::collections::hash_map::DefaultHasher;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cfgupdater_core::{Checks, RequiredChecks, Verdict, verdict};
use tokio::task::JoinHandle;

/// The pause after something changed.
const SHORTEST: Duration = Duration::from_secs(10);

/// The longest pause while nothing does.
const LONGEST: Duration = Duration::from_mins(5);

/// The span that GitLab counts requests in.
const WINDOW: Duration = Duration::from_mins(1);

/// Makes somebody look at the repository.
pub(crate) type Look = Arc<dyn Fn() + Send + Sync>;

/// Makes us look again while a commit waits for its checks.
#[derive(Default)]
pub(crate) struct Polling {
    pub(crate) look: Option<Look>,
    beat: Mutex<Beat>,
    next: Mutex<Option<JoinHandle<()>>>,
}

/// What was seen last, and how long the pause after it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Beat {
    seen: u64,
    pause: Option<Duration>,
}

/// What one look costs, and what GitLab takes, where it tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Cost {
    pub(crate) requests: u64,
    /// Requests in a minute.
    pub(crate) limit: Option<u64>,
    /// Requests that are left in this one, whoever asks with the same account.
    pub(crate) remaining: Option<u64>,
}

impl Cost {
    /// Returns how long to leave the account alone: half of what GitLab takes is left to others who ask with it, be they
    /// repositories of this service or not.
    fn pause(self) -> Duration {
        let Some(limit) = self.limit.filter(|limit| *limit > 0) else { return Duration::ZERO };
        let millis = u64::try_from(WINDOW.as_millis()).unwrap_or(u64::MAX);
        let ours = Duration::from_millis(millis.saturating_mul(2 * self.requests) / limit);
        let scarce = self.remaining.is_some_and(|remaining| remaining < limit / 2);
        if scarce { ours.max(WINDOW) } else { ours }
    }
}

impl Polling {
    /// Plans the next look after a reading.
    pub(crate) fn plan(&self, required: &RequiredChecks, read: &Checks, cost: Cost) {
        let Some(look) = self.look.clone() else { return };
        let pause = {
            let mut beat = self.beat.lock().unwrap_or_else(PoisonError::into_inner);
            *beat = beat.next(waits(required, read), fingerprint(read), cost);
            beat.pause
        };
        let task = pause.map(|pause| {
            tokio::spawn(async move {
                tokio::time::sleep(pause).await;
                look();
            })
        });
        self.replace(task);
    }

    fn replace(&self, task: Option<JoinHandle<()>>) {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(old) = std::mem::replace(&mut *next, task) {
            old.abort();
        }
    }
}

impl Drop for Polling {
    fn drop(&mut self) {
        self.replace(None);
    }
}

impl fmt::Debug for Polling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Polling").field("beat", &self.beat).finish_non_exhaustive()
    }
}

impl Beat {
    /// Decides on the pause: short after a change, longer and longer while nothing does, none where nothing waits, and
    /// never shorter than the account can bear.
    fn next(self, waits: bool, seen: u64, cost: Cost) -> Self {
        if !waits {
            return Self { seen, pause: None };
        }
        let unchanged = self.pause.filter(|_| self.seen == seen);
        let pause = unchanged.map_or(SHORTEST, |pause| (pause * 3 / 2).min(LONGEST));
        Self { seen, pause: Some(pause.max(cost.pause()).min(LONGEST)) }
    }
}

fn waits(required: &RequiredChecks, read: &Checks) -> bool {
    read.values().any(|runs| matches!(verdict(required, runs), Verdict::Pending | Verdict::Missing))
}

fn fingerprint(read: &Checks) -> u64 {
    let mut hash = DefaultHasher::new();
    for (commit, runs) in read {
        (commit, runs).hash(&mut hash);
    }
    hash.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use cfgupdater_core::{CheckRun, CheckState};
    use std::sync::atomic::{AtomicUsize, Ordering};

    const CHEAP: Cost = Cost { requests: 4, limit: Some(2000), remaining: Some(1000) };

    fn seconds(beat: Beat) -> Option<u64> {
        beat.pause.map(|pause| pause.as_secs())
    }

    #[test]
    fn pauses_grow_while_nothing_changes_and_are_short_after_a_change() {
        let mut beat = Beat::default();
        let mut pauses = Vec::new();
        for _ in 0..12 {
            beat = beat.next(true, 7, CHEAP);
            pauses.extend(seconds(beat));
        }
        assert_eq!(pauses, [10, 15, 22, 33, 50, 75, 113, 170, 256, 300, 300, 300]);
        assert_eq!(seconds(beat.next(true, 8, CHEAP)), Some(10));
        assert_eq!(seconds(beat.next(false, 8, CHEAP)), None);
        assert_eq!(seconds(beat.next(false, 8, CHEAP).next(true, 8, CHEAP)), Some(10));
    }

    #[test]
    fn half_of_what_gitlab_takes_is_left_to_others() {
        let pause = |requests, limit, remaining| {
            seconds(Beat::default().next(true, 1, Cost { requests, limit, remaining }))
        };
        assert_eq!(pause(200, Some(600), None), Some(40));
        assert_eq!(pause(4, Some(600), Some(300)), Some(10));
        assert_eq!(pause(4, None, Some(0)), Some(10));
        assert_eq!(pause(4, Some(0), Some(0)), Some(10));
        assert_eq!(pause(99_999, Some(1), None), Some(300));
    }

    #[test]
    fn what_others_spent_of_the_account_is_left_to_come_back() {
        let scarce = Cost { remaining: Some(999), ..CHEAP };
        let beat = Beat::default().next(true, 1, scarce);
        assert_eq!(seconds(beat), Some(60));
        assert_eq!(seconds(beat.next(true, 2, CHEAP)), Some(10), "once there is enough");
    }

    #[test]
    fn only_what_is_neither_green_nor_red_is_waited_for() {
        let required = RequiredChecks::named(["ci"]);
        let commit = "ab".repeat(20).parse().unwrap();
        let read = |state| Checks::from([(commit, vec![CheckRun::new("ci", 1, state)])]);
        assert!(!waits(&required, &read(CheckState::Success)));
        assert!(!waits(&required, &read(CheckState::Failure)));
        assert!(waits(&required, &read(CheckState::Running)));
        assert!(waits(&required, &Checks::from([(commit, Vec::new())])));
        assert!(!waits(&required, &Checks::new()));
    }

    #[tokio::test(start_paused = true)]
    async fn somebody_looks_while_a_commit_waits_and_nobody_once_it_passed_or_the_forge_is_gone() {
        let looks = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&looks);
        let look: Look = Arc::new(move || {
            counted.fetch_add(1, Ordering::SeqCst);
        });
        let polling = Polling { look: Some(look), beat: Mutex::default(), next: Mutex::default() };
        let required = RequiredChecks::named(["ci"]);
        let commit = "ab".repeat(20).parse().unwrap();
        let read = |state| Checks::from([(commit, vec![CheckRun::new("ci", 1, state)])]);
        let after = async |seconds| {
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            looks.load(Ordering::SeqCst)
        };
        polling.plan(&required, &read(CheckState::Running), CHEAP);
        assert_eq!(after(9).await, 0);
        assert_eq!(after(2).await, 1);
        polling.plan(&required, &read(CheckState::Running), CHEAP);
        polling.plan(&required, &read(CheckState::Success), CHEAP);
        assert_eq!(after(3600).await, 1, "nothing waits");
        polling.plan(&required, &read(CheckState::Queued), CHEAP);
        drop(polling);
        assert_eq!(after(3600).await, 1, "nobody looks for a forge that is gone");
    }

    #[test]
    fn what_changed_is_seen() {
        let commit = "ab".repeat(20).parse().unwrap();
        let read =
            |attempt| Checks::from([(commit, vec![CheckRun::new("ci", attempt, CheckState::Running)])]);
        assert_eq!(fingerprint(&read(1)), fingerprint(&read(1)));
        assert_ne!(fingerprint(&read(1)), fingerprint(&read(2)));
    }
}
