//! [`Logins`]: the files that logins are looked for in.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use cfgupdater_core::Error;

use super::auth_file::AuthFile;
use super::helper_answers::HelperAnswers;
use super::login::Login;

/// Files of logins, the one that counts most first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Logins {
    files: Vec<AuthFile>,
}

impl Logins {
    /// Looks into this file alone, which must be there.
    pub(super) fn named(path: PathBuf) -> Self {
        Self { files: vec![AuthFile { path, named: true }] }
    }

    /// Lists the files that other tools would use in this environment: Docker's, then Podman's.
    pub(super) fn usual(env: impl Fn(&str) -> Option<OsString>) -> Self {
        if let Some(path) = env("REGISTRY_AUTH_FILE") {
            return Self::named(path.into());
        }
        let within = |variable: &str, rest: &str| env(variable).map(|dir| Path::new(&dir).join(rest));
        let candidates = [
            within("DOCKER_CONFIG", "config.json").or_else(|| within("HOME", ".docker/config.json")),
            within("XDG_RUNTIME_DIR", "containers/auth.json"),
            within("HOME", ".config/containers/auth.json"),
        ];
        let files = candidates.into_iter().flatten();
        Self { files: files.map(|path| AuthFile { path, named: false }).collect() }
    }

    /// Looks up who logs in for a repository: what the first file says that has a login for it, `None` for nobody.
    pub(super) async fn of(
        &self,
        host: &str,
        path: &str,
        answers: &HelperAnswers,
    ) -> Result<Option<Login>, Error> {
        for file in &self.files {
            let login = file.login(host, path, answers).await?;
            if login.is_some() {
                return Ok(login);
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(env: &[(&str, &str)]) -> Vec<String> {
        let of = |name: &str| env.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into());
        Logins::usual(of).files.iter().map(|file| file.path.display().to_string()).collect()
    }

    #[test]
    fn the_environment_says_which_files_count() {
        let (docker, podman) = ("/h/.docker/config.json", "/h/.config/containers/auth.json");
        assert_eq!(paths(&[("HOME", "/h")]), [docker, podman]);
        let run = ("XDG_RUNTIME_DIR", "/run/user/1");
        assert_eq!(paths(&[("HOME", "/h"), run]), [docker, "/run/user/1/containers/auth.json", podman]);
        assert_eq!(paths(&[("HOME", "/h"), ("DOCKER_CONFIG", "/d")]), ["/d/config.json", podman]);
        assert_eq!(paths(&[("HOME", "/h"), ("REGISTRY_AUTH_FILE", "/a.json")]), ["/a.json"]);
        assert!(paths(&[]).is_empty());
    }

    #[tokio::test]
    async fn the_first_file_that_has_a_login_counts() {
        let dir = tempfile::tempdir().unwrap();
        let write = |path: &str, hosts: &[&str], user: &str| {
            let path = dir.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            let auths: serde_json::Map<String, serde_json::Value> = hosts
                .iter()
                .map(|host| ((*host).to_owned(), serde_json::json!({"username": user, "password": "x"})))
                .collect();
            std::fs::write(path, serde_json::json!({"auths": auths}).to_string()).unwrap();
        };
        write(".docker/config.json", &["both"], "docker");
        write(".config/containers/auth.json", &["both", "own"], "podman");
        let logins = Logins::usual(|name| (name == "HOME").then(|| dir.path().as_os_str().to_owned()));
        let login = |user: &str| Login::Password { username: user.to_owned(), password: "x".to_owned() };
        let of = async |host: &str| logins.of(host, "a", &HelperAnswers::default()).await.unwrap();
        assert_eq!(of("both").await, Some(login("docker")));
        assert_eq!(of("own").await, Some(login("podman")));
        assert_eq!(of("none").await, None);
    }
}
