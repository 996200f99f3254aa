//! [`AuthFile`]: the logins that `docker login`, `podman login` and credential helpers keep.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cfgupdater_core::{Error, ErrorKind};
use docker_credential::{CredentialRetrievalError as Lookup, DockerCredential};
use serde::Deserialize;

use super::helper;
use super::login::Login;

/// What Docker Hub's login is kept under.
const DOCKER_HUB_KEY: &str = "https://index.docker.io/v1/";

/// A file of logins, as Docker writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AuthFile {
    path: PathBuf,
    /// Somebody asked for this very file, so that it must be there.
    named: bool,
}

/// Who keeps logins instead of the file. The library that reads the file would run helpers, too, but waits for them for
/// ever.
#[derive(Deserialize)]
struct Helpers {
    #[serde(rename = "credHelpers", default)]
    by_host: BTreeMap<String, String>,
    #[serde(rename = "credsStore", default)]
    store: Option<String>,
}

impl Helpers {
    /// Returns the helper that keeps a login; one for this host comes before the one for all.
    fn of(&self, key: &str) -> Option<&str> {
        let host = if key == DOCKER_HUB_KEY { "docker.io" } else { key };
        let own = self.by_host.get(key).or_else(|| self.by_host.get(host));
        own.or(self.store.as_ref()).map(String::as_str).filter(|name| !name.is_empty())
    }
}

/// Names a helper's program, which `PATH` leads to; `None` where the file would lead elsewhere.
fn helper_program(helper: &str) -> Option<OsString> {
    let is_plain = helper.bytes().all(|c| c.is_ascii_alphanumeric() || b"._-".contains(&c));
    is_plain.then(|| format!("docker-credential-{helper}").into())
}

impl AuthFile {
    pub(super) fn named(path: PathBuf) -> Self {
        Self { path, named: true }
    }

    /// Finds the file that other tools would use in this environment.
    pub(super) fn usual(env: impl Fn(&str) -> Option<OsString>) -> Option<Self> {
        if let Some(path) = env("REGISTRY_AUTH_FILE") {
            return Some(Self::named(path.into()));
        }
        let within = |variable: &str, rest: &str| env(variable).map(|dir| Path::new(&dir).join(rest));
        let candidates = [
            within("DOCKER_CONFIG", "config.json"),
            within("HOME", ".docker/config.json"),
            within("XDG_RUNTIME_DIR", "containers/auth.json"),
            within("HOME", ".config/containers/auth.json"),
        ];
        let found = candidates.into_iter().flatten().find(|path| path.is_file())?;
        Some(Self { path: found, named: false })
    }

    /// Looks up who logs in at a host, `None` for nobody. May run a credential helper, for as long as `limit`.
    pub(super) async fn login(&self, host: &str, limit: Duration) -> Result<Option<Login>, Error> {
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
                Some(program) => helper::ask(&program, key, limit).await,
                None => Err("names a credential helper by what is no plain name; correct it".to_owned()),
            };
            return asked.map_err(|why| self.wrong(&format!("{why}, for {host}")));
        }
        match docker_credential::get_credential_from_reader(text.as_slice(), key) {
            Ok(DockerCredential::UsernamePassword(username, password)) => {
                Ok(Some(Login::Password { username, password }))
            }
            Ok(DockerCredential::IdentityToken(token)) => Ok(Some(Login::Identity(token))),
            Err(Lookup::NoCredentialConfigured) => Ok(None),
            // The library's errors are not passed on: some hold what they are about.
            Err(_) => Err(damaged()),
        }
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

    const PATIENCE: Duration = Duration::from_secs(30);

    fn file(text: &str) -> (tempfile::TempDir, AuthFile) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.json");
        std::fs::write(&path, text).unwrap();
        (dir, AuthFile::named(path))
    }

    #[tokio::test]
    async fn a_kept_login_is_found_by_its_host() {
        let (_dir, file) = file(&format!(r#"{{"auths":{{"r.example.com:5000":{{"auth":"{AUTH}"}}}}}}"#));
        let login = Login::Password { username: "me".to_owned(), password: "canary".to_owned() };
        assert_eq!(file.login("r.example.com:5000", PATIENCE).await.unwrap(), Some(login));
        assert_eq!(file.login("r.example.com", PATIENCE).await.unwrap(), None);
    }

    #[tokio::test]
    async fn docker_hub_is_kept_under_its_old_address() {
        let (_dir, file) =
            file(&format!(r#"{{"auths":{{"https://index.docker.io/v1/":{{"auth":"{AUTH}"}}}}}}"#));
        assert!(file.login("docker.io", PATIENCE).await.unwrap().is_some());
    }

    #[tokio::test]
    async fn a_damaged_login_is_an_error_that_holds_no_secret() {
        for text in
            [r#"{"auths":{"h":{"auth":"Y2FuYXJ5"}}}"#, r#"{"auths":{"h":{"auth":"canary!"}}}"#, "canary"]
        {
            let (_dir, file) = file(text);
            let error = file.login("h", PATIENCE).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unauthenticated);
            assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
        }
    }

    #[tokio::test]
    async fn a_missing_helper_is_named_as_the_reason() {
        let (_dir, file) = file(r#"{"credHelpers":{"h":"not-there-at-all"}}"#);
        assert!(
            file.login("h", PATIENCE)
                .await
                .unwrap_err()
                .to_string()
                .contains("docker-credential-not-there-at-all")
        );
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
        assert!(file.login("h", PATIENCE).await.unwrap_err().to_string().contains("no plain name"));
        assert_eq!(helper_program("ecr-login").unwrap(), "docker-credential-ecr-login");
    }

    #[test]
    fn the_environment_says_which_file_counts() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join(".docker")).unwrap();
        std::fs::write(dir.path().join(".docker/config.json"), "{}").unwrap();
        let home = |name: &str| (name == "HOME").then(|| dir.path().as_os_str().to_owned());
        assert_eq!(AuthFile::usual(home).unwrap().path, dir.path().join(".docker/config.json"));
        let named = |name: &str| (name == "REGISTRY_AUTH_FILE").then(|| OsString::from("/a.json"));
        assert_eq!(AuthFile::usual(named).unwrap(), AuthFile::named("/a.json".into()));
        assert_eq!(AuthFile::usual(|_| None), None);
    }
}
