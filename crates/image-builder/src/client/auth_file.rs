//! [`AuthFile`]: the logins that `docker login`, `podman login` and credential helpers keep.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cfgupdater_core::{Error, ErrorKind};
use docker_credential::{CredentialRetrievalError as Lookup, DockerCredential};

use super::login::Login;

/// How long a credential helper may take.
const HELPER_LIMIT: Duration = Duration::from_secs(30);

/// What Docker Hub's login is kept under.
const DOCKER_HUB_KEY: &str = "https://index.docker.io/v1/";

/// What helpers say where they have no login, which is no failure.
const NOT_KEPT: &str = "credentials not found";

/// A file of logins, as Docker writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AuthFile {
    path: PathBuf,
    /// Somebody asked for this very file, so that it must be there.
    named: bool,
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

    /// Looks up who logs in at a host, `None` for nobody. May run a credential helper.
    pub(super) async fn login(&self, host: &str) -> Result<Option<Login>, Error> {
        let text = match tokio::fs::read(&self.path).await {
            Ok(text) => text,
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound && !self.named => return Ok(None),
            Err(cause) => return Err(self.wrong("can't be read").with_source(cause)),
        };
        let key = if host == "docker.io" { DOCKER_HUB_KEY } else { host }.to_owned();
        let lookup = tokio::task::spawn_blocking(move || {
            docker_credential::get_credential_from_reader(text.as_slice(), &key)
        });
        match tokio::time::timeout(HELPER_LIMIT, lookup).await {
            Ok(Ok(found)) => self.judge(found, host),
            Ok(Err(cause)) => Err(self.wrong("can't be looked into").with_source(cause)),
            Err(_) => Err(self.wrong(&format!("names a credential helper that doesn't answer for {host}"))),
        }
    }

    /// Errors of the lookup are not passed on: some hold what a helper printed.
    fn judge(&self, found: Result<DockerCredential, Lookup>, host: &str) -> Result<Option<Login>, Error> {
        match found {
            Ok(DockerCredential::UsernamePassword(username, password)) => {
                Ok(Some(Login::Password { username, password }))
            }
            Ok(DockerCredential::IdentityToken(token)) => Ok(Some(Login::Identity(token))),
            Err(Lookup::NoCredentialConfigured) => Ok(None),
            Err(Lookup::HelperFailure { stdout, stderr, .. })
                if stdout.contains(NOT_KEPT) || stderr.contains(NOT_KEPT) =>
            {
                Ok(None)
            }
            Err(Lookup::HelperFailure { helper, .. }) => {
                Err(self
                    .wrong(&format!("names {helper}, which failed for {host}; run it by hand to see why")))
            }
            Err(Lookup::HelperCommunicationError | Lookup::MalformedHelperResponse) => {
                Err(self
                    .wrong(&format!("names a credential helper that can't be used for {host}; install it")))
            }
            Err(_) => Err(self.wrong(&format!("holds no usable login for {host}; log in there again"))),
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
        assert_eq!(file.login("r.example.com:5000").await.unwrap(), Some(login));
        assert_eq!(file.login("r.example.com").await.unwrap(), None);
    }

    #[tokio::test]
    async fn docker_hub_is_kept_under_its_old_address() {
        let (_dir, file) =
            file(&format!(r#"{{"auths":{{"https://index.docker.io/v1/":{{"auth":"{AUTH}"}}}}}}"#));
        assert!(file.login("docker.io").await.unwrap().is_some());
    }

    #[tokio::test]
    async fn a_damaged_login_is_an_error_that_holds_no_secret() {
        for text in
            [r#"{"auths":{"h":{"auth":"Y2FuYXJ5"}}}"#, r#"{"auths":{"h":{"auth":"canary!"}}}"#, "canary"]
        {
            let (_dir, file) = file(text);
            let error = file.login("h").await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unauthenticated);
            assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
        }
    }

    #[tokio::test]
    async fn a_missing_helper_is_named_as_the_reason() {
        let (_dir, file) = file(r#"{"credHelpers":{"h":"not-there-at-all"}}"#);
        assert!(file.login("h").await.unwrap_err().to_string().contains("credential helper"));
    }

    #[test]
    fn what_a_helper_printed_stays_with_it() {
        let file = AuthFile::named("/x".into());
        let failure = |stdout: &str| Lookup::HelperFailure {
            helper: "docker-credential-x".to_owned(),
            stdout: stdout.to_owned(),
            stderr: "canary".to_owned(),
        };
        let error = file.judge(Err(failure("canary")), "h").unwrap_err();
        assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
        let nothing = file.judge(Err(failure("credentials not found in native keychain")), "h");
        assert_eq!(nothing.unwrap(), None);
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
