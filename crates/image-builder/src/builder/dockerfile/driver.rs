//! [`DockerfileDriver`]: a program that builds from Dockerfiles.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use cfgupdater_core::{Error, ErrorKind};
use tempfile::TempDir;

/// Which program's language is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Docker,
    Buildah,
}

/// Chooses Docker's builder.
const BUILDKIT: &str = "DOCKER_BUILDKIT";

/// Is told each line that a program writes.
type Listener = Arc<dyn Fn(&str) + Send + Sync>;

/// A program that builds, tags and pushes images. It finds its own settings, and its own logins unless it is told some.
#[derive(Clone)]
pub struct DockerfileDriver {
    pub(super) kind: Kind,
    pub(super) program: PathBuf,
    pub(super) env: Vec<(OsString, OsString)>,
    pub(super) auth_file: Option<PathBuf>,
    pub(super) ca_file: Option<PathBuf>,
    pub(super) listener: Option<Listener>,
}

impl DockerfileDriver {
    /// Uses the `docker` found in `PATH`, and the daemon it talks to.
    ///
    /// Its classic builder is asked for unless `DOCKER_BUILDKIT` says otherwise: `BuildKit` takes no layers from the branch's
    /// image that weren't built with its own cache in them, so that every new machine would change every digest.
    pub fn docker() -> Self {
        let driver = Self::of(Kind::Docker, "docker");
        if std::env::var_os(BUILDKIT).is_some() { driver } else { driver.with_env(BUILDKIT, "0") }
    }

    /// Uses the `buildah` found in `PATH`; it needs no daemon.
    pub fn buildah() -> Self {
        Self::of(Kind::Buildah, "buildah")
    }

    fn of(kind: Kind, program: &str) -> Self {
        let program = program.into();
        Self { kind, program, env: Vec::new(), auth_file: None, ca_file: None, listener: None }
    }

    /// Uses this program instead.
    #[must_use]
    pub fn with_program(mut self, program: impl Into<PathBuf>) -> Self {
        self.program = program.into();
        self
    }

    /// Sets a variable of the program's environment, such as `CONTAINERS_STORAGE_CONF`.
    #[must_use]
    pub fn with_env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// Has the program log in by this file, written as Docker's `config.json`. Docker takes none.
    #[must_use]
    pub fn with_auth_file(mut self, file: impl Into<PathBuf>) -> Self {
        self.auth_file = Some(file.into());
        self
    }

    /// Has the program trust the certificate authorities in this PEM file, too. Docker takes none.
    #[must_use]
    pub fn with_ca_file(mut self, file: impl Into<PathBuf>) -> Self {
        self.ca_file = Some(file.into());
        self
    }

    /// Passes on each line that the program writes, as it is written.
    #[must_use]
    pub fn with_listener(mut self, listener: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.listener = Some(Arc::new(listener));
        self
    }

    /// Lays out what the program is to trust as it wants to find it: a directory of certificates.
    pub(super) fn certificates(&self) -> Result<Option<TempDir>, Error> {
        let told = self.auth_file.as_ref().or(self.ca_file.as_ref());
        if let (Kind::Docker, Some(file)) = (self.kind, told) {
            let message = format!(
                "docker can't be told of {}: log in by `docker login` or DOCKER_CONFIG, and have its daemon trust the \
                 authority (/etc/docker/certs.d)",
                file.display()
            );
            return Err(Error::new(ErrorKind::Invalid, message));
        }
        let Some(file) = &self.ca_file else { return Ok(None) };
        let laid_out = tempfile::tempdir().and_then(|directory| {
            std::fs::copy(file, directory.path().join("ca.crt"))?;
            Ok(directory)
        });
        laid_out.map(Some).map_err(|cause| {
            let message = format!("the certificate file {} can't be read", file.display());
            Error::new(ErrorKind::Invalid, message).with_source(cause)
        })
    }
}

impl fmt::Debug for DockerfileDriver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Variables may hold secrets.
        let env: Vec<_> = self.env.iter().map(|(name, _)| name).collect();
        f.debug_struct("DockerfileDriver")
            .field("kind", &self.kind)
            .field("program", &self.program)
            .field("env", &env)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for DockerfileDriver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            Kind::Docker => "docker",
            Kind::Buildah => "buildah",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn docker_is_not_told_what_it_can_not_take() {
        for driver in [
            DockerfileDriver::docker().with_auth_file("/a.json"),
            DockerfileDriver::docker().with_ca_file("/ca.pem"),
        ] {
            let error = driver.certificates().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
            assert!(error.to_string().contains("docker login"), "{error}");
        }
        assert!(DockerfileDriver::docker().certificates().unwrap().is_none());
    }

    #[test]
    fn buildah_finds_certificates_in_a_directory() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "PEM").unwrap();
        let driver = DockerfileDriver::buildah().with_auth_file("/a.json").with_ca_file(file.path());
        let directory = driver.certificates().unwrap().unwrap();
        assert_eq!(std::fs::read_to_string(directory.path().join("ca.crt")).unwrap(), "PEM");
        let error = DockerfileDriver::buildah().with_ca_file("/nowhere.pem").certificates().unwrap_err();
        assert!(error.to_string().contains("/nowhere.pem can't be read"), "{error}");
    }

    #[test]
    fn variables_are_not_shown() {
        let driver = DockerfileDriver::buildah().with_env("TOKEN", "canary");
        assert!(!format!("{driver:?}").contains("canary"));
    }
}
