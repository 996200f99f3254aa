//! [`DockerfileDriver`]: a program that builds from Dockerfiles.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

/// Which program's language is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Docker,
    Buildah,
}

/// A program that builds, tags and pushes images. It finds its own logins and settings.
#[derive(Debug, Clone)]
pub struct DockerfileDriver {
    pub(super) kind: Kind,
    pub(super) program: PathBuf,
    pub(super) env: Vec<(OsString, OsString)>,
}

impl DockerfileDriver {
    /// Uses the `docker` found in `PATH`, and the daemon it talks to.
    pub fn docker() -> Self {
        Self { kind: Kind::Docker, program: "docker".into(), env: Vec::new() }
    }

    /// Uses the `buildah` found in `PATH`; it needs no daemon.
    pub fn buildah() -> Self {
        Self { kind: Kind::Buildah, program: "buildah".into(), env: Vec::new() }
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
}

impl fmt::Display for DockerfileDriver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            Kind::Docker => "docker",
            Kind::Buildah => "buildah",
        })
    }
}
