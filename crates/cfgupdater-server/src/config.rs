//! The configuration file: one TOML file, checked as a whole, with every mistake named by file and line.

mod check;
mod duration;
mod error;
mod file;
mod policy;
mod secret;

use std::path::{Path, PathBuf};

pub use error::{ConfigError, ConfigErrors};
pub(crate) use file::{AuthMode, File, Mode, Repo, Token as TokenEntry};
pub(crate) use secret::Secret;

/// A configuration that was read and checked.
#[derive(Debug)]
pub struct Config {
    pub(crate) file: File,
    /// Where relative paths start: the directory of the file.
    pub(crate) directory: PathBuf,
}

impl Config {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// Lists every mistake that was found, each with its line and what to do.
    pub fn load(path: &Path) -> Result<Self, ConfigErrors> {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|error| ConfigErrors::unreadable(&name, &format!("it can't be read: {error}")))?;
        let mut config = Self::parse(&text, &name)?;
        config.directory = path.parent().map(Path::to_owned).unwrap_or_default();
        Ok(config)
    }

    /// Reads and checks a text; `name` is what errors call it.
    ///
    /// # Errors
    /// Lists every mistake that was found, each with its line and what to do.
    pub fn parse(text: &str, name: &str) -> Result<Self, ConfigErrors> {
        let file: File = toml::from_str(text).map_err(|error| ConfigErrors::syntax(name, text, &error))?;
        let mistakes = check::mistakes(&file);
        if mistakes.is_empty() {
            Ok(Self { file, directory: PathBuf::new() })
        } else {
            Err(ConfigErrors::of(name, text, mistakes))
        }
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
