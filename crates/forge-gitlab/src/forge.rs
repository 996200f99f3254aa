//! [`GitlabForge`]: the forge itself.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use cfgupdater_core::{
    Capabilities, Checks, CommitId, Error, ErrorKind, Finding, Forge, ForgeAction, ForgeAnswer,
    GitCredentials, RequiredChecks, WebhookDelivery, WebhookMeaning,
};
use cfgupdater_forge_http::{Trouble, now};
use futures_util::{StreamExt, TryStreamExt, stream};
use gitlab::api::projects;
use serde::Deserialize;

use crate::client::Client;
use crate::pipelines::Branches;
use crate::polling::{Cost, Polling};
use crate::project::{incomplete, name};
use crate::settings::{GitlabSettings, subpath};
use crate::webhook::{self, Subject};
use crate::{checks, preflight};

/// How many commits are asked about at once.
const AT_ONCE: usize = 8;

/// The user name that goes with a token; GitLab takes any.
const USERNAME: &str = "oauth2";

/// A project on a GitLab. Must be made and used inside a tokio runtime.
pub struct GitlabForge {
    inner: Inner,
    polling: Polling,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) client: Client,
    pub(crate) settings: GitlabSettings,
    subject: Subject,
    /// Whether GitLab cancels pipelines of a branch that moves on, as it was told last.
    cancels: AtomicBool,
}

/// What is needed to know of a project.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Project {
    pub(crate) default_branch: Option<String>,
    auto_cancel_pending_pipelines: Option<String>,
    pub(crate) builds_access_level: Option<String>,
    #[serde(default)]
    pub(crate) archived: bool,
}

impl Project {
    /// Tells whether pipelines of a branch that moves on are cancelled.
    pub(crate) fn cancels(&self) -> bool {
        self.auto_cancel_pending_pipelines.as_deref() == Some("enabled")
    }
}

impl GitlabForge {
    /// Builds a forge; nothing is asked yet.
    ///
    /// # Errors
    /// Fails where the API's address, the proxy's or the certificates can't be used.
    pub fn new(settings: GitlabSettings) -> Result<Self, Error> {
        let client = Client::new(&settings)?;
        // Where the stable branch isn't configured, any may be it.
        let ours = settings.stable.iter().flat_map(|stable| {
            [stable, &settings.auto, &settings.state, &settings.probe].map(ToString::to_string)
        });
        let subject = Subject {
            project: settings.project.clone(),
            subpath: subpath(&settings.api_url).to_owned(),
            branches: ours.collect(),
        };
        Ok(Self {
            inner: Inner { client, settings, subject, cancels: AtomicBool::default() },
            polling: Polling::default(),
        })
    }

    /// Has somebody look again while a commit waits for its checks: GitLab sends no webhook for what others report.
    #[must_use]
    pub fn with_look(mut self, look: Arc<dyn Fn() + Send + Sync>) -> Self {
        self.polling.look = Some(look);
        self
    }
}

impl fmt::Debug for GitlabForge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GitlabForge").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl Inner {
    pub(crate) async fn project(&self) -> Result<Project, Trouble> {
        let project = &self.settings.project;
        let endpoint = projects::Project::builder().project(name(project)).build().map_err(incomplete)?;
        self.client.read(&format!("looking at {project}"), &endpoint).await
    }

    /// Keeps what a project's settings mean for how it may be pushed to.
    pub(crate) fn remember(&self, project: &Project) {
        self.cancels.store(project.cancels(), Ordering::Relaxed);
    }

    /// Returns the branches whose pipelines speak. Where the stable branch isn't configured, what a person pushed waits
    /// until it is tested on the probe branch.
    fn branches(&self) -> Branches {
        let settings = &self.settings;
        Branches {
            tested: vec![settings.auto.to_string(), settings.probe.to_string()],
            stable: settings.stable.as_ref().map(ToString::to_string),
        }
    }

    fn required(&self) -> RequiredChecks {
        RequiredChecks { checks: self.settings.required(), allow_empty: false }
    }
}

#[async_trait]
impl Forge for GitlabForge {
    /// Whether pipelines are cancelled is known once [`Forge::preflight`] has looked.
    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::default();
        capabilities.pushes_per_minute = self.inner.settings.pushes_per_minute;
        capabilities.cancels_superseded = self.inner.cancels.load(Ordering::Relaxed);
        capabilities
    }

    async fn checks(&self, commits: &[CommitId]) -> Result<Checks, Error> {
        let Inner { client, settings, .. } = &self.inner;
        let branches = &self.inner.branches();
        let before = client.budget.spending().answers;
        let wanted: BTreeSet<CommitId> = commits.iter().copied().collect();
        let read = wanted.into_iter().map(|commit| async move {
            Ok::<_, Error>((commit, checks::read(client, settings, branches, commit).await?))
        });
        let read: Checks = stream::iter(read).buffered(AT_ONCE).try_collect().await?;
        let spending = client.budget.spending();
        let cost = Cost {
            requests: spending.answers.saturating_sub(before),
            limit: spending.limit.map(|limit| limit.limit),
            remaining: spending.limit.map(|limit| limit.remaining),
        };
        self.polling.plan(&self.inner.required(), &read, cost);
        Ok(read)
    }

    /// GitLab itself requires nothing of a push: what is required is what the settings say.
    async fn required_checks(&self) -> Result<Option<RequiredChecks>, Error> {
        Ok(Some(self.inner.required()).filter(|required| !required.checks.is_empty()))
    }

    fn decode_webhook(&self, delivery: &WebhookDelivery<'_>) -> Result<WebhookMeaning, Error> {
        let Some(secret) = &self.inner.settings.webhook_secret else {
            let message = "no webhook is accepted, since webhook_secret_file is not configured";
            return Err(Error::new(ErrorKind::Unauthenticated, message));
        };
        webhook::authenticate(delivery, &secret.values()?, now())?;
        Ok(webhook::read(delivery, &self.inner.subject))
    }

    async fn git_credentials(&self) -> Result<Option<GitCredentials>, Error> {
        let token = self.inner.client.token()?;
        Ok(Some(GitCredentials::new(USERNAME, token.expose())))
    }

    async fn preflight(&self) -> Result<Vec<Finding>, Error> {
        preflight::examine(&self.inner).await
    }

    async fn perform(&self, action: ForgeAction) -> Result<ForgeAnswer, Error> {
        match action {
            ForgeAction::ReadUsage => Ok(ForgeAnswer::Usage(self.inner.client.budget.usage())),
            _ => Err(Error::new(
                ErrorKind::Unsupported,
                "GitLab can't do that; let its pipelines run the checks",
            )),
        }
    }
}
