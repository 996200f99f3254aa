//! When to ask deploy tools: only about what is waited for, and within a budget.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use crate::deployments::Place;
use crate::error::Retry;
use crate::timestamp::Timestamp;

/// The span that a budget is for.
const MINUTE: Duration = Duration::from_mins(1);

/// The longest pause after failures, also where a tool asks for a longer one.
const LONGEST_PAUSE: Duration = Duration::from_mins(10);

/// How often one deploy tool may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Pace {
    /// The pause between two questions about the same place.
    pub interval: Duration,
    /// How many requests there may be in any minute; one at least is made.
    pub per_minute: u32,
}

impl Pace {
    /// Builds a pace.
    pub fn new(interval: Duration, per_minute: u32) -> Self {
        Self { interval, per_minute }
    }
}

impl Default for Pace {
    fn default() -> Self {
        Self::new(Duration::from_secs(30), 60)
    }
}

/// When one deploy tool is asked about which place, as a value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Polls {
    pace: Pace,
    /// When each place is due, and how often asking about it has failed in a row.
    places: BTreeMap<Place, Due>,
    /// When the requests of the last minute were made.
    spent: VecDeque<(Timestamp, u32)>,
    /// Until when the tool wants no question at all.
    quiet_until: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Due {
    at: Timestamp,
    failures: u32,
}

impl Polls {
    /// Builds the polls of a tool that was not asked yet.
    pub fn new(pace: Pace) -> Self {
        Self { pace, places: BTreeMap::new(), spent: VecDeque::new(), quiet_until: None }
    }

    /// Says who is waited for, with the requests each takes. A place that is new is due at once, since its word may be
    /// lost already; one that nobody waits for is forgotten.
    pub fn wait_for(&mut self, awaited: &BTreeSet<Place>, now: Timestamp) {
        self.places.retain(|place, _| awaited.contains(place));
        for place in awaited {
            self.places.entry(place.clone()).or_insert(Due { at: now, failures: 0 });
        }
    }

    /// Takes the place that has waited longest of those that are due, if the budget allows the requests it takes.
    pub fn take(&mut self, now: Timestamp, requests: impl Fn(&Place) -> u32) -> Option<Place> {
        self.forget_old(now);
        if self.quiet_until.is_some() {
            return None;
        }
        let (place, _) = self
            .places
            .iter()
            .filter(|(_, due)| due.at <= now)
            .min_by_key(|(place, due)| (due.at, *place))?;
        let (place, wanted) = (place.clone(), requests(place));
        let spent: u32 = self.spent.iter().map(|(_, requests)| requests).sum();
        if spent > 0 && spent.saturating_add(wanted) > self.pace.per_minute {
            return None;
        }
        self.spent.push_back((now, wanted));
        self.put_off(&place, now.after(self.pace.interval));
        Some(place)
    }

    /// Notes that asking succeeded.
    pub fn answered(&mut self, place: &Place) {
        if let Some(due) = self.places.get_mut(place) {
            due.failures = 0;
        }
    }

    /// Notes that asking failed: the pause grows with each failure, and is what the tool asks for where it does.
    pub fn failed(&mut self, place: &Place, retry: Retry, now: Timestamp) {
        let Some(due) = self.places.get_mut(place) else { return };
        due.failures = due.failures.saturating_add(1);
        let grown = self.pace.interval.saturating_mul(1 << due.failures.min(10));
        let pause = grown.min(LONGEST_PAUSE.max(self.pace.interval));
        let at = now.after(pause);
        self.put_off(place, at);
        if let Retry::After(span) = retry {
            // Such a word is about the tool, not about the place: whoever comes to be waited for meanwhile waits, too.
            self.quiet_until = self.quiet_until.max(Some(now.after(span.min(LONGEST_PAUSE))));
        }
    }

    /// Returns when to take again; `None` while nobody is waited for.
    pub fn next(&self, now: Timestamp) -> Option<Timestamp> {
        let first = self.places.values().map(|due| due.at).min()?;
        let due = self.quiet_until.map_or(first, |until| first.max(until));
        if due > now {
            return Some(due);
        }
        // Something is due and was not taken: the budget is spent until its oldest part is a minute old.
        Some(self.spent.front().map_or(due, |(at, _)| at.after(MINUTE)))
    }

    fn put_off(&mut self, place: &Place, at: Timestamp) {
        if let Some(due) = self.places.get_mut(place) {
            due.at = at;
        }
    }

    fn forget_old(&mut self, now: Timestamp) {
        // A clock that was put back must not lock the budget up.
        self.spent.retain(|(at, _)| *at <= now && now.since(*at) < MINUTE);
        let over = |until: &Timestamp| *until <= now || until.since(now) > LONGEST_PAUSE;
        self.quiet_until = self.quiet_until.filter(|until| !over(until));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::at;

    fn place(name: &str) -> Place {
        ("staging".parse().unwrap(), name.parse().unwrap())
    }

    fn awaiting(names: &[&str]) -> BTreeSet<Place> {
        names.iter().map(|name| place(name)).collect()
    }

    fn polls(seconds: u64, per_minute: u32, names: &[&str]) -> Polls {
        let mut polls = Polls::new(Pace::new(Duration::from_secs(seconds), per_minute));
        polls.wait_for(&awaiting(names), at(0));
        polls
    }

    fn taken(polls: &mut Polls, seconds: i64) -> Vec<Place> {
        std::iter::from_fn(|| polls.take(at(seconds), |_| 1)).collect()
    }

    #[test]
    fn a_place_is_asked_at_once_and_then_at_its_interval() {
        let mut polls = polls(30, 60, &["a"]);
        assert_eq!(taken(&mut polls, 0), [place("a")]);
        assert_eq!(taken(&mut polls, 29), []);
        assert_eq!(polls.next(at(29)), Some(at(30)));
        assert_eq!(taken(&mut polls, 30), [place("a")]);
    }

    #[test]
    fn nobody_is_asked_while_nothing_waits() {
        let mut polls = polls(30, 60, &["a"]);
        polls.wait_for(&BTreeSet::new(), at(1));
        assert_eq!((taken(&mut polls, 100), polls.next(at(100))), (vec![], None));
        polls.wait_for(&awaiting(&["a"]), at(200));
        assert_eq!(taken(&mut polls, 200), [place("a")]);
    }

    #[test]
    fn the_budget_holds_in_any_minute_and_everybody_gets_a_turn() {
        let mut polls = polls(10, 2, &["a", "b", "c", "d"]);
        assert_eq!(taken(&mut polls, 0), [place("a"), place("b")]);
        assert_eq!((taken(&mut polls, 59), polls.next(at(59))), (vec![], Some(at(60))));
        assert_eq!(taken(&mut polls, 60), [place("c"), place("d")]);
        assert_eq!(taken(&mut polls, 120), [place("a"), place("b")]);
    }

    #[test]
    fn a_place_that_takes_more_than_the_budget_is_still_asked() {
        let mut polls = polls(10, 2, &["a"]);
        assert_eq!(polls.take(at(0), |_| 5), Some(place("a")));
        assert_eq!(polls.take(at(30), |_| 5), None);
        assert_eq!(polls.take(at(60), |_| 5), Some(place("a")));
    }

    #[test]
    fn failures_make_the_pause_grow_until_one_succeeds() {
        let mut polls = polls(10, 60, &["a"]);
        for (now, next) in [(0, 20), (20, 60), (60, 140), (140, 300), (300, 620), (620, 1220), (1220, 1820)] {
            assert_eq!(taken(&mut polls, now), [place("a")]);
            polls.failed(&place("a"), Retry::Backoff, at(now));
            assert_eq!(polls.next(at(now)), Some(at(next)), "{now}");
        }
        assert_eq!(taken(&mut polls, 1820), [place("a")]);
        polls.answered(&place("a"));
        assert_eq!(polls.next(at(1820)), Some(at(1830)));
        assert_eq!(taken(&mut polls, 1830), [place("a")]);
        polls.failed(&place("a"), Retry::Backoff, at(1830));
        assert_eq!(polls.next(at(1830)), Some(at(1850)), "it grows anew");
    }

    #[test]
    fn a_tool_that_asks_for_patience_gets_it_for_all_its_places() {
        let mut polls = polls(10, 60, &["a", "b"]);
        assert_eq!(polls.take(at(0), |_| 1), Some(place("a")));
        polls.failed(&place("a"), Retry::After(Duration::from_secs(45)), at(0));
        // Another target comes to be waited for, and somebody else's question fails after a shorter pause.
        polls.wait_for(&awaiting(&["a", "b", "c"]), at(1));
        polls.failed(&place("b"), Retry::After(Duration::from_secs(5)), at(2));
        assert_eq!((taken(&mut polls, 44), polls.next(at(44))), (vec![], Some(at(45))));
        assert_eq!(taken(&mut polls, 45), [place("c"), place("a"), place("b")]);
    }

    #[test]
    fn a_tool_that_asks_for_more_patience_than_is_reasonable_is_asked_after_ten_minutes() {
        let mut polls = polls(10, 60, &["a"]);
        assert_eq!(taken(&mut polls, 0), [place("a")]);
        polls.failed(&place("a"), Retry::After(Duration::from_hours(2)), at(0));
        assert_eq!((taken(&mut polls, 599), polls.next(at(599))), (vec![], Some(at(600))));
        assert_eq!(taken(&mut polls, 600), [place("a")]);
    }

    #[test]
    fn a_spent_budget_is_waited_for_by_whoever_became_due_meanwhile() {
        let mut polls = polls(10, 1, &["a", "b"]);
        assert_eq!(taken(&mut polls, 0), [place("a")]);
        assert_eq!(polls.next(at(0)), Some(at(60)));
    }

    #[test]
    fn a_tools_patience_holds_from_the_instant_it_asked() {
        let mut polls = polls(10, 60, &["a", "b"]);
        assert_eq!(polls.take(at(0), |_| 1), Some(place("a")));
        polls.failed(&place("a"), Retry::After(Duration::from_hours(2)), at(0));
        assert_eq!(taken(&mut polls, 0), []);
    }

    #[test]
    fn a_clock_that_is_put_back_locks_nothing_up() {
        let mut spent = polls(10, 1, &["a", "b"]);
        assert_eq!(taken(&mut spent, 1000), [place("a")]);
        assert_eq!(taken(&mut spent, 5), [place("b")]);
        let mut quiet = polls(10, 60, &["a", "b"]);
        assert_eq!(quiet.take(at(1000), |_| 1), Some(place("a")));
        quiet.failed(&place("a"), Retry::After(Duration::from_mins(5)), at(1000));
        assert_eq!(taken(&mut quiet, 5), [place("b")]);
    }
}
