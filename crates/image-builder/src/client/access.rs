//! [`Access`]: what each registry wants to be shown, and the tokens it gave.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use cfgupdater_core::{Error, ErrorKind};
use reqwest::header::HeaderValue;

use super::address::base;
use super::challenge::Challenge;
use super::exchange::Exchange;
use super::helper_answers::HelperAnswers;
use super::login::Login;
use super::scope::Scope;
use super::token::Token;
use super::token_server;

/// What is known of logins so far. Logins themselves are looked up anew whenever they are shown: some end after hours, and
/// who asks may run for months.
#[derive(Debug)]
pub(super) struct Access {
    known: Mutex<Known>,
    answers: HelperAnswers,
}

#[derive(Debug, Default)]
struct Known {
    /// What a host asked for.
    challenges: BTreeMap<String, Challenge>,
    tokens: BTreeMap<Scope, Token>,
}

impl Access {
    /// Knows nothing yet; waits this long for a credential helper.
    pub(super) fn new(helpers_within: Duration) -> Self {
        Self { known: Mutex::default(), answers: HelperAnswers::within(helpers_within) }
    }

    /// Returns what to show without having been asked: what was asked for before.
    pub(super) async fn known(
        &self,
        exchange: &Exchange,
        scope: &Scope,
    ) -> Result<Option<HeaderValue>, Error> {
        let challenge = {
            let known = self.lock();
            let token = known.tokens.get(scope).filter(|token| token.is_good(Instant::now()));
            if let Some(token) = token {
                return bearer(token).map(Some);
            }
            known.challenges.get(scope.host()).cloned()
        };
        match challenge {
            Some(challenge) => self.obtain(exchange, scope, &challenge).await,
            None => Ok(None),
        }
    }

    /// Returns what answers a challenge, `None` where we have nothing that was not refused already.
    pub(super) async fn answer(
        &self,
        exchange: &Exchange,
        scope: &Scope,
        challenge: Challenge,
        refused: Option<&HeaderValue>,
    ) -> Result<Option<HeaderValue>, Error> {
        {
            let mut known = self.lock();
            known.tokens.remove(scope);
            known.challenges.insert(scope.host().to_owned(), challenge.clone());
        }
        if refused.is_some() {
            self.answers.forget();
        }
        let found = self.obtain(exchange, scope, &challenge).await?;
        Ok(found.filter(|found| Some(found) != refused))
    }

    /// Returns another login than the one that was forbidden what it asked for, `None` where there is none.
    ///
    /// Some registries say so, without asking for another one, where a login has ended: Amazon's after twelve hours. Of a
    /// token it means what it says.
    pub(super) async fn renewed(
        &self,
        exchange: &Exchange,
        scope: &Scope,
        forbidden: &HeaderValue,
    ) -> Result<Option<HeaderValue>, Error> {
        let challenge = self.lock().challenges.get(scope.host()).cloned();
        match challenge {
            Some(challenge @ Challenge::Basic) => {
                self.answer(exchange, scope, challenge, Some(forbidden)).await
            }
            _ => Ok(None),
        }
    }

    async fn obtain(
        &self,
        exchange: &Exchange,
        scope: &Scope,
        challenge: &Challenge,
    ) -> Result<Option<HeaderValue>, Error> {
        let login = match &exchange.settings.logins {
            Some(logins) => logins.of(scope.host(), scope.path(), &self.answers).await?,
            None => None,
        };
        match challenge {
            Challenge::Bearer { realm, service } => {
                let token =
                    token_server::token(exchange, scope, realm, service.as_deref(), login.as_ref()).await?;
                let header = bearer(&token)?;
                self.lock().tokens.insert(scope.clone(), token);
                Ok(Some(header))
            }
            Challenge::Basic => {
                let Some(login) = login else { return Ok(None) };
                basic(&exchange.http, exchange, scope, &login).map(Some)
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn bearer(token: &Token) -> Result<HeaderValue, Error> {
    let value = HeaderValue::from_str(&format!("Bearer {}", token.expose()));
    let mut value =
        value.map_err(|_| Error::new(ErrorKind::Other, "a token server gave what can't be sent"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// Has the HTTP library write the header, base 64 and all.
fn basic(
    http: &super::http::Http,
    exchange: &Exchange,
    scope: &Scope,
    login: &Login,
) -> Result<HeaderValue, Error> {
    let Login::Password { username, password } = login else {
        let message =
            format!("{} takes a user name and a password, but only an identity token is kept", scope.host());
        return Err(Error::new(ErrorKind::Unauthenticated, message));
    };
    let url = base(scope.host(), &exchange.settings)?;
    let client = http.client(&url, &exchange.settings)?;
    let request = client.get(url).basic_auth(username, Some(password)).build();
    let header =
        request.ok().and_then(|request| request.headers().get(reqwest::header::AUTHORIZATION).cloned());
    header.ok_or_else(|| Error::new(ErrorKind::Unauthenticated, "the kept login can't be sent"))
}
