//! Secrets by name: a variable, or a file that is read again whenever it changes.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

/// Where a secret comes from. A file may hold two lines, the current secret and the next one: both are valid.
#[derive(Debug)]
pub(crate) enum Secret {
    Env(String),
    File(SecretFile),
}

/// A file of secrets with what was last read from it.
pub(crate) struct SecretFile {
    path: PathBuf,
    read: Mutex<Option<(SystemTime, Vec<String>)>>,
}

impl fmt::Debug for SecretFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretFile").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Secret {
    pub(crate) fn file(path: PathBuf) -> Self {
        Self::File(SecretFile { path, read: Mutex::default() })
    }

    /// Returns the secrets that are valid now.
    ///
    /// # Errors
    /// Says which variable or file is missing or empty, never what it holds.
    pub(crate) fn values(&self) -> Result<Vec<String>, String> {
        match self {
            Self::Env(name) => match std::env::var(name) {
                Ok(value) if !value.trim().is_empty() => Ok(vec![value.trim().to_owned()]),
                Ok(_) => Err(format!("the environment variable {name} is empty; set it to the secret")),
                Err(_) => Err(format!("the environment variable {name} is not set; set it to the secret")),
            },
            Self::File(file) => file.values(),
        }
    }
}

impl SecretFile {
    fn values(&self) -> Result<Vec<String>, String> {
        let unreadable = |error| format!("the secret file {} can't be read: {error}", self.path.display());
        let changed = std::fs::metadata(&self.path).and_then(|data| data.modified()).map_err(unreadable)?;
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, values)) = read.as_ref().filter(|(when, _)| *when == changed) {
            return Ok(values.clone());
        }
        let text = std::fs::read_to_string(&self.path).map_err(unreadable)?;
        let values: Vec<String> =
            text.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).take(2).collect();
        if values.is_empty() {
            return Err(format!(
                "the secret file {} is empty; write the secret into it",
                self.path.display()
            ));
        }
        *read = Some((changed, values.clone()));
        Ok(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_holds_the_current_and_the_next_secret_and_is_read_again_when_it_changes() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("token");
        std::fs::write(&path, "one\ntwo\n").unwrap();
        let secret = Secret::file(path.clone());
        assert_eq!(secret.values().unwrap(), ["one", "two"]);
        std::fs::write(&path, "three\n").unwrap();
        let later = SystemTime::now() + std::time::Duration::from_secs(5);
        std::fs::File::options().write(true).open(&path).unwrap().set_modified(later).unwrap();
        assert_eq!(secret.values().unwrap(), ["three"]);
        std::fs::write(&path, "\n").unwrap();
        std::fs::File::options()
            .write(true)
            .open(&path)
            .unwrap()
            .set_modified(later + std::time::Duration::from_secs(5))
            .unwrap();
        assert!(secret.values().unwrap_err().contains("empty"));
    }
}
