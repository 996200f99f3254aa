//! [`Request`]: one request as a value, before it is sent.

use reqwest::header::{ACCEPT, CONTENT_RANGE, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};

use super::blob_source::BlobSource;
use super::scope::Scope;

/// One request.
#[derive(Debug, Clone)]
pub(super) struct Request<'a> {
    /// What it is for, as errors say it: `push a layer`.
    pub(super) action: &'a str,
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) scope: &'a Scope,
    pub(super) headers: HeaderMap,
    /// What is sent, and how long it is.
    pub(super) body: Option<(&'a BlobSource, u64)>,
}

impl<'a> Request<'a> {
    pub(super) fn new(action: &'a str, method: Method, url: Url, scope: &'a Scope) -> Self {
        Self { action, method, url, scope, headers: HeaderMap::new(), body: None }
    }

    fn with(mut self, name: HeaderName, value: &str) -> Self {
        // Values are constants and parsed media types; what can't be sent is left out.
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.append(name, value);
        }
        self
    }

    pub(super) fn accepting(mut self, media_types: &[&str]) -> Self {
        for media_type in media_types {
            self = self.with(ACCEPT, media_type);
        }
        self
    }

    /// Says which bytes of a whole are sent: the first and the last.
    pub(super) fn with_range(self, first: u64, last: u64) -> Self {
        self.with(CONTENT_RANGE, &format!("{first}-{last}"))
    }

    pub(super) fn sending(mut self, content_type: &str, body: &'a BlobSource, length: u64) -> Self {
        self.body = Some((body, length));
        self.with(CONTENT_TYPE, content_type)
    }
}
