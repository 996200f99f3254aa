//! Who asks: tokens of an App's installation, made when they are needed, or a token that somebody made.

use std::time::Duration;

use cfgupdater_core::{Error, ErrorKind, Timestamp};
use cfgupdater_forge_http::{Answer, Secret, Trouble, now, unreadable};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::Mutex;

use crate::jwt;
use crate::settings::{Login, RepositoryName};
use crate::transport::{Ask, Transport};

/// How long before its end a token is replaced: longer than any push takes.
const EARLY: Duration = Duration::from_mins(5);

/// How soon a right that was left out is asked for again, while GitHub refuses what it is for.
const HOPE: Duration = Duration::from_mins(5);

/// Hands out tokens for one repository.
#[derive(Debug)]
pub(crate) struct Auth {
    login: Login,
    repository: RepositoryName,
    /// The token in use; the lock is held while a new one is made, so that one is enough for all who wait.
    current: Mutex<Option<Token>>,
    /// The installation, once it was asked for.
    installation: Mutex<Option<u64>>,
    /// When a right that was left out was last hoped for.
    hoped: Mutex<Option<Timestamp>>,
}

#[derive(Debug, Clone)]
struct Token {
    secret: Secret,
    expires: Timestamp,
    /// A right was left out, since the owner of the repository has not granted it yet.
    lacks_rights: bool,
}

#[derive(Deserialize)]
struct Made {
    token: String,
    expires_at: String,
}

#[derive(Deserialize)]
struct Installation {
    id: u64,
}

impl Auth {
    pub(crate) fn new(login: Login, repository: RepositoryName) -> Self {
        Self {
            login,
            repository,
            current: Mutex::default(),
            installation: Mutex::default(),
            hoped: Mutex::default(),
        }
    }

    /// Returns a token that holds for some minutes.
    pub(crate) async fn token(&self, transport: &Transport) -> Result<Secret, Error> {
        let (app, key) = match &self.login {
            Login::Token(source) => return source.current(),
            Login::App { id, key, .. } => (*id, key),
        };
        let mut current = self.current.lock().await;
        if let Some(token) = current.as_ref().filter(|token| token.holds(now())) {
            return Ok(token.secret.clone());
        }
        let word = jwt::sign(app, key, now())?;
        let made = self.make(transport, &word).await?;
        let secret = made.secret.clone();
        *current = Some(made);
        Ok(secret)
    }

    /// Forgets a token that GitHub refused; another one that took its place meanwhile stays.
    pub(crate) async fn forget(&self, refused: &Secret) {
        let mut current = self.current.lock().await;
        if current.as_ref().is_some_and(|token| token.secret == *refused) {
            *current = None;
        }
        *self.installation.lock().await = None;
    }

    /// Forgets a token to which something was forbidden, where another may have more rights by now; tells whether it did.
    pub(crate) async fn hope(&self, forbidden: &Secret) -> bool {
        let mut current = self.current.lock().await;
        let lacking = current.as_ref().is_some_and(|token| token.secret == *forbidden && token.lacks_rights);
        let mut hoped = self.hoped.lock().await;
        let hopes = lacking && hoped.is_none_or(|before| now().since(before) >= HOPE);
        if hopes {
            (*current, *hoped) = (None, Some(now()));
        }
        hopes
    }

    /// Forgets everything, without waiting for whoever makes a token just now.
    pub(crate) fn forget_all(&self) {
        if let Ok(mut current) = self.current.try_lock() {
            *current = None;
        }
        if let Ok(mut installation) = self.installation.try_lock() {
            *installation = None;
        }
    }

    /// Tells whether a refused token can be replaced by another.
    pub(crate) fn renews(&self) -> bool {
        matches!(self.login, Login::App { .. })
    }

    /// Returns the word by which the App itself asks; `None` where there is no App.
    pub(crate) fn app_word(&self) -> Result<Option<Secret>, Error> {
        match &self.login {
            Login::App { id, key, .. } => jwt::sign(*id, key, now()).map(Some),
            Login::Token(_) => Ok(None),
        }
    }

    /// Returns the installation that was configured.
    pub(crate) fn configured_installation(&self) -> Option<u64> {
        match &self.login {
            Login::App { installation, .. } => *installation,
            Login::Token(_) => None,
        }
    }

    async fn installation(&self, transport: &Transport, word: &Secret) -> Result<u64, Error> {
        if let Some(configured) = self.configured_installation() {
            return Ok(configured);
        }
        let mut known = self.installation.lock().await;
        if let Some(id) = *known {
            return Ok(id);
        }
        let what = format!("asking for the App's installation on {}", self.repository);
        let answer = transport
            .send_as_app(Ask::get(&format!("/repos/{}/installation", self.repository)), word)
            .await?;
        if answer.status == 404 {
            let message = format!(
                "the App is not installed on {}; install it there, or name another repository",
                self.repository
            );
            return Err(Error::new(ErrorKind::Unauthenticated, message));
        }
        let Installation { id } = self.decode(&what, &answer, 200, word)?;
        *known = Some(id);
        Ok(id)
    }

    /// Makes a token for this repository alone, with no right that isn't needed.
    async fn make(&self, transport: &Transport, word: &Secret) -> Result<Token, Error> {
        let installation = self.installation(transport, word).await?;
        let target = format!("/app/installations/{installation}/access_tokens");
        let what = format!("making a token for {}", self.repository);
        let request = async |rules: bool| {
            let body = token_request(&self.repository, rules);
            transport.send_as_app(Ask::post(&target, Some(&body)), word).await
        };
        let whole = request(true).await?;
        // An App without the right to read branch protection can still do all the rest.
        let lacks_rights = whole.status == 422;
        let answer = if lacks_rights { request(false).await? } else { whole };
        if answer.status == 404 {
            let message = format!(
                "{what}: GitHub knows no installation {installation} of this App; correct installation_id, or leave it out"
            );
            return Err(Error::new(ErrorKind::Unauthenticated, message));
        }
        let Made { token, expires_at } = self.decode(&what, &answer, 201, word)?;
        let secret = Secret::new(&token).ok_or_else(|| unreadable(&what))?;
        let expires = expires_at.parse().map_err(|_| unreadable(&what))?;
        Ok(Token { secret, expires, lacks_rights })
    }

    fn decode<T: for<'de> Deserialize<'de>>(
        &self,
        what: &str,
        answer: &Answer,
        wanted: u16,
        sent: &Secret,
    ) -> Result<T, Error> {
        if answer.status != wanted {
            return Err(self.trouble(what, answer, sent).into());
        }
        serde_json::from_slice(&answer.body).map_err(|_| unreadable(what))
    }

    /// Says what is wrong with an answer to the App itself, which is refused for reasons of its own.
    pub(crate) fn trouble(&self, what: &str, answer: &Answer, word: &Secret) -> Trouble {
        let mut trouble = Trouble::of(what, answer, word);
        if let (401, Login::App { id, .. }) = (answer.status, &self.login) {
            let message = format!(
                "{what}: GitHub doesn't believe that this is App {id}; check app_id, that the private key is the App's, and \
                 that this machine's clock is right"
            );
            trouble.error = Error::new(ErrorKind::Unauthenticated, message).with_source(trouble.error);
        }
        trouble
    }
}

/// Asks for what the service needs and nothing else; `rules` is the right to read branch protection.
pub(crate) fn token_request(repository: &RepositoryName, rules: bool) -> serde_json::Value {
    let mut permissions =
        json!({ "checks": "read", "contents": "write", "metadata": "read", "statuses": "read" });
    if rules {
        permissions["administration"] = json!("read");
    }
    json!({ "repositories": [repository.name()], "permissions": permissions })
}

impl Token {
    fn holds(&self, now: Timestamp) -> bool {
        self.expires > now.after(EARLY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_replaced_before_it_ends() {
        let at = Timestamp::from_millis;
        let token = Token { secret: Secret::new("x").unwrap(), expires: at(3_600_000), lacks_rights: false };
        assert!(token.holds(at(0)));
        assert!(token.holds(at(3_299_999)));
        assert!(!token.holds(at(3_300_000)));
        assert!(!token.holds(at(9_000_000)));
    }

    #[test]
    fn a_token_is_for_one_repository_and_may_do_no_more_than_needed() {
        let request = token_request(&"acme/cfg".parse().unwrap(), true);
        assert_eq!(
            request.to_string(),
            r#"{"permissions":{"administration":"read","checks":"read","contents":"write","metadata":"read","statuses":"read"},"repositories":["cfg"]}"#
        );
        assert!(!token_request(&"acme/cfg".parse().unwrap(), false).to_string().contains("administration"));
    }
}
