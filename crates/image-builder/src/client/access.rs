//! [`Access`]: what each registry wants to be shown, and the tokens it gave.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use cfgupdater_core::{Error, ErrorKind};
use reqwest::header::HeaderValue;
use reqwest::{Method, Url};

use super::address::{base, is_permitted};
use super::answer::Answer;
use super::challenge::Challenge;
use super::exchange::Exchange;
use super::failure;
use super::login::Login;
use super::scope::Scope;
use super::token::Token;

/// The most that a token server may say.
const TOKEN_LIMIT: u64 = 256 * 1024;

/// Whom we say we are where an identity token is exchanged.
const CLIENT: &str = "cfgupdater";

/// What is known of logins so far.
#[derive(Debug, Default)]
pub(super) struct Access {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// What a host asked for.
    challenges: BTreeMap<String, Challenge>,
    /// The header that a host takes as it is. Its `Debug` is masked, as a sensitive value's.
    basic: BTreeMap<String, HeaderValue>,
    tokens: BTreeMap<Scope, Token>,
}

impl Access {
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
            if let Some(basic) = known.basic.get(scope.host()) {
                return Ok(Some(basic.clone()));
            }
            known.challenges.get(scope.host()).cloned()
        };
        match challenge {
            Some(challenge @ Challenge::Bearer { .. }) => self.obtain(exchange, scope, &challenge).await,
            _ => Ok(None),
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
            known.basic.remove(scope.host());
            known.challenges.insert(scope.host().to_owned(), challenge.clone());
        }
        let found = self.obtain(exchange, scope, &challenge).await?;
        Ok(found.filter(|found| Some(found) != refused))
    }

    async fn obtain(
        &self,
        exchange: &Exchange,
        scope: &Scope,
        challenge: &Challenge,
    ) -> Result<Option<HeaderValue>, Error> {
        let login = match &exchange.settings.auth_file {
            Some(file) => file.login(scope.host()).await?,
            None => None,
        };
        match challenge {
            Challenge::Bearer { realm, service } => {
                let token = token(exchange, scope, realm, service.as_deref(), login.as_ref()).await?;
                let header = bearer(&token)?;
                self.lock().tokens.insert(scope.clone(), token);
                Ok(Some(header))
            }
            Challenge::Basic => {
                let Some(login) = login else { return Ok(None) };
                let header = basic(&exchange.http, exchange, scope, &login)?;
                self.lock().basic.insert(scope.host().to_owned(), header.clone());
                Ok(Some(header))
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

/// Asks a token server. It is another host in general, which is shown the login: that is the protocol, and the reason
/// why only the registry itself may name it.
async fn token(
    exchange: &Exchange,
    scope: &Scope,
    realm: &str,
    service: Option<&str>,
    login: Option<&Login>,
) -> Result<Token, Error> {
    let action = "get a token";
    let url = realm_url(exchange, scope, realm)?;
    let client = exchange.http.client(&url, &exchange.settings)?;
    let request = match login {
        Some(Login::Identity(identity)) => {
            let form = form(service, scope, identity);
            let request = client.request(Method::POST, url.clone());
            request.header(reqwest::header::CONTENT_TYPE, "application/x-www-form-urlencoded").body(form)
        }
        Some(Login::Password { username, password }) => {
            client.get(with_query(&url, service, scope)).basic_auth(username, Some(password))
        }
        None => client.get(with_query(&url, service, scope)),
    };
    exchange.counters.request(0);
    let sent = request.timeout(exchange.settings.answer_within).send().await;
    let response = sent.map_err(|cause| failure::unanswered(action, &url, &cause))?;
    let answer = Answer { action, response, counters: &exchange.counters };
    if !answer.status().is_success() {
        return Err(answer.into_error().await);
    }
    let body = answer.body(TOKEN_LIMIT).await?;
    Token::parse(&body, Instant::now()).ok_or_else(|| failure::nonsense(action, &url, "holds no token"))
}

/// Reads the token server's address, which must be as safe as the registry's.
fn realm_url(exchange: &Exchange, scope: &Scope, realm: &str) -> Result<Url, Error> {
    let home = base(scope.host(), &exchange.settings)?;
    let url =
        home.join(realm).map_err(|_| failure::nonsense("get a token", &home, "names no token server"))?;
    let leaves_tls = home.scheme() == "https" && url.scheme() != "https";
    if leaves_tls || !is_permitted(&url, &exchange.settings) {
        let why = "names a token server without TLS";
        return Err(failure::nonsense("get a token", &home, why));
    }
    Ok(url)
}

fn with_query(url: &Url, service: Option<&str>, scope: &Scope) -> Url {
    let mut url = url.clone();
    {
        let mut pairs = url.query_pairs_mut();
        if let Some(service) = service {
            pairs.append_pair("service", service);
        }
        pairs.extend_pairs(scope.wanted().iter().map(|wanted| ("scope", wanted)));
    }
    url
}

/// Writes the form that exchanges an identity token (OAuth 2, refresh token grant).
fn form(service: Option<&str>, scope: &Scope, identity: &str) -> String {
    // A URL's query has the same form, and its writer is at hand.
    let mut url = Url::parse("https://form/").unwrap_or_else(|_| unreachable!("the constant is a URL"));
    url.query_pairs_mut()
        .append_pair("grant_type", "refresh_token")
        .append_pair("client_id", CLIENT)
        .append_pair("service", service.unwrap_or_default())
        .append_pair("scope", &scope.wanted().join(" "))
        .append_pair("refresh_token", identity);
    url.query().unwrap_or_default().to_owned()
}
