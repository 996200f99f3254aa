//! [`GithubForge`]: the forge itself.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use cfgupdater_core::{
    Capabilities, Checks, CommitId, Error, ErrorKind, Finding, Forge, ForgeAction, ForgeAnswer,
    GitCredentials, RequiredChecks, WebhookDelivery, WebhookMeaning,
};
use cfgupdater_forge_http::Secret;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};
use tokio::task::JoinHandle;
use tracing::debug;

use crate::client::Client;
use crate::repository::target;
use crate::settings::{GithubSettings, Login};
use crate::webhook::{Subject, Word};
use crate::{checks, preflight, redelivery, required, webhook};

/// How many commits are asked about at once. GitHub counts parallel requests against an account.
const AT_ONCE: usize = 8;

/// The user name that goes with a token.
const USERNAME: &str = "x-access-token";

/// A repository on GitHub or on an Enterprise Server. Must be made and used inside a tokio runtime.
#[derive(Debug)]
pub struct GithubForge {
    inner: Arc<Inner>,
    /// Looks for webhooks that nobody took, once checks were asked for.
    recovering: std::sync::Mutex<Option<JoinHandle<()>>>,
    started: AtomicBool,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) client: Client,
    pub(crate) settings: GithubSettings,
    subject: Subject,
}

/// What is needed to know of a repository.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Repository {
    pub(crate) id: u64,
    pub(crate) full_name: String,
    pub(crate) default_branch: String,
    /// What whoever asks may do; an App's installation is told elsewhere.
    #[serde(default)]
    pub(crate) permissions: Permissions,
}

/// What an account may do in a repository, as far as GitHub says.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Permissions {
    pub(crate) push: Option<bool>,
}

impl GithubForge {
    /// Builds a forge; nothing is asked yet.
    ///
    /// # Errors
    /// Fails where the API's address, the proxy's or the certificates can't be used.
    pub fn new(settings: GithubSettings) -> Result<Self, Error> {
        let client = Client::new(&settings)?;
        let stable = settings.stable.iter();
        // Where the stable branch isn't configured, any may be it.
        let ours = stable.chain(
            settings
                .stable
                .is_some()
                .then_some([&settings.auto, &settings.state, &settings.probe])
                .into_iter()
                .flatten(),
        );
        let subject = Subject {
            repository: settings.repository.clone(),
            installation: client.auth.configured_installation(),
            branches: ours.map(ToString::to_string).collect(),
        };
        let inner = Arc::new(Inner { client, settings, subject });
        Ok(Self { inner, recovering: std::sync::Mutex::default(), started: AtomicBool::new(false) })
    }

    /// Starts to look for missed webhooks, where an App gets any.
    fn recover_webhooks(&self) {
        let settings = &self.inner.settings;
        let possible = settings.webhook_secret.is_some() && matches!(settings.login, Login::App { .. });
        if !possible || self.started.swap(true, Ordering::Relaxed) {
            return;
        }
        let inner = Arc::clone(&self.inner);
        let task = tokio::spawn(async move {
            let mut timer = tokio::time::interval(redelivery::EVERY);
            loop {
                timer.tick().await;
                if let Err(error) = inner.recover().await {
                    debug!("missed webhooks can't be asked for: {error}");
                }
            }
        });
        *self.recovering.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(task);
    }
}

impl Drop for GithubForge {
    fn drop(&mut self) {
        if let Some(task) = self.recovering.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take() {
            task.abort();
        }
    }
}

impl Inner {
    pub(crate) async fn repository(&self) -> Result<Repository, Error> {
        let name = &self.settings.repository;
        Ok(self.client.read(&format!("looking at {name}"), &target(name, &[])).await?)
    }

    pub(crate) async fn stable(&self) -> Result<String, Error> {
        match &self.settings.stable {
            Some(branch) => Ok(branch.to_string()),
            None => Ok(self.repository().await?.default_branch),
        }
    }

    async fn recover(&self) -> Result<(), Error> {
        let id = self.repository().await?.id;
        redelivery::recover(&self.client, id).await
    }
}

#[async_trait]
impl Forge for GithubForge {
    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::default();
        capabilities.pushes_per_minute = self.inner.settings.pushes_per_minute;
        capabilities
    }

    async fn checks(&self, commits: &[CommitId]) -> Result<Checks, Error> {
        self.recover_webhooks();
        let Inner { client, settings, .. } = &*self.inner;
        let wanted: BTreeSet<CommitId> = commits.iter().copied().collect();
        let read = wanted.into_iter().map(|commit| async move {
            Ok::<_, Error>((commit, checks::read(client, &settings.repository, commit).await?))
        });
        stream::iter(read).buffered(AT_ONCE).try_collect().await
    }

    async fn required_checks(&self) -> Result<Option<RequiredChecks>, Error> {
        let Inner { client, settings, .. } = &*self.inner;
        required::read(client, &settings.repository, &self.inner.stable().await?).await
    }

    fn decode_webhook(&self, delivery: &WebhookDelivery<'_>) -> Result<WebhookMeaning, Error> {
        let Some(secret) = &self.inner.settings.webhook_secret else {
            let message = "no webhook is accepted, since webhook_secret_file is not configured";
            return Err(Error::new(ErrorKind::Unauthenticated, message));
        };
        webhook::authenticate(delivery, &secret.values()?)?;
        let word = webhook::read(delivery, &self.inner.subject);
        match word {
            Word::Rules => {
                self.inner.client.cache.forget("/rules/");
                self.inner.client.cache.forget("/protection");
            }
            Word::Rights => self.inner.client.auth.forget_all(),
            Word::Nothing | Word::Look => {}
        }
        Ok(word.meaning())
    }

    async fn git_credentials(&self) -> Result<Option<GitCredentials>, Error> {
        let token = self.inner.client.token().await?;
        Ok(Some(GitCredentials::new(USERNAME, token.expose())))
    }

    async fn preflight(&self) -> Result<Vec<Finding>, Error> {
        preflight::examine(&self.inner).await
    }

    async fn perform(&self, action: ForgeAction) -> Result<ForgeAnswer, Error> {
        match action {
            ForgeAction::ReadUsage => Ok(ForgeAnswer::Usage(self.inner.client.transport.usage())),
            ForgeAction::ReplaceCredentials { refused } if self.inner.client.auth.renews() => {
                if let Some(token) = Secret::new(&refused.password) {
                    self.inner.client.auth.forget(&token).await;
                }
                Ok(ForgeAnswer::Done)
            }
            _ => Err(Error::new(
                ErrorKind::Unsupported,
                "GitHub can't do that; let its Actions run the checks",
            )),
        }
    }
}
