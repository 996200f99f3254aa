//! Rate limits as forges tell them in headers.

use std::time::Duration;

use cfgupdater_core::Timestamp;

use crate::headers::Headers;

/// How long to wait where a forge says no more than "too many": GitHub asks for a minute at least.
const UNTOLD: Duration = Duration::from_mins(1);

/// Longest wait believed. Limits are counted by the hour; a clock may be wrong by more.
const LONGEST: Duration = Duration::from_hours(1);

/// How many requests a forge still takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct RateLimit {
    /// Requests allowed in a window.
    pub limit: u64,
    /// Requests left in this one.
    pub remaining: u64,
    /// When the next window begins.
    pub reset: Option<Timestamp>,
}

impl RateLimit {
    /// Reads `x-ratelimit-*` (GitHub, Gitea) or `ratelimit-*` (GitLab); `None` where neither is there.
    pub fn read(headers: &(impl Headers + ?Sized)) -> Option<Self> {
        ["x-ratelimit-", "ratelimit-"].into_iter().find_map(|prefix| {
            let number = |name: &str| headers.field(&format!("{prefix}{name}"))?.trim().parse::<u64>().ok();
            let reset = number("reset").and_then(|seconds| i64::try_from(seconds).ok());
            let reset = reset.and_then(|seconds| seconds.checked_mul(1000)).map(Timestamp::from_millis);
            Some(Self { limit: number("limit")?, remaining: number("remaining")?, reset })
        })
    }

    /// Tells whether nothing is left.
    pub fn is_spent(&self) -> bool {
        self.remaining == 0
    }
}

/// Returns how long to wait after an answer that asks for fewer requests, `None` where it asks for nothing of the kind.
///
/// GitHub answers 403 or 429, and for its secondary limits leaves figures in the headers that look healthy: then
/// only `retry-after` or the words of the body tell.
///
/// Source: <https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api>,
/// <https://docs.gitlab.com/administration/settings/user_and_ip_rate_limits/>.
pub fn wait(status: u16, headers: &(impl Headers + ?Sized), body: &str, now: Timestamp) -> Option<Duration> {
    let told = headers.field("retry-after").and_then(|value| retry_after(value, now));
    let limit = RateLimit::read(headers);
    let spent = limit.is_some_and(|limit| limit.is_spent());
    let limited = match status {
        429 => true,
        403 => told.is_some() || spent || body.to_ascii_lowercase().contains("rate limit"),
        _ => return None,
    };
    let reset = limit.filter(RateLimit::is_spent).and_then(|limit| limit.reset);
    let wait = told.or_else(|| reset.map(|reset| reset.since(now))).unwrap_or(UNTOLD);
    // Zero would be "at once", again and again.
    limited.then(|| wait.clamp(Duration::from_secs(1), LONGEST))
}

/// Reads seconds or a date.
fn retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    let since = date.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(Timestamp::from_millis(i64::try_from(since.as_millis()).ok()?).since(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(status: u16, headers: &[(&str, &str)], body: &str) -> Option<u64> {
        wait(status, headers, body, Timestamp::from_millis(1_700_000_000_000)).map(|wait| wait.as_secs())
    }

    #[test]
    fn what_is_told_is_waited_for() {
        assert_eq!(seconds(403, &[("retry-after", "17")], ""), Some(17));
        assert_eq!(seconds(429, &[("Retry-After", "17")], ""), Some(17));
        assert_eq!(seconds(429, &[("retry-after", "Tue, 14 Nov 2023 22:13:50 GMT")], ""), Some(30));
        let spent = [
            ("x-ratelimit-limit", "5000"),
            ("x-ratelimit-remaining", "0"),
            ("x-ratelimit-reset", "1700000090"),
        ];
        assert_eq!(seconds(403, &spent, ""), Some(90));
        let gitlab =
            [("RateLimit-Limit", "600"), ("RateLimit-Remaining", "0"), ("RateLimit-Reset", "1700000040")];
        assert_eq!(seconds(429, &gitlab, ""), Some(40));
    }

    #[test]
    fn secondary_limits_are_known_by_their_words() {
        let healthy = [
            ("x-ratelimit-limit", "5000"),
            ("x-ratelimit-remaining", "4999"),
            ("x-ratelimit-reset", "1700003600"),
        ];
        let body = r#"{"message":"You have exceeded a secondary rate limit."}"#;
        assert_eq!(seconds(403, &healthy, body), Some(60));
        assert_eq!(seconds(403, &healthy, r#"{"message":"Resource not accessible by integration"}"#), None);
    }

    #[test]
    fn nonsense_neither_hurries_nor_freezes() {
        assert_eq!(seconds(429, &[("retry-after", "0")], ""), Some(1));
        assert_eq!(seconds(429, &[("retry-after", "99999999999")], ""), Some(3600));
        assert_eq!(seconds(429, &[("retry-after", "soon")], ""), Some(60));
        assert_eq!(seconds(429, &[], ""), Some(60));
        let past = [("x-ratelimit-limit", "1"), ("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1")];
        assert_eq!(seconds(403, &past, ""), Some(1));
    }

    #[test]
    fn other_answers_ask_for_nothing() {
        assert_eq!(seconds(503, &[("retry-after", "5")], ""), None);
        assert_eq!(seconds(200, &[], ""), None);
        assert_eq!(seconds(404, &[], "rate limit"), None);
    }
}
