//! From an HTTP answer to an error that says what to do.

use cfgupdater_core::{Error, ErrorKind, Retry, Timestamp};

use crate::headers::Headers;
use crate::rate_limit::wait;

/// Longest piece of a forge's own words that is kept, in characters.
const QUOTED: usize = 300;

/// An answer that isn't what was asked for.
#[derive(Debug, Clone, Copy)]
pub struct Refused<'a, H: ?Sized> {
    /// The status code.
    pub status: u16,
    /// The header fields.
    pub headers: &'a H,
    /// The body as text, without secrets.
    pub body: &'a str,
}

/// Builds the error for an answer; `what` is what was asked, such as "reading the checks of 1a2b".
pub fn failure<H: Headers + ?Sized>(what: &str, refused: &Refused<'_, H>, now: Timestamp) -> Error {
    let Refused { status, headers, body } = *refused;
    if let Some(wait) = wait(status, headers, body, now) {
        let message =
            format!("{what}: the forge asks for fewer requests; trying again in {} s", wait.as_secs());
        return Error::new(ErrorKind::RateLimited, message).with_retry(Retry::After(wait));
    }
    let kind = kind_of(status);
    let words = words(body);
    let said = if words.is_empty() { String::new() } else { format!(" ({words})") };
    Error::new(kind, format!("{what}: the forge answered {status}{said}; {}", advice(kind)))
}

/// Classifies a status code.
pub fn kind_of(status: u16) -> ErrorKind {
    match status {
        401 => ErrorKind::Unauthenticated,
        403 => ErrorKind::Forbidden,
        404 | 410 => ErrorKind::NotFound,
        408 | 504 => ErrorKind::TimedOut,
        429 => ErrorKind::RateLimited,
        400..=499 => ErrorKind::Invalid,
        500..=599 => ErrorKind::Unavailable,
        _ => ErrorKind::Other,
    }
}

fn advice(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Unauthenticated => "check the token, or the App's id and key",
        ErrorKind::Forbidden => "give the account the permission, `check-config` names it",
        ErrorKind::NotFound => "check the repository's name and that the account may see it",
        ErrorKind::Invalid => "this is a mistake of the request or of the configuration",
        ErrorKind::Unavailable | ErrorKind::TimedOut => "it is tried again",
        _ => "check the forge's address",
    }
}

/// Picks the forge's own words out of a body: its `message`, else the beginning of a text that isn't a page.
fn words(body: &str) -> String {
    let body = body.trim();
    let message = serde_json::from_str::<serde_json::Value>(body).ok().and_then(|value| {
        let text = |key: &str| value.get(key).and_then(serde_json::Value::as_str).map(str::to_owned);
        ["message", "error_description", "error"].into_iter().find_map(text)
    });
    let text =
        message.unwrap_or_else(|| if body.starts_with(['{', '<', '[']) { "" } else { body }.to_owned());
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(QUOTED).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn error(status: u16, headers: &[(&str, &str)], body: &str) -> Error {
        failure("reading x", &Refused { status, headers, body }, Timestamp::default())
    }

    #[test]
    fn every_status_has_its_kind() {
        let cases = [
            (401, ErrorKind::Unauthenticated),
            (403, ErrorKind::Forbidden),
            (404, ErrorKind::NotFound),
            (410, ErrorKind::NotFound),
            (422, ErrorKind::Invalid),
            (429, ErrorKind::RateLimited),
            (500, ErrorKind::Unavailable),
            (502, ErrorKind::Unavailable),
            (504, ErrorKind::TimedOut),
            (302, ErrorKind::Other),
        ];
        for (status, kind) in cases {
            assert_eq!(error(status, &[], "").kind(), kind, "{status}");
        }
    }

    #[test]
    fn a_403_may_be_a_limit_and_then_says_when() {
        let limited = error(403, &[("retry-after", "9")], "");
        assert_eq!(
            (limited.kind(), limited.retry()),
            (ErrorKind::RateLimited, Retry::After(Duration::from_secs(9)))
        );
        assert_eq!(error(403, &[], "").retry(), Retry::Never);
        assert_eq!(error(502, &[], "").retry(), Retry::Backoff);
    }

    #[test]
    fn the_forges_words_are_quoted_and_pages_are_not() {
        assert_eq!(
            error(404, &[], r#"{"message":"Not\nFound"}"#).to_string(),
            "reading x: the forge answered 404 (Not Found); check the repository's name and that the account may see it"
        );
        assert!(!error(502, &[], "<html>teapot</html>").to_string().contains("teapot"));
        assert!(error(502, &[], "upstream gone").to_string().contains("(upstream gone)"));
        assert!(error(500, &[], &"x".repeat(9000)).to_string().len() < 500);
    }
}
