//! [`AuthFile`]: one file of logins, as `docker login`, `podman login` and credential helpers keep them.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use cfgupdater_core::{Error, ErrorKind};
use docker_credential::{CredentialRetrievalError as Lookup, DockerCredential};
use serde::Deserialize;

use super::helper_answers::HelperAnswers;
use super::login::Login;

/// What Docker Hub's login is kept under.
const DOCKER_HUB_KEY: &str = "https://index.docker.io/v1/";

/// A file of logins, as Docker writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AuthFile {
    pub(super) path: PathBuf,
    /// Somebody asked for this very file, so that it must be there.
    pub(super) named: bool,
}

/// Who keeps logins instead of the file. The library that reads the file would run helpers, too, but waits for them for
/// ever.
#[derive(Deserialize)]
struct Helpers {
    #[serde(rename = "credHelpers", default)]
    by_host: Option<BTreeMap<String, String>>,
    #[serde(rename = "credsStore", default)]
    store: Option<String>,
}

impl Helpers {
    /// Returns the helper that keeps a login; one for this host comes before the one for all.
    fn of(&self, key: &str) -> Option<&str> {
        let host = if key == DOCKER_HUB_KEY { "docker.io" } else { key };
        let by_host = |name: &str| self.by_host.as_ref()?.get(name);
        let own = by_host(key).or_else(|| by_host(host));
        own.or(self.store.as_ref()).map(String::as_str).filter(|name| !name.is_empty())
    }
}

/// Names a helper's program, which `PATH` leads to; `None` where the file would lead elsewhere.
fn helper_program(helper: &str) -> Option<OsString> {
    let is_plain = helper.bytes().all(|c| c.is_ascii_alphanumeric() || b"._-".contains(&c));
    is_plain.then(|| format!("docker-credential-{helper}").into())
}

/// Lists what a repository's login may be kept under, the narrowest first: Podman keeps logins for parts of a registry
/// (`containers-auth.json`).
fn keys(host: &str, path: &str) -> Vec<String> {
    let mut keys = Vec::new();
    let mut rest = Some(path).filter(|path| !path.is_empty());
    while let Some(path) = rest {
        keys.push(format!("{host}/{path}"));
        rest = path.rsplit_once('/').map(|(above, _)| above);
    }
    keys.push(if host == "docker.io" { DOCKER_HUB_KEY } else { host }.to_owned());
    keys
}

impl AuthFile {
    /// Looks up who logs in for a repository, `None` for nobody. May run a credential helper.
    pub(super) async fn login(
        &self,
        host: &str,
        path: &str,
        answers: &HelperAnswers,
    ) -> Result<Option<Login>, Error> {
        let text = match tokio::fs::read(&self.path).await {
            Ok(text) => text,
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound && !self.named => return Ok(None),
            Err(cause) => return Err(self.wrong("can't be read").with_source(cause)),
        };
        let damaged = || self.wrong(&format!("holds no usable login for {host}; log in there again"));
        let helpers: Helpers = serde_json::from_slice(&text).map_err(|_| damaged())?;
        let key = if host == "docker.io" { DOCKER_HUB_KEY } else { host };
        if let Some(helper) = helpers.of(key) {
            let asked = match helper_program(helper) {
                Some(program) => answers.ask(&program, key).await,
                None => Err("names a credential helper by what is no plain name; correct it".to_owned()),
            };
            return asked.map_err(|why| self.wrong(&format!("{why}, for {host}")));
        }
        for key in keys(host, path) {
            match docker_credential::get_credential_from_reader(text.as_slice(), &key) {
                Ok(DockerCredential::UsernamePassword(username, password)) => {
                    return Ok(Some(Login::Password { username, password }));
                }
                Ok(DockerCredential::IdentityToken(token)) => return Ok(Some(Login::Identity(token))),
                Err(Lookup::NoCredentialConfigured) => {}
                // The library's errors are not passed on: some hold what they are about.
                Err(_) => return Err(damaged()),
            }
        }
        Ok(None)
    }

    fn wrong(&self, why: &str) -> Error {
        let message = format!("the file of registry logins {} {why}", self.path.display());
        Error::new(ErrorKind::Unauthenticated, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// "me:canary" in base 64.
    const AUTH: &str = "bWU6Y2FuYXJ5";

    fn file(text: &str) -> (tempfile::TempDir, AuthFile) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.json");
        std::fs::write(&path, text).unwrap();
        (dir, AuthFile { path, named: true })
    }

    async fn login(file: &AuthFile, host: &str, path: &str) -> Result<Option<Login>, Error> {
        file.login(host, path, &HelperAnswers::default()).await
    }

    fn user(login: Option<Login>) -> Option<String> {
        login.map(|login| match login {
            Login::Password { username, .. } => username,
            Login::Identity(_) => "<token>".to_owned(),
        })
    }

    #[tokio::test]
    async fn a_kept_login_is_found_by_its_host() {
        let (_dir, file) = file(&format!(r#"{{"auths":{{"r.example.com:5000":{{"auth":"{AUTH}"}}}}}}"#));
        let kept = Login::Password { username: "me".to_owned(), password: "canary".to_owned() };
        assert_eq!(login(&file, "r.example.com:5000", "a/b").await.unwrap(), Some(kept));
        assert_eq!(login(&file, "r.example.com", "").await.unwrap(), None);
    }

    #[tokio::test]
    async fn the_narrowest_key_counts() {
        // "team:x" and "all:x" in base 64.
        let text = r#"{"auths":{"h":{"auth":"YWxsOng="},"h/team":{"auth":"dGVhbTp4"}}}"#;
        let (_dir, file) = file(text);
        for (path, expected) in
            [("team/web", "team"), ("team", "team"), ("teams", "all"), ("other/team", "all"), ("", "all")]
        {
            assert_eq!(user(login(&file, "h", path).await.unwrap()).as_deref(), Some(expected), "{path}");
        }
    }

    #[tokio::test]
    async fn a_list_of_helpers_may_be_null_and_a_login_empty() {
        let (_dir, file) = file(&format!(
            r#"{{"credHelpers":null,"credsStore":null,"auths":{{"h/team":{{}},"h":{{"auth":"{AUTH}"}}}}}}"#
        ));
        assert_eq!(user(login(&file, "h", "team/web").await.unwrap()).as_deref(), Some("me"));
    }

    #[tokio::test]
    async fn docker_hub_is_kept_under_its_old_address() {
        let (_dir, file) =
            file(&format!(r#"{{"auths":{{"https://index.docker.io/v1/":{{"auth":"{AUTH}"}}}}}}"#));
        assert!(login(&file, "docker.io", "library/alpine").await.unwrap().is_some());
    }

    #[tokio::test]
    async fn a_damaged_login_is_an_error_that_holds_no_secret() {
        for text in
            [r#"{"auths":{"h":{"auth":"Y2FuYXJ5"}}}"#, r#"{"auths":{"h":{"auth":"canary!"}}}"#, "canary"]
        {
            let (_dir, file) = file(text);
            let error = login(&file, "h", "a").await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unauthenticated);
            assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
        }
    }

    #[tokio::test]
    async fn a_missing_helper_is_named_as_the_reason() {
        let (_dir, file) = file(r#"{"credHelpers":{"h":"not-there-at-all"}}"#);
        let error = login(&file, "h", "a").await.unwrap_err();
        assert!(error.to_string().contains("docker-credential-not-there-at-all"), "{error}");
    }

    #[test]
    fn a_hosts_own_helper_comes_before_the_one_for_all() {
        let text = r#"{"credHelpers":{"h":"own","https://index.docker.io/v1/":"hub"},"credsStore":"all"}"#;
        let helpers: Helpers = serde_json::from_str(text).unwrap();
        assert_eq!(
            [helpers.of("h"), helpers.of(DOCKER_HUB_KEY), helpers.of("other")].map(Option::unwrap),
            ["own", "hub", "all"]
        );
        let none: Helpers = serde_json::from_str("{}").unwrap();
        assert_eq!(none.of("h"), None);
    }

    #[tokio::test]
    async fn a_helper_is_found_by_its_name_alone() {
        let (_dir, file) = file(r#"{"credsStore":"../evil"}"#);
        assert!(login(&file, "h", "").await.unwrap_err().to_string().contains("no plain name"));
        assert_eq!(helper_program("ecr-login").unwrap(), "docker-credential-ecr-login");
    }
}
