//! [`SigningKey`]: who signs our commits.

use std::path::{Path, PathBuf};

use cfgupdater_core::{Error, ErrorKind, NewCommit};
use ssh_key::{Algorithm, HashAlg, LineEnding, PrivateKey};

use crate::objects::commit_format;

/// What git's signatures of commits are made for, so that they count for nothing else (`gpg.format = ssh` in git-config).
const NAMESPACE: &str = "git";

/// An Ed25519 key in a file, in OpenSSH's format and without a passphrase.
///
/// Ed25519 alone: it signs the same commit the same way each time, so that replicas make the same commits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningKey {
    file: PathBuf,
}

impl SigningKey {
    /// Signs with the key in `file`, which is read again for each signature.
    pub fn new(file: impl Into<PathBuf>) -> Self {
        Self { file: file.into() }
    }

    /// Sees that the key can sign.
    ///
    /// # Errors
    /// Fails where the file can't be read or holds no such key, and says what to do.
    pub fn check(&self) -> Result<(), Error> {
        self.read().map(drop)
    }

    /// Signs a commit.
    pub(crate) fn sign(&self, commit: &NewCommit) -> Result<NewCommit, Error> {
        let key = self.read()?;
        let signature = key.sign(NAMESPACE, HashAlg::Sha512, &commit_format::format(commit)?);
        let signature = signature.and_then(|signature| signature.to_pem(LineEnding::LF));
        let signature = signature.map_err(|error| self.unusable("can't sign", Some(error)))?;
        Ok(commit.clone().with_signature(signature))
    }

    fn read(&self) -> Result<PrivateKey, Error> {
        let text = std::fs::read_to_string(&self.file).map_err(|error| {
            let message = format!("the key that signs commits can't be read: {}", self.file.display());
            Error::new(ErrorKind::Other, message).with_source(error)
        })?;
        let key = PrivateKey::from_openssh(text.trim_start());
        let key =
            key.map_err(|error| self.unusable("holds no Ed25519 key in OpenSSH's format", Some(error)))?;
        if key.is_encrypted() {
            return Err(self.unusable("has a passphrase, which nobody is there to type", None));
        }
        if key.algorithm() != Algorithm::Ed25519 {
            return Err(self.unusable("is no Ed25519 key; others don't sign the same way each time", None));
        }
        Ok(key)
    }

    fn unusable(&self, why: &str, error: Option<ssh_key::Error>) -> Error {
        let file: &Path = &self.file;
        let message = format!(
            "the key that signs commits {why}: {}; make one with `ssh-keygen -t ed25519 -N \"\"`",
            file.display()
        );
        // What is wrong is said without a word of the key.
        let found = Error::new(ErrorKind::Invalid, message);
        match error {
            Some(error) => found.with_source(error),
            None => found,
        }
    }
}
