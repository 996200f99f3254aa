//! The in-memory forge under its conformance suite.

use std::sync::Arc;

use async_trait::async_trait;
use cfgupdater_core::{CheckState, CommitId, Forge, RequiredCheck};

use super::forge::MemoryForge;
use super::server::{KINDS, MemoryServer, SOURCES};
use super::webhook;
use crate::conformance::forge::{
    CheckKind, ForgeHarness, Posted, Trouble, Unable, Webhook, WebhookEvent, WebhookSigning,
};

impl MemoryServer {
    /// Builds a server as the suite wants it.
    #[expect(clippy::unused_async, reason = "the suite starts harnesses asynchronously")]
    pub async fn start() -> Self {
        Self::new()
    }
}

#[async_trait]
impl ForgeHarness for MemoryServer {
    async fn forge(&self) -> Arc<dyn Forge> {
        Arc::new(MemoryForge::new(self))
    }

    fn kinds(&self) -> Vec<CheckKind> {
        let words = [
            ("queued", CheckState::Queued),
            ("running", CheckState::Running),
            ("success", CheckState::Success),
            ("failure", CheckState::Failure),
            ("cancelled", CheckState::Infrastructure(String::new())),
        ];
        KINDS.map(|kind| CheckKind::new(kind, words.clone(), &SOURCES)).to_vec()
    }

    async fn commit(&self) -> CommitId {
        self.new_commit()
    }

    async fn post(&self, commit: CommitId, posted: &Posted) -> Result<(), Unable> {
        self.add(commit, posted);
        Ok(())
    }

    fn secrets(&self) -> Vec<String> {
        webhook::SECRETS.iter().map(|secret| (*secret).to_owned()).chain([self.token()]).collect()
    }

    async fn require(&self, checks: &[RequiredCheck]) -> Result<(), Unable> {
        self.set_required(Some(checks.to_vec()));
        Ok(())
    }

    async fn cause(&self, trouble: Trouble) -> Result<(), Unable> {
        self.set_trouble(Some(trouble));
        Ok(())
    }

    async fn cure(&self) {
        self.set_trouble(None);
    }

    async fn settle(&self) -> Result<(), Unable> {
        self.run_requested("success");
        Ok(())
    }

    fn signing(&self) -> Result<WebhookSigning, Unable> {
        Ok(WebhookSigning::over_body(&webhook::SECRETS))
    }

    fn webhook(&self, event: WebhookEvent) -> Result<Webhook, Unable> {
        Ok(webhook::webhook(event))
    }

    fn signature(&self, webhook: &Webhook, secret: &str) -> (String, String) {
        (webhook::HEADER.to_owned(), webhook::sign(&webhook.body, secret))
    }
}
