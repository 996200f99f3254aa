//! [`Answer`]: what came back, read no further than anybody allowed.

use std::time::Duration;

use cfgupdater_core::Error;
use reqwest::header::{HeaderMap, HeaderName};
use reqwest::{Response, StatusCode, Url};

use super::failure;
use super::traffic::Counters;

/// The most that is read of an answer that only explains a failure.
const EXPLANATION: usize = 16 * 1024;

/// An answer whose body has not been read yet.
pub(super) struct Answer<'a> {
    pub(super) action: &'a str,
    pub(super) response: Response,
    pub(super) counters: &'a Counters,
    /// How long the next piece may take.
    pub(super) patience: Duration,
}

impl Answer<'_> {
    pub(super) fn status(&self) -> StatusCode {
        self.response.status()
    }

    pub(super) fn url(&self) -> &Url {
        self.response.url()
    }

    pub(super) fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// Returns a header's value, where there is one that can be read.
    pub(super) fn header(&self, name: &HeaderName) -> Option<&str> {
        self.headers().get(name)?.to_str().ok()
    }

    /// Reads the next piece, `None` at the end.
    pub(super) async fn piece(&mut self) -> Result<Option<bytes::Bytes>, Error> {
        let piece = tokio::time::timeout(self.patience, self.response.chunk()).await;
        let piece = piece.map_err(|_| failure::late(self.action, self.response.url()))?;
        let piece = piece.map_err(|cause| failure::unanswered(self.action, self.response.url(), &cause))?;
        if let Some(piece) = &piece {
            self.counters.received(piece.len());
        }
        Ok(piece)
    }

    /// Reads the body, and fails where it is longer than `limit`.
    pub(super) async fn body(mut self, limit: u64) -> Result<Vec<u8>, Error> {
        let too_long = |answer: &Self| {
            failure::nonsense(answer.action, answer.url(), &format!("is longer than {limit} bytes"))
        };
        if self.response.content_length().is_some_and(|length| length > limit) {
            return Err(too_long(&self));
        }
        let mut body = Vec::new();
        while let Some(piece) = self.piece().await? {
            if (body.len() + piece.len()) as u64 > limit {
                return Err(too_long(&self));
            }
            body.extend_from_slice(&piece);
        }
        Ok(body)
    }

    /// Turns an answer that was not hoped for into an error.
    pub(super) async fn into_error(self) -> Error {
        self.into_refusal().await.0
    }

    /// Turns an answer that was not hoped for into an error and the codes that it gives as reasons.
    pub(super) async fn into_refusal(mut self) -> (Error, Vec<String>) {
        let mut body = Vec::new();
        while body.len() < EXPLANATION {
            match self.piece().await {
                Ok(Some(piece)) => body.extend_from_slice(&piece),
                _ => break,
            }
        }
        let error = failure::refused(self.action, self.url(), self.status(), self.headers(), &body);
        (error, failure::codes(&body))
    }
}
