//! The configuration file: one TOML file, checked as a whole, with every mistake named by file and line.

mod check;
mod commit;
mod deploy;
mod duration;
mod error;
mod file;
mod forge;
mod policy;
mod release_file;
mod render;

use std::path::{Path, PathBuf};

use crate::forges::Forges;

pub(crate) use deploy::{Api, Deploy, DeployKind, Pull};
pub use duration::parse_duration;
pub use error::{ConfigError, ConfigErrors};
pub(crate) use file::{AuthMode, File, Mode, Registry as RegistryEntry, Repo, Server, Token as TokenEntry};
pub(crate) use render::{Render, RenderKind};

/// A configuration that was read and checked.
#[derive(Debug)]
pub struct Config {
    pub(crate) file: File,
    /// Where relative paths start: the directory of the file.
    pub(crate) directory: PathBuf,
    /// The kinds of forge that it may name.
    pub(crate) forges: Forges,
}

impl Config {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// Lists every mistake that was found, each with its line and what to do.
    pub fn load(path: &Path) -> Result<Self, ConfigErrors> {
        Self::load_with(path, Forges::default())
    }

    /// Reads and checks a file that may name these kinds of forge.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn load_with(path: &Path, forges: Forges) -> Result<Self, ConfigErrors> {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|error| ConfigErrors::unreadable(&name, &format!("it can't be read: {error}")))?;
        let directory = path.parent().map(Path::to_owned).unwrap_or_default();
        Self::read(&text, &name, directory, forges)
    }

    /// Reads and checks a text; `name` is what errors call it.
    ///
    /// # Errors
    /// Lists every mistake that was found, each with its line and what to do.
    pub fn parse(text: &str, name: &str) -> Result<Self, ConfigErrors> {
        Self::read(text, name, PathBuf::new(), Forges::default())
    }

    fn read(text: &str, name: &str, directory: PathBuf, forges: Forges) -> Result<Self, ConfigErrors> {
        let file: File = toml::from_str(text).map_err(|error| ConfigErrors::syntax(name, text, &error))?;
        let config = Self { file, directory, forges };
        let mistakes = check::mistakes(&config);
        if mistakes.is_empty() { Ok(config) } else { Err(ConfigErrors::of(name, text, mistakes)) }
    }

    /// Makes a path of the file absolute.
    pub(crate) fn absolute(&self, path: &Path) -> PathBuf {
        let path = self.directory.join(path);
        std::path::absolute(&path).unwrap_or(path)
    }

    /// Returns where the service listens.
    pub fn listen(&self) -> std::net::SocketAddr {
        *self.file.server.listen.get_ref()
    }

    /// Returns the files of the certificate and its key, where TLS is served.
    pub(crate) fn tls(&self) -> Option<(PathBuf, PathBuf)> {
        let tls = self.file.server.tls.as_ref()?;
        Some((self.directory.join(&tls.cert_file), self.directory.join(&tls.key_file)))
    }

    /// Returns the directory for mirrors and scratch files.
    pub fn data_directory(&self) -> PathBuf {
        self.directory.join(&self.file.server.data_dir)
    }
}

#[cfg(test)]
mod tests;
