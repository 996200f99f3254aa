//! [`Token`]: what a token server hands out, and for how long it is good.

use std::fmt;
use std::time::{Duration, Instant};

use serde::Deserialize;

/// How long a token is good where its server doesn't say; the token specification's default.
const USUAL_LIFE: Duration = Duration::from_mins(1);

/// A token is replaced this long before its end, so that it doesn't end on its way.
const MARGIN: Duration = Duration::from_secs(10);

/// A bearer token. Its `Debug` keeps it to itself.
#[derive(Clone)]
pub(super) struct Token {
    secret: String,
    good_until: Instant,
}

#[derive(Deserialize)]
struct TokenAnswer {
    token: Option<String>,
    access_token: Option<String>,
    expires_in: Option<u64>,
}

impl Token {
    /// Reads a token server's answer.
    pub(super) fn parse(answer: &[u8], now: Instant) -> Option<Self> {
        let answer: TokenAnswer = serde_json::from_slice(answer).ok()?;
        let secret = answer.token.filter(|token| !token.is_empty()).or(answer.access_token)?;
        let life = answer.expires_in.filter(|seconds| *seconds > 0).map_or(USUAL_LIFE, Duration::from_secs);
        // A year is for ever; more might not be a time at all.
        let life = life.min(Duration::from_hours(24 * 365));
        let is_sendable = !secret.is_empty() && secret.bytes().all(|byte| byte.is_ascii_graphic());
        is_sendable.then(|| Self { secret, good_until: now + life.saturating_sub(MARGIN) })
    }

    /// Tells whether the token may be shown now.
    pub(super) fn is_good(&self, now: Instant) -> bool {
        now < self.good_until
    }

    /// Returns the secret, for the `Authorization` header alone.
    pub(super) fn expose(&self) -> &str {
        &self.secret
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_names_of_a_token_are_read() {
        let now = Instant::now();
        for text in [
            r#"{"token":"canary"}"#,
            r#"{"access_token":"canary"}"#,
            r#"{"token":"","access_token":"canary"}"#,
        ] {
            let token = Token::parse(text.as_bytes(), now).unwrap();
            assert_eq!(token.expose(), "canary");
            assert!(!format!("{token:?}").contains("canary"));
        }
    }

    #[test]
    fn a_token_is_not_used_to_its_very_end() {
        let now = Instant::now();
        let token = Token::parse(br#"{"token":"t","expires_in":300}"#, now).unwrap();
        assert!(
            token.is_good(now + Duration::from_secs(280)) && !token.is_good(now + Duration::from_secs(295))
        );
        let short = Token::parse(br#"{"token":"t","expires_in":5}"#, now).unwrap();
        assert!(!short.is_good(now));
        assert!(Token::parse(br#"{"token":"t","expires_in":18446744073709551615}"#, now).is_some());
    }

    #[test]
    fn what_can_not_be_sent_is_no_token() {
        for text in ["", "{}", r#"{"token":"a\nb"}"#, r#"{"token":""}"#] {
            assert!(Token::parse(text.as_bytes(), Instant::now()).is_none(), "{text}");
        }
    }
}
