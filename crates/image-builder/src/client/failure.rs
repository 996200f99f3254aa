//! What went wrong with a request, as an error that says what to do next.

use std::time::{Duration, SystemTime};

use cfgupdater_core::{Error, ErrorKind, Retry};
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{StatusCode, Url};
use serde::Deserialize;

/// Longest text of a registry that an error repeats.
const SHOWN: usize = 200;

/// The longest pause that a registry may ask for.
const LONGEST_ADVICE: Duration = Duration::from_hours(1);

#[derive(Deserialize)]
struct ErrorAnswer {
    errors: Vec<ErrorItem>,
}

#[derive(Deserialize)]
struct ErrorItem {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

/// Shows where something was asked, without the query: upload sessions and signed addresses carry secrets there.
pub(super) fn place(url: &Url) -> String {
    let mut plain = url.clone();
    plain.set_query(None);
    plain.set_fragment(None);
    // Fails only for addresses that have no place for a user.
    let _ = plain.set_username("").and_then(|()| plain.set_password(None));
    plain.to_string()
}

/// Describes an answer that was not hoped for.
pub(super) fn refused(
    action: &str,
    url: &Url,
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
) -> Error {
    let (kind, advice) = classify(status);
    let said = said(body);
    let said = if said.is_empty() { String::new() } else { format!(": {said}") };
    let message = format!("can't {action} ({} answered {status}{said}); {advice}", place(url));
    let error = Error::new(kind, message);
    #[expect(clippy::disallowed_methods, reason = "a pause up to a date is no part of an image")]
    let now = SystemTime::now();
    match retry_after(headers, now) {
        Some(pause) if error.retry() != Retry::Never => error.with_retry(Retry::After(pause)),
        _ => error,
    }
}

fn classify(status: StatusCode) -> (ErrorKind, &'static str) {
    match status.as_u16() {
        401 => (ErrorKind::Unauthenticated, "log in there, or name the file of logins"),
        403 => (ErrorKind::Forbidden, "grant the login in use access to this repository"),
        404 => (ErrorKind::NotFound, "check the repository's name, and that the login in use may see it"),
        405 => (ErrorKind::Unsupported, "this registry doesn't take it"),
        408 | 500 | 502 | 503 | 504 => {
            (ErrorKind::Unavailable, "try again later; look at the registry if this goes on")
        }
        413 => (ErrorKind::Invalid, "make the image smaller or raise the registry's limit"),
        429 => (ErrorKind::RateLimited, "try again later, or raise the registry's limit"),
        300..=399 => (ErrorKind::Other, "name the registry by the address that it leads to"),
        _ => (ErrorKind::Other, "see the registry's message"),
    }
}

/// Reads the pause that an answer asks for, in seconds or up to a date (RFC 9110, section 10.2.3).
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let pause = match text.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        // A date that is over is no pause.
        Err(_) => httpdate::parse_http_date(text).ok()?.duration_since(now).unwrap_or_default(),
    };
    Some(pause.min(LONGEST_ADVICE))
}

/// Reads the codes that a registry gives as reasons (OCI distribution specification 1.1).
pub(super) fn codes(body: &[u8]) -> Vec<String> {
    let answer = serde_json::from_slice::<ErrorAnswer>(body);
    answer.map_or_else(|_| Vec::new(), |answer| answer.errors.into_iter().map(|item| item.code).collect())
}

/// Reads what a registry says, or the first line of what something before it says.
fn said(body: &[u8]) -> String {
    let text = match serde_json::from_slice::<ErrorAnswer>(body) {
        Ok(answer) => {
            let item = |item: ErrorItem| format!("{} {}", item.code, item.message).trim().to_owned();
            answer.errors.into_iter().map(item).collect::<Vec<_>>().join("; ")
        }
        Err(_) => String::from_utf8_lossy(body).trim().lines().next().unwrap_or_default().to_owned(),
    };
    text.chars().filter(|c| !c.is_control()).take(SHOWN).collect()
}

/// Describes a request that was waited for in vain.
pub(super) fn late(action: &str, url: &Url) -> Error {
    let message = format!("can't {action}: {} did not answer in time; look at the network", place(url));
    Error::new(ErrorKind::TimedOut, message)
}

/// Describes a request that nobody answered.
pub(super) fn unanswered(action: &str, url: &Url, cause: &reqwest::Error) -> Error {
    if cause.is_timeout() {
        return late(action, url);
    }
    let place = place(url);
    // The deepest cause names what went wrong; those above it hold the whole address, and with it secrets.
    let why = deepest(cause).to_string();
    let tls = is_tls(cause);
    let advice = if tls {
        "name the authority that signed the registry's certificate, or talk plain HTTP to it"
    } else {
        "look at the network, and whether the registry is up"
    };
    let error = Error::new(
        ErrorKind::Unavailable,
        format!("can't {action}: {place} can't be reached: {why}; {advice}"),
    );
    if tls { error.with_retry(Retry::Never) } else { error }
}

fn deepest<'a>(error: &'a (dyn std::error::Error + 'static)) -> &'a (dyn std::error::Error + 'static) {
    let mut error = error;
    while let Some(inner) = error.source() {
        error = inner;
    }
    error
}

/// Finds out whether TLS itself failed: a certificate that isn't trusted now won't be in a second.
fn is_tls(error: &(dyn std::error::Error + 'static)) -> bool {
    if error.is::<rustls::Error>() {
        return true;
    }
    // What an I/O error wraps is not among its causes.
    let wrapped = error.downcast_ref::<std::io::Error>().and_then(|wrapper| wrapper.get_ref());
    wrapped.is_some_and(|inner| is_tls(inner)) || error.source().is_some_and(is_tls)
}

/// Describes an answer that makes no sense. Asking again helps only where it was cut off.
pub(super) fn nonsense(action: &str, url: &Url, why: &str) -> Error {
    let message = format!("can't {action}: the answer of {} {why}; is it a registry?", place(url));
    Error::new(ErrorKind::Other, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(status: u16, headers: &HeaderMap, body: &[u8]) -> Error {
        let url = Url::parse("https://me:canary@r.example.com/v2/a/blobs/uploads/1?_state=canary").unwrap();
        refused("push a layer", &url, StatusCode::from_u16(status).unwrap(), headers, body)
    }

    #[test]
    fn a_refusal_tells_what_the_registry_said_and_no_secret() {
        let body = br#"{"errors":[{"code":"DENIED","message":"no push\nhere"}]}"#;
        let error = error(403, &HeaderMap::new(), body);
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Forbidden, Retry::Never));
        let text = error.to_string();
        assert!(text.contains("DENIED no pushhere") && text.contains("/v2/a/blobs/uploads/1"), "{text}");
        assert!(!text.contains("canary"), "{text}");
    }

    #[test]
    fn what_may_pass_is_worth_another_attempt() {
        for status in [408, 429, 500, 502, 503, 504] {
            assert_eq!(error(status, &HeaderMap::new(), b"").retry(), Retry::Backoff, "{status}");
        }
        for status in [307, 400, 401, 403, 404, 405, 409, 413, 416] {
            assert_eq!(error(status, &HeaderMap::new(), b"").retry(), Retry::Never, "{status}");
        }
    }

    #[test]
    fn the_registrys_pause_is_taken_but_not_any() {
        let advice = |text: &str| {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, text.parse().unwrap())]);
            error(429, &headers, b"<html>").retry()
        };
        assert_eq!(advice("7"), Retry::After(Duration::from_secs(7)));
        assert_eq!(advice("99999999"), Retry::After(LONGEST_ADVICE));
        assert_eq!(advice("soon"), Retry::Backoff);
    }

    #[test]
    fn a_pause_may_last_up_to_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        let pause =
            |text: &str| retry_after(&HeaderMap::from_iter([(RETRY_AFTER, text.parse().unwrap())]), now);
        assert_eq!(pause("Sun, 06 Nov 1994 08:49:47 GMT"), Some(Duration::from_secs(10)));
        assert_eq!(pause("Sunday, 06-Nov-94 08:49:47 GMT"), Some(Duration::from_secs(10)));
        assert_eq!(pause("Sun, 06 Nov 1994 08:00:00 GMT"), Some(Duration::ZERO));
        assert_eq!(pause("Tue, 06 Nov 2029 08:00:00 GMT"), Some(LONGEST_ADVICE));
        assert_eq!(pause("06.11.1994"), None);
    }
}
