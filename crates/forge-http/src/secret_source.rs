//! [`SecretSource`]: a secret by name, read again when it changes.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use cfgupdater_core::{Error, ErrorKind};

use crate::secret::Secret;

/// Where a secret comes from: an environment variable, or a file that is read again whenever it changes.
///
/// Cheap to clone; clones share what was read.
#[derive(Debug, Clone)]
pub struct SecretSource(Place);

#[derive(Debug, Clone)]
enum Place {
    Variable(String),
    File(Arc<File>),
}

struct File {
    path: PathBuf,
    read: Mutex<Option<(Stamp, Secret)>>,
}

/// What changes when a file does.
type Stamp = (SystemTime, u64);

impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("File").field(&self.path).finish()
    }
}

impl SecretSource {
    /// Reads an environment variable.
    pub fn variable(name: impl Into<String>) -> Self {
        Self(Place::Variable(name.into()))
    }

    /// Reads a file.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self(Place::File(Arc::new(File { path: path.into(), read: Mutex::default() })))
    }

    /// Returns the secrets that are valid now: the first two lines that hold something, the current secret and the
    /// next one.
    ///
    /// # Errors
    /// Says which variable or file is missing or empty, never what it holds.
    pub fn values(&self) -> Result<Vec<Secret>, Error> {
        let text = self.text()?;
        Ok(text.expose().lines().filter_map(Secret::new).take(2).collect())
    }

    /// Returns the secret to send: the first line.
    ///
    /// # Errors
    /// Fails as [`SecretSource::values`] does.
    pub fn current(&self) -> Result<Secret, Error> {
        Ok(self.values()?.swap_remove(0))
    }

    /// Returns all of it, for secrets of many lines such as keys.
    ///
    /// # Errors
    /// Fails as [`SecretSource::values`] does.
    pub fn text(&self) -> Result<Secret, Error> {
        match &self.0 {
            Place::Variable(name) => {
                let value =
                    std::env::var(name).map_err(|_| missing(&format!("{} is not set", self.name())))?;
                Secret::new(value).ok_or_else(|| missing(&format!("{} is empty", self.name())))
            }
            Place::File(file) => file.text(),
        }
    }

    /// Names the place, for messages.
    pub fn name(&self) -> String {
        match &self.0 {
            Place::Variable(name) => format!("the environment variable {name}"),
            Place::File(file) => file_name(&file.path),
        }
    }
}

impl File {
    fn text(&self) -> Result<Secret, Error> {
        let unreadable =
            |cause| missing(&format!("{} can't be read", file_name(&self.path))).with_source(cause);
        let data = std::fs::metadata(&self.path).map_err(unreadable)?;
        let stamp = (data.modified().map_err(unreadable)?, data.len());
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, secret)) = read.as_ref().filter(|(known, _)| *known == stamp) {
            return Ok(secret.clone());
        }
        let text = std::fs::read_to_string(&self.path).map_err(unreadable)?;
        let secret =
            Secret::new(text).ok_or_else(|| missing(&format!("{} is empty", file_name(&self.path))))?;
        *read = Some((stamp, secret.clone()));
        Ok(secret)
    }
}

fn file_name(path: &Path) -> String {
    format!("the secret file {}", path.display())
}

/// A secret that can't be had is our own fault, never that of who is to be known by it.
fn missing(what: &str) -> Error {
    Error::new(ErrorKind::Other, format!("{what}; it must hold the secret"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn write(path: &Path, text: &str, age: u64) {
        std::fs::write(path, text).unwrap();
        let file = std::fs::File::options().write(true).open(path).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(age)).unwrap();
    }

    fn shown(source: &SecretSource) -> Vec<String> {
        source.values().unwrap().iter().map(|secret| secret.expose().to_owned()).collect()
    }

    #[test]
    fn a_file_holds_the_current_and_the_next_secret_and_is_read_again_when_it_changes() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        let source = SecretSource::file(&path);
        let error = source.values().unwrap_err();
        assert!(error.to_string().contains("can't be read"), "{error}");
        assert_eq!(error.kind(), ErrorKind::Other, "not the fault of who is to be known by it");
        write(&path, "one\n\n two \nthree\n", 1);
        assert_eq!(shown(&source), ["one", "two"]);
        assert_eq!(source.current().unwrap().expose(), "one");
        write(&path, "four\n\n two \nthree\n", 2);
        assert_eq!(shown(&source.clone()), ["four", "two"]);
        assert!(!format!("{source:?}").contains("four"));
    }

    #[test]
    fn an_empty_secret_lets_nobody_in() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        write(&path, "\n \n", 1);
        let error = SecretSource::file(&path).values().unwrap_err();
        assert!(error.to_string().contains("is empty"), "{error}");
        let error = SecretSource::variable("CFGUPDATER_NO_SUCH_VARIABLE").values().unwrap_err();
        assert!(error.to_string().contains("CFGUPDATER_NO_SUCH_VARIABLE is not set"), "{error}");
    }
}
