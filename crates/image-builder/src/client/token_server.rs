//! Token servers: what they are asked, and what they say.

use std::time::Instant;

use cfgupdater_core::Error;
use reqwest::{Method, Url};

use super::address::{base, is_permitted};
use super::exchange::Exchange;
use super::failure;
use super::login::Login;
use super::scope::Scope;
use super::token::Token;

/// The most that a token server may say.
const TOKEN_LIMIT: u64 = 256 * 1024;

/// Whom we say we are where an identity token is exchanged.
const CLIENT: &str = "cfgupdater";

/// Asks a token server. It is another host in general, which is shown the login: that is the protocol, and the reason
/// why only the registry itself may name it.
pub(super) async fn token(
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
    let answer = exchange.answer(action, response);
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
