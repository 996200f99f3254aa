//! [`Call`]: one request as a value, before it is sent.

use std::time::Duration;

use reqwest::{Method, Url};
use serde::Serialize;

/// How long an answer may take; the service itself answers writes within 20 s.
const PATIENCE: Duration = Duration::from_mins(1);

/// One request.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(super) method: Method,
    path: Vec<String>,
    query: Vec<(&'static str, String)>,
    pub(super) body: Option<Vec<u8>>,
    pub(super) idempotency_key: Option<String>,
    pub(super) patience: Duration,
}

impl Call {
    /// Reads something.
    pub(crate) fn get<'a>(path: impl IntoIterator<Item = &'a str>) -> Self {
        let path = path.into_iter().map(str::to_owned).collect();
        let (query, body, idempotency_key) = (Vec::new(), None, None);
        Self { method: Method::GET, path, query, body, idempotency_key, patience: PATIENCE }
    }

    /// Asks for something.
    pub(crate) fn post<'a>(path: impl IntoIterator<Item = &'a str>, body: Vec<u8>) -> Self {
        Self { method: Method::POST, body: Some(body), ..Self::get(path) }
    }

    /// Asks for something with a body that is JSON.
    pub(crate) fn post_json<'a>(path: impl IntoIterator<Item = &'a str>, body: &impl Serialize) -> Self {
        Self::post(path, serde_json::to_vec(body).expect("texts and numbers always have a JSON form"))
    }

    /// Adds a parameter, where there is one.
    #[must_use]
    pub(crate) fn with(mut self, name: &'static str, value: Option<impl ToString>) -> Self {
        self.query.extend(value.map(|value| (name, value.to_string())));
        self
    }

    /// Names the request, so that the service knows a repetition of it.
    #[must_use]
    pub(crate) fn once_only(mut self, key: String) -> Self {
        self.idempotency_key = Some(key);
        self
    }

    /// Leaves the service this much time more before it must answer.
    #[must_use]
    pub(crate) fn patient_for(mut self, more: Duration) -> Self {
        self.patience += more;
        self
    }

    /// Returns the URL at a service. Names are segments of the path, whatever they hold.
    pub(super) fn url(&self, base: &Url) -> Url {
        let mut url = base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(&self.path);
        }
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.query);
        }
        url
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_inside_their_segment_and_parameters_are_escaped() {
        let base = Url::parse("https://example.com/tools/cfgupdater/").unwrap();
        let call = Call::get(["v1", "repos", "a/../b"]).with("after", Some("x&y")).with("limit", None::<u32>);
        assert_eq!(
            call.url(&base).as_str(),
            "https://example.com/tools/cfgupdater/v1/repos/a%2F..%2Fb?after=x%26y"
        );
    }

    #[test]
    fn a_url_without_a_path_serves_as_well() {
        let base = Url::parse("http://127.0.0.1:8080").unwrap();
        assert_eq!(Call::get(["healthz"]).url(&base).as_str(), "http://127.0.0.1:8080/healthz");
    }
}
