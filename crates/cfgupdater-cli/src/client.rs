//! [`Client`]: calls to a service, repeated while it is unavailable.

mod api;
mod call;
mod connect;
mod error;
mod retry;
mod trail;
mod until;
mod wait;

use std::time::{Duration, Instant};

use reqwest::header::{AUTHORIZATION, HeaderValue, RETRY_AFTER};
use reqwest::{RequestBuilder, Response, Url};
use serde_json::Value;

pub(crate) use api::{Announcement, Api, Logged, known};
pub(crate) use call::Call;
pub(crate) use connect::Address;
pub(crate) use error::CallError;
pub(crate) use until::Until;
pub(crate) use wait::{Reached, Waiting};

use crate::exit::Failure;
use crate::output;
use crate::secret::Token;
use crate::span;

/// Makes calls to one service as one caller.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    base: Url,
    token: Option<Token>,
    retry_for: Duration,
}

impl Client {
    /// Prepares to call a service; nothing is sent yet.
    pub(crate) fn new(address: &Address, token: Option<Token>, retry_for: Duration) -> Result<Self, Failure> {
        Ok(Self { http: address.http_client()?, base: address.url.clone(), token, retry_for })
    }

    /// Makes a call and returns the JSON it is answered.
    ///
    /// Every call may be repeated safely, so while the service is unavailable it is, for as long as the client was
    /// told to.
    pub(crate) async fn send(&self, call: &Call) -> Result<Value, CallError> {
        let started = Instant::now();
        for attempt in 0.. {
            let error = match self.try_once(call).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let left = self.retry_for.saturating_sub(started.elapsed());
            let Some(pause) = retry::pause(attempt, &error, left, fastrand::f64()) else { return Err(error) };
            output::note(&format!("cfgupdater: {error}; trying again in {}", span::show(pause)));
            tokio::time::sleep(pause).await;
        }
        unreachable!("a retry is refused when the time is over")
    }

    async fn try_once(&self, call: &Call) -> Result<Value, CallError> {
        let response =
            self.request(call).send().await.map_err(|error| CallError::unsent(&self.base, &error))?;
        let (status, retry_after) = (response.status(), retry_after(&response));
        let body = response.bytes().await.map_err(|error| CallError::unsent(&self.base, &error))?;
        if status.is_success() {
            serde_json::from_slice(&body).map_err(|_| CallError::nonsense(&self.base, "is not JSON"))
        } else {
            Err(CallError::refused(status.as_u16(), retry_after, &body))
        }
    }

    fn request(&self, call: &Call) -> RequestBuilder {
        let mut request = self.http.request(call.method.clone(), call.url(&self.base)).timeout(call.patience);
        if let Some(token) = &self.token
            && let Ok(mut bearer) = HeaderValue::try_from(format!("Bearer {}", token.expose()))
        {
            bearer.set_sensitive(true);
            request = request.header(AUTHORIZATION, bearer);
        }
        if let Some(key) = &call.idempotency_key {
            request = request.header("Idempotency-Key", key);
        }
        match &call.body {
            Some(body) => request.header("Content-Type", "application/json").body(body.clone()),
            None => request,
        }
    }
}

fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests;
