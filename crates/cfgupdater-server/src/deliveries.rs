//! [`Deliveries`]: webhooks that were taken lately, so that one that is repeated costs nothing.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How many are known at once.
const CAP: usize = 1024;

/// How long one is known. A forge repeats what it thinks got lost within seconds; what somebody sends again by hand
/// later shall be heard.
const KNOWN: Duration = Duration::from_mins(2);

/// Longest key that is kept; longer ones are looked at every time.
const LONGEST: usize = 128;

/// Deliveries that were taken lately, by repository and key.
#[derive(Debug, Default)]
pub(crate) struct Deliveries(Mutex<VecDeque<(Instant, String)>>);

impl Deliveries {
    /// Takes note of an authentic delivery, and tells whether it was not known yet.
    pub(crate) fn is_new(&self, repo: &str, key: Option<&str>, now: Instant) -> bool {
        let Some(key) = key.filter(|key| !key.is_empty() && key.len() <= LONGEST) else { return true };
        let name = format!("{repo} {key}");
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while known.front().is_some_and(|(at, _)| now.duration_since(*at) > KNOWN) {
            known.pop_front();
        }
        if known.iter().any(|(_, taken)| *taken == name) {
            return false;
        }
        if known.len() >= CAP {
            known.pop_front();
        }
        known.push_back((now, name));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delivery_is_new_once_in_a_while_and_for_each_repository() {
        let (deliveries, now) = (Deliveries::default(), Instant::now());
        assert!(deliveries.is_new("a", Some("1"), now));
        assert!(!deliveries.is_new("a", Some("1"), now));
        assert!(deliveries.is_new("b", Some("1"), now));
        assert!(deliveries.is_new("a", Some("2"), now));
        assert!(deliveries.is_new("a", Some("1"), now + KNOWN + Duration::from_secs(1)));
    }

    #[test]
    fn what_has_no_key_or_an_odd_one_is_always_new() {
        let (deliveries, now) = (Deliveries::default(), Instant::now());
        let long = "x".repeat(LONGEST + 1);
        for key in [None, Some(""), Some(long.as_str())] {
            assert!(deliveries.is_new("a", key, now));
            assert!(deliveries.is_new("a", key, now));
        }
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let (deliveries, now) = (Deliveries::default(), Instant::now());
        for n in 0..3 * CAP {
            assert!(deliveries.is_new("a", Some(&n.to_string()), now));
        }
        assert_eq!(deliveries.0.lock().unwrap().len(), CAP);
    }
}
