//! [`CallError`]: why a call was not answered as hoped.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use cfgupdater_server::Problem;
use reqwest::Url;

use crate::exit::{Exit, Failure};

/// Why a call was not answered as hoped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CallError {
    /// Nobody answered; whether the call arrived is not known.
    Unreachable {
        /// Where, and what happened.
        detail: String,
        /// Whether another attempt may go better.
        passing: bool,
    },
    /// The service said no.
    Refused {
        /// The HTTP status.
        status: u16,
        /// What it said.
        detail: String,
        /// When it asked us to come back.
        retry_after: Option<Duration>,
    },
    /// Something answered that isn't a service of this kind.
    Nonsense(String),
}

impl CallError {
    pub(super) fn unsent(base: &Url, error: &reqwest::Error) -> Self {
        // The deepest cause names what went wrong; those above it only say that something did.
        let what = causes(error).last().map(ToString::to_string).unwrap_or_default();
        let what = if error.is_timeout() { "no answer in time".to_owned() } else { what };
        let passing = !causes(error).any(is_tls);
        Self::Unreachable { detail: format!("{base} can't be reached: {what}"), passing }
    }

    pub(super) fn refused(status: u16, retry_after: Option<Duration>, body: &[u8]) -> Self {
        let problem: Option<Problem> = serde_json::from_slice(body).ok();
        let detail = problem.map_or_else(|| excerpt(body), |problem| describe(&problem));
        Self::Refused { status, detail, retry_after }
    }

    pub(super) fn nonsense(base: &Url, why: &str) -> Self {
        Self::Nonsense(format!("the answer of {base} {why}; is it a cfgupdater service?"))
    }

    /// Tells whether another attempt may go better.
    pub(super) fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { passing, .. } => *passing,
            Self::Refused { status, .. } => matches!(status, 429 | 502 | 503 | 504),
            Self::Nonsense(_) => false,
        }
    }
}

/// Returns an error and its causes, the deepest last.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |cause| (*cause).source())
}

/// Finds out whether TLS itself failed: a certificate that isn't trusted now won't be in a second.
///
/// TLS errors come wrapped in I/O errors, which don't count what they wrap among their causes.
fn is_tls(cause: &(dyn Error + 'static)) -> bool {
    match cause.downcast_ref::<std::io::Error>() {
        Some(wrapper) => wrapper.get_ref().is_some_and(|wrapped| is_tls(wrapped)),
        None => cause.is::<rustls::Error>(),
    }
}

fn describe(problem: &Problem) -> String {
    match &problem.parameter {
        Some(parameter) => format!("{parameter}: {}", problem.detail),
        None => problem.detail.clone(),
    }
}

/// Shows the start of an answer that is no problem document, such as a proxy's page.
fn excerpt(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("(no text)");
    line.chars().filter(|c| !c.is_control()).take(200).collect()
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable { detail, .. } | Self::Nonsense(detail) => f.write_str(detail),
            Self::Refused { status, detail, .. } => write!(f, "refused ({status}): {detail}"),
        }
    }
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        let unavailable = error.is_passing() || matches!(error, CallError::Unreachable { .. });
        let advice = match &error {
            CallError::Refused { status: 401, .. } => "; set CFGUPDATER_TOKEN or --token-file",
            CallError::Refused { status: 300..=399, .. } => "; give --server the address it leads to",
            _ => "",
        };
        Self::new(if unavailable { Exit::Unavailable } else { Exit::Failed }, format!("{error}{advice}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exit(status: u16) -> Exit {
        Failure::from(CallError::refused(status, None, b"")).exit
    }

    #[test]
    fn unavailability_has_its_own_exit_code() {
        assert_eq!([429, 502, 503, 504].map(exit), [Exit::Unavailable; 4]);
        assert_eq!([301, 400, 401, 403, 404, 409, 413, 422, 500].map(exit), [Exit::Failed; 9]);
        let unreachable = CallError::Unreachable { detail: String::new(), passing: false };
        assert_eq!(Failure::from(unreachable).exit, Exit::Unavailable);
    }

    #[test]
    fn a_problem_is_told_with_the_parameter_that_is_wrong() {
        let body = br#"{"status":422,"title":"x","detail":"must be a full SHA","parameter":"app_sha"}"#;
        let failure = Failure::from(CallError::refused(422, None, body));
        assert_eq!(failure.message, "refused (422): app_sha: must be a full SHA");
    }

    #[test]
    fn a_proxys_page_is_cut_short() {
        let page = format!("\n<html>\u{7}{}</html>\n", "x".repeat(500));
        let shown = CallError::refused(502, None, page.as_bytes()).to_string();
        assert!(shown.starts_with("refused (502): <html>xxx") && shown.len() < 230, "{shown}");
    }
}
