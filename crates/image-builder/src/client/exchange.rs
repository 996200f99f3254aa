//! [`Exchange`]: sends a request, shows the login it takes, and follows redirections without it.

use std::time::Duration;

use cfgupdater_core::{Error, ErrorKind};
use reqwest::header::{AUTHORIZATION, CONTENT_LENGTH, HeaderValue, LOCATION};
use reqwest::{Response, StatusCode, Url};

use super::access::Access;
use super::address::{base, is_permitted};
use super::answer::Answer;
use super::challenge::Challenge;
use super::failure;
use super::http::Http;
use super::redirect::{Redirect, redirect};
use super::request::Request;
use super::settings::RegistrySettings;
use super::traffic::Counters;

/// The most redirections that are followed.
const REDIRECTS: usize = 5;

/// The slowest transfer that is waited for, in bytes a second.
const SLOWEST: u64 = 64 * 1024;

/// Everything that requests share.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) settings: RegistrySettings,
    pub(super) counters: Counters,
    pub(super) http: Http,
    access: Access,
}

impl Exchange {
    pub(super) fn new(settings: RegistrySettings) -> Self {
        let access = Access::new(settings.answer_within);
        Self { settings, counters: Counters::default(), http: Http::default(), access }
    }

    /// Sends a request once. An answer of any status is an answer.
    pub(super) async fn send<'a>(&'a self, request: &Request<'a>) -> Result<Answer<'a>, Error> {
        let shown = self.access.known(self, request.scope).await?;
        let (response, at_home) = self.follow(request, shown.as_ref()).await?;
        let answer = self.answer(request.action, response);
        // Only the registry itself may ask for its login.
        let login = if at_home { self.another_login(request, &answer, shown.as_ref()).await? } else { None };
        match login {
            None => Ok(answer),
            Some(login) => {
                let (response, _) = self.follow(request, Some(&login)).await?;
                Ok(self.answer(request.action, response))
            }
        }
    }

    /// Finds a login that may do better than the one that was shown.
    async fn another_login(
        &self,
        request: &Request<'_>,
        answer: &Answer<'_>,
        shown: Option<&HeaderValue>,
    ) -> Result<Option<HeaderValue>, Error> {
        match (answer.status(), Challenge::of(answer.headers()), shown) {
            (StatusCode::UNAUTHORIZED, Some(challenge), _) => {
                self.access.answer(self, request.scope, challenge, shown).await
            }
            (StatusCode::FORBIDDEN, _, Some(shown)) => self.access.renewed(self, request.scope, shown).await,
            _ => Ok(None),
        }
    }

    /// Wraps what came back.
    pub(super) fn answer<'a>(&'a self, action: &'a str, response: Response) -> Answer<'a> {
        Answer { action, response, counters: &self.counters, patience: self.settings.answer_within }
    }

    /// Sends a request and follows where it is led; tells whether the answer is the registry's own.
    async fn follow(
        &self,
        request: &Request<'_>,
        login: Option<&HeaderValue>,
    ) -> Result<(Response, bool), Error> {
        let home = base(request.scope.host(), &self.settings)?.origin();
        let mut url = request.url.clone();
        for _ in 0..=REDIRECTS {
            let at_home = url.origin() == home;
            let response = self.once(request, &url, login.filter(|_| at_home)).await?;
            let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
            match redirect(&request.method, &url, response.status(), location) {
                Redirect::No => return Ok((response, at_home)),
                Redirect::To(next) => url = next,
                Redirect::Refused(why) => {
                    let why = format!("is a redirection that {why}");
                    return Err(failure::nonsense(request.action, &url, &why));
                }
            }
        }
        Err(failure::nonsense(request.action, &request.url, "leads from redirection to redirection"))
    }

    async fn once(
        &self,
        request: &Request<'_>,
        url: &Url,
        login: Option<&HeaderValue>,
    ) -> Result<Response, Error> {
        if !is_permitted(url, &self.settings) {
            let place = failure::place(url);
            let message = format!(
                "can't {}: {place} would be reached without TLS; permit plain HTTP for its host if that is meant",
                request.action
            );
            return Err(Error::new(ErrorKind::Invalid, message));
        }
        let client = self.http.client(url, &self.settings)?;
        let mut sending =
            client.request(request.method.clone(), url.clone()).headers(request.headers.clone());
        if let Some(login) = login {
            sending = sending.header(AUTHORIZATION, login.clone());
        }
        let length = request.body.as_ref().map_or(0, |(_, length)| *length);
        sending = match &request.body {
            Some((source, length)) => sending.header(CONTENT_LENGTH, *length).body(source.open().await?),
            None if request.method.is_safe() => sending,
            None => sending.header(CONTENT_LENGTH, 0),
        };
        self.counters.request(length);
        // What is sent takes its time; what is read later is waited for piece by piece.
        let limit = self.settings.answer_within + Duration::from_secs(length / SLOWEST);
        let answered = tokio::time::timeout(limit, sending.send()).await;
        let answered = answered.map_err(|_| failure::late(request.action, url))?;
        answered.map_err(|cause| failure::unanswered(request.action, url, &cause))
    }
}
