//! What went wrong with a question, as an error that says what to do next.

use std::error::Error as _;
use std::path::Path;
use std::time::Duration;

use cfgupdater_core::{Error, ErrorKind, Retry};
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{StatusCode, Url};
use rustls::CertificateError;

/// The longest pause that an API may ask for.
const LONGEST_ADVICE: Duration = Duration::from_mins(10);

/// Describes an answer that was not hoped for. What it says is not repeated: it may come from anybody.
pub(super) fn refused(url: &Url, status: StatusCode, headers: &HeaderMap) -> Error {
    let (kind, advice) = match status.as_u16() {
        401 => (ErrorKind::Unauthenticated, "check the token in token_file"),
        403 => (ErrorKind::Forbidden, "let the token's account get this object"),
        404 => (ErrorKind::NotFound, "check the names in [[repo.deploy.map]], and that the object exists"),
        408 | 500 | 502 | 503 | 504 => (ErrorKind::Unavailable, "look at the API if this goes on"),
        429 => (ErrorKind::RateLimited, "lower per_minute, or raise the API's limit"),
        300..=399 => (ErrorKind::Other, "name the API by the address that it leads to"),
        _ => (ErrorKind::Other, "check the url"),
    };
    let error = Error::new(kind, format!("{url} answered {status}; {advice}"));
    let pause = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
    match pause {
        Some(seconds) if error.retry() != Retry::Never => {
            error.with_retry(Retry::After(Duration::from_secs(seconds).min(LONGEST_ADVICE)))
        }
        _ => error,
    }
}

/// Describes a question that nobody answered.
pub(super) fn unanswered(url: &Url, cause: &reqwest::Error) -> Error {
    if cause.is_timeout() {
        return Error::new(ErrorKind::TimedOut, format!("{url} did not answer in time; look at the network"));
    }
    let mut deepest: &dyn std::error::Error = cause;
    while let Some(inner) = deepest.source() {
        deepest = inner;
    }
    Error::new(ErrorKind::Unavailable, format!("{url} can't be reached: {deepest}; look at the network"))
}

/// Describes a server that showed a certificate which proves nothing to us.
pub(super) fn untrusted(url: &Url, why: &CertificateError, ca_file: Option<&Path>) -> Error {
    use CertificateError as C;
    let advice = match (why, ca_file) {
        (C::NotValidForName | C::NotValidForNameContext { .. }, _) => {
            "name the API by an address that its certificate is for".to_owned()
        }
        (C::Expired | C::ExpiredContext { .. } | C::NotValidYet | C::NotValidYetContext { .. }, _) => {
            "renew its certificate, or set the clocks".to_owned()
        }
        (_, Some(file)) => format!("put the authority that signed it into {}", file.display()),
        (_, None) => "name the authority that signed it as ca_file if it is a private one".to_owned(),
    };
    Error::new(ErrorKind::Unavailable, format!("the certificate of {url} is not trusted: {why}; {advice}"))
}

/// Finds out whether a server's certificate is why it was not asked.
pub(super) fn certificate_error(cause: &reqwest::Error) -> Option<&CertificateError> {
    let mut next = cause.source();
    while let Some(error) = next {
        if let Some(rustls::Error::InvalidCertificate(why)) = error.downcast_ref() {
            return Some(why);
        }
        // What an I/O error holds is no source of it.
        let held = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        next = held.map(|held| held as &dyn std::error::Error).or_else(|| error.source());
    }
    None
}

/// Describes an answer that makes no sense.
pub(super) fn nonsense(url: &Url, why: &str) -> Error {
    Error::new(ErrorKind::Other, format!("the answer of {url} {why}; check the url"))
}
