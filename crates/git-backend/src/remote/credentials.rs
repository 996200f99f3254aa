//! [`CredentialSource`]: who logs in, asked anew for every operation, since tokens expire and are replaced.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use cfgupdater_core::{Error, ErrorKind, Forge, ForgeAction, GitCredentials};

/// Knows the login for git over HTTP.
#[async_trait]
pub trait CredentialSource: fmt::Debug + Send + Sync {
    /// Returns the login to use now, `None` for an anonymous request.
    ///
    /// # Errors
    /// Fails where the login can't be had.
    async fn credentials(&self) -> Result<Option<GitCredentials>, Error>;

    /// Takes note that the remote refused a login, so that another is given from now on where there is one.
    async fn refused(&self, login: &GitCredentials) {
        let _ = login;
    }
}

/// A login that never changes.
#[async_trait]
impl CredentialSource for GitCredentials {
    async fn credentials(&self) -> Result<Option<GitCredentials>, Error> {
        Ok(Some(self.clone()))
    }
}

/// Logs in as the forge says.
#[derive(Debug, Clone)]
pub struct ForgeCredentials(Arc<dyn Forge>);

impl ForgeCredentials {
    /// Asks this forge.
    pub fn new(forge: Arc<dyn Forge>) -> Self {
        Self(forge)
    }
}

#[async_trait]
impl CredentialSource for ForgeCredentials {
    async fn credentials(&self) -> Result<Option<GitCredentials>, Error> {
        self.0.git_credentials().await
    }

    async fn refused(&self, login: &GitCredentials) {
        // Who can't replace it gives the same one again, which is all there is.
        let _ = self.0.perform(ForgeAction::ReplaceCredentials { refused: login.clone() }).await;
    }
}

/// Logs in with the first line of a file, read each time.
#[derive(Debug, Clone)]
pub struct TokenFile {
    username: String,
    path: PathBuf,
}

impl TokenFile {
    /// Uses the token in `path`. Forges differ in the user name they want beside a token, and most ignore it.
    pub fn new(username: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        Self { username: username.into(), path: path.into() }
    }
}

#[async_trait]
impl CredentialSource for TokenFile {
    async fn credentials(&self) -> Result<Option<GitCredentials>, Error> {
        let unusable = |what: &str| {
            let message =
                format!("{what} the token file {}; write the token as its first line", self.path.display());
            Error::new(ErrorKind::Unauthenticated, message)
        };
        let text = tokio::fs::read_to_string(&self.path).await;
        let text = text.map_err(|cause| unusable("can't read").with_source(cause))?;
        let token = text.lines().next().unwrap_or_default().trim();
        if token.is_empty() {
            return Err(unusable("there is no token in"));
        }
        Ok(Some(GitCredentials::new(self.username.clone(), token)))
    }
}
