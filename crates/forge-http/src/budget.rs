//! [`Budget`]: what a forge still takes, and what was spent.

use std::sync::{Mutex, PoisonError};

use cfgupdater_core::{ApiUsage, Error, ErrorKind, Retry, Timestamp};

use crate::headers::Headers;
use crate::rate_limit::{RateLimit, wait};

/// Keeps count of the requests of one account, and holds them back while the forge wants none.
///
/// A forge that is asked again too early counts that against us, so what it said is obeyed by every reader at once.
#[derive(Debug, Default)]
pub struct Budget(Mutex<Spending>);

/// What was spent and what is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Spending {
    /// Answers had.
    pub answers: u64,
    /// Answers that said "unchanged", which GitHub counts against nothing.
    pub unchanged: u64,
    /// Answers that asked for fewer requests.
    pub limited: u64,
    /// What the forge told last.
    pub limit: Option<RateLimit>,
    /// Nothing is asked before this time.
    pub wait_until: Option<Timestamp>,
}

impl Budget {
    /// Makes sure that a request may be made now.
    ///
    /// # Errors
    /// Fails with [`ErrorKind::RateLimited`] and the time that is left to wait.
    pub fn admit(&self, now: Timestamp) -> Result<(), Error> {
        let mut spending = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        spending.wait_until = spending.wait_until.filter(|until| *until > now);
        let Some(until) = spending.wait_until else { return Ok(()) };
        let left = until.since(now);
        let message = format!("the forge wants no request for another {} s", left.as_secs() + 1);
        Err(Error::new(ErrorKind::RateLimited, message).with_retry(Retry::After(left)))
    }

    /// Takes note of an answer.
    pub fn record(&self, status: u16, headers: &(impl Headers + ?Sized), body: &str, now: Timestamp) {
        let mut spending = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        spending.answers += 1;
        spending.unchanged += u64::from(status == 304);
        spending.limit = RateLimit::read(headers).or(spending.limit);
        if let Some(wait) = wait(status, headers, body, now) {
            spending.limited += 1;
            let until = now.after(wait);
            spending.wait_until = Some(spending.wait_until.map_or(until, |known| known.max(until)));
        }
    }

    /// Returns what was spent so far, as adapters answer it.
    pub fn usage(&self) -> ApiUsage {
        let spending = self.spending();
        let mut usage = ApiUsage::default();
        usage.requests = spending.answers;
        usage.unchanged = spending.unchanged;
        usage.limited = spending.limited;
        usage.limit = spending.limit.map(|limit| limit.limit);
        usage.remaining = spending.limit.map(|limit| limit.remaining);
        usage.reset = spending.limit.and_then(|limit| limit.reset);
        usage
    }

    /// Returns what was spent so far.
    pub fn spending(&self) -> Spending {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn nothing_is_asked_while_the_forge_wants_nothing() {
        let budget = Budget::default();
        let at = Timestamp::from_millis;
        budget.admit(at(0)).unwrap();
        budget.record(429, &[("retry-after", "30")], "", at(0));
        budget.record(403, &[("retry-after", "10")], "", at(1000));
        let error = budget.admit(at(10_000)).unwrap_err();
        assert_eq!(
            (error.kind(), error.retry()),
            (ErrorKind::RateLimited, Retry::After(Duration::from_secs(20)))
        );
        budget.admit(at(30_000)).unwrap();
        assert_eq!(budget.spending().limited, 2);
    }

    #[test]
    fn what_is_left_is_what_was_told_last() {
        let budget = Budget::default();
        let headers = [("x-ratelimit-limit", "5000"), ("x-ratelimit-remaining", "4998")];
        budget.record(200, &headers, "", Timestamp::default());
        budget.record(304, &[("etag", "x")], "", Timestamp::default());
        let spending = budget.spending();
        assert_eq!((spending.answers, spending.unchanged), (2, 1));
        assert_eq!(spending.limit.map(|limit| (limit.limit, limit.remaining)), Some((5000, 4998)));
        let usage = budget.usage();
        assert_eq!((usage.requests, usage.unchanged, usage.limited), (2, 1, 0));
        assert_eq!((usage.limit, usage.remaining, usage.reset), (Some(5000), Some(4998), None));
    }
}
