//! A harness whose adapter is wrong.

use std::sync::Arc;

use async_trait::async_trait;
use cfgupdater_core::{CommitId, Forge, RequiredCheck};
use cfgupdater_testkit::conformance::forge::{
    CheckKind, ForgeHarness, Posted, Trouble, Unable, Webhook, WebhookEvent, WebhookSigning,
};
use cfgupdater_testkit::memory::MemoryServer;

use crate::Wrong;
use crate::forge::WrongForge;

/// An event, where any will do.
pub(crate) const ANY_EVENT: WebhookEvent = WebhookEvent::CheckChanged;

/// The in-memory server, seen through a wrong adapter.
pub(crate) struct WrongServer {
    server: MemoryServer,
    wrong: Wrong,
}

impl WrongServer {
    pub(crate) fn new(wrong: Wrong) -> Self {
        Self { server: MemoryServer::new(), wrong }
    }
}

#[async_trait]
impl ForgeHarness for WrongServer {
    async fn forge(&self) -> Arc<dyn Forge> {
        Arc::new(WrongForge::new(&self.server, self.wrong).await)
    }

    fn kinds(&self) -> Vec<CheckKind> {
        self.server.kinds()
    }

    async fn commit(&self) -> CommitId {
        self.server.commit().await
    }

    async fn post(&self, commit: CommitId, posted: &Posted) -> Result<(), Unable> {
        self.server.post(commit, posted).await
    }

    fn secrets(&self) -> Vec<String> {
        self.server.secrets()
    }

    async fn require(&self, checks: &[RequiredCheck]) -> Result<(), Unable> {
        self.server.require(checks).await
    }

    async fn cause(&self, trouble: Trouble) -> Result<(), Unable> {
        self.server.cause(trouble).await
    }

    async fn cure(&self) {
        self.server.cure().await;
    }

    async fn settle(&self) -> Result<(), Unable> {
        self.server.settle().await
    }

    fn signing(&self) -> Result<WebhookSigning, Unable> {
        match self.wrong {
            Wrong::TakesWebhooksThatItDoesNotHave => Err(Unable::to("deliver webhooks")),
            _ => self.server.signing(),
        }
    }

    fn webhook(&self, event: WebhookEvent) -> Result<Webhook, Unable> {
        self.server.webhook(event)
    }

    fn signature(&self, webhook: &Webhook, secret: &str) -> (String, String) {
        self.server.signature(webhook, secret)
    }
}
