//! [`Trouble`]: an answer that isn't what was asked for.

use cfgupdater_core::{Error, ErrorKind};

use crate::clock::now;
use crate::failure::{Refused, failure};
use crate::http_client::Answer;
use crate::secret::Secret;

/// An answer that isn't what was asked for, with what tells one refusal from another.
#[derive(Debug)]
#[non_exhaustive]
pub struct Trouble {
    /// What to report.
    pub error: Error,
    /// The status code; `None` where there was no answer.
    pub status: Option<u16>,
    /// The body as text, without the secret that was sent.
    pub body: String,
}

impl Trouble {
    /// Builds it from an answer; `what` is what was asked, such as "reading the checks of 1a2b".
    pub fn of(what: &str, answer: &Answer, sent: &Secret) -> Self {
        let body = answer.text(sent);
        let refused = Refused { status: answer.status, headers: &answer.headers, body: &body };
        Self { error: failure(what, &refused, now()), status: Some(answer.status), body }
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self { error, status: None, body: String::new() }
    }
}

impl From<Trouble> for Error {
    fn from(trouble: Trouble) -> Self {
        trouble.error
    }
}

/// Builds the error for an answer that was to be had, and says nothing.
pub fn unreadable(what: &str) -> Error {
    Error::new(ErrorKind::Unavailable, format!("{what}: the answer can't be read; it is read again"))
}
