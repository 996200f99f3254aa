//! A plain HTTP client, independent of the product's.

use std::time::Duration;

use serde_json::Value;
use ureq::Agent;

/// A running service, as a caller with one token sees it.
#[derive(Debug, Clone)]
pub struct Server {
    base: String,
    token: String,
    agent: Agent,
}

/// What a call was answered.
#[derive(Debug)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// The content type.
    pub content_type: String,
    /// When to come back, in seconds, where the service said so.
    pub retry_after: Option<u64>,
    /// The body as text.
    pub text: String,
    /// The body, `null` where it isn't JSON.
    pub body: Value,
}

impl Server {
    /// Talks to a base URL with a token; an empty one sends none.
    pub fn new(base: &str, token: &str) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_mins(1)))
            .build();
        Self { base: base.to_owned(), token: token.to_owned(), agent: Agent::new_with_config(config) }
    }

    /// Talks to the same service with another token.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: token.to_owned(), ..self.clone() }
    }

    /// Returns the base URL.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Gets a path.
    pub fn get(&self, path: &str) -> Reply {
        let request = self.agent.get(format!("{}{path}", self.base)).header("Authorization", self.bearer());
        Reply::of(request.call().expect("the service answers"))
    }

    /// Posts JSON to a path.
    pub fn post(&self, path: &str, body: &Value) -> Reply {
        self.post_bytes(path, body.to_string().as_bytes())
    }

    /// Posts JSON to a path of a service that may not be there; `None` where nobody answers.
    pub fn try_post(&self, path: &str, body: &Value) -> Option<Reply> {
        let request = self.agent.post(format!("{}{path}", self.base)).header("Authorization", self.bearer());
        request.header("Content-Type", "application/json").send(body.to_string()).ok().map(Reply::of)
    }

    /// Posts bytes to a path without a token, with header fields of the caller's own.
    pub fn post_with_headers(&self, path: &str, body: &[u8], headers: &[(&str, &str)]) -> Reply {
        let request = self.agent.post(format!("{}{path}", self.base));
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        Reply::of(request.send(body).expect("the service answers"))
    }

    /// Posts JSON to a path, with an `Idempotency-Key`.
    pub fn post_with_key(&self, path: &str, body: &Value, key: &str) -> Reply {
        let request = self.agent.post(format!("{}{path}", self.base)).header("Authorization", self.bearer());
        let request = request.header("Content-Type", "application/json").header("Idempotency-Key", key);
        Reply::of(request.send(body.to_string()).expect("the service answers"))
    }

    /// Posts bytes to a path as JSON.
    pub fn post_bytes(&self, path: &str, body: &[u8]) -> Reply {
        let request = self.agent.post(format!("{}{path}", self.base)).header("Authorization", self.bearer());
        Reply::of(request.header("Content-Type", "application/json").send(body).expect("the service answers"))
    }

    /// Posts bytes to a path with a header of one's own, and without a token.
    pub fn post_signed(&self, path: &str, body: &[u8], header: (&str, &str)) -> Reply {
        let request = self.agent.post(format!("{}{path}", self.base)).header(header.0, header.1);
        Reply::of(request.header("Content-Type", "application/json").send(body).expect("the service answers"))
    }

    fn bearer(&self) -> String {
        if self.token.is_empty() { String::new() } else { format!("Bearer {}", self.token) }
    }
}

impl Reply {
    fn of(mut response: ureq::http::Response<ureq::Body>) -> Self {
        let content_type = response.headers().get("content-type").and_then(|value| value.to_str().ok());
        let content_type = content_type.unwrap_or_default().to_owned();
        let retry_after =
            response.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
        let text = response.body_mut().read_to_string().unwrap_or_default();
        Self {
            status: response.status().as_u16(),
            content_type,
            retry_after,
            body: serde_json::from_str(&text).unwrap_or(Value::Null),
            text,
        }
    }

    /// Returns the body of a call that must have succeeded.
    ///
    /// # Panics
    /// Shows the answer of one that didn't.
    pub fn ok(self) -> Value {
        assert!((200..300).contains(&self.status), "{self:?}");
        self.body
    }

    /// Checks that the call was refused with a problem that says what is wrong.
    ///
    /// # Panics
    /// Shows the answer where it wasn't.
    pub fn refused(self, status: u16) -> String {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.content_type, "application/problem+json", "{self:?}");
        assert_eq!(self.body["status"], status, "{self:?}");
        let detail = self.body["detail"].as_str().unwrap_or_default().to_owned();
        assert!(!detail.is_empty(), "{self:?}");
        detail
    }
}
