//! The adapter under the conformance suite of forges.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use cfgupdater_core::{CheckState, CommitId, Forge, ObjectId, RequiredCheck};
use cfgupdater_forge_http::{Form, Secret, SecretSource, sign_hmac};
use cfgupdater_testkit::conformance::forge::{
    CheckKind, ForgeHarness, Posted, Trouble, Unable, Webhook, WebhookEvent, WebhookSigning,
};
use gitea_forge::{GiteaForge, GiteaSettings};
use tempfile::TempDir;

use crate::server::{Gitea, PROJECT};
use crate::webhooks::{headers, status_event};

// [suite]
cfgupdater_testkit::forge_conformance! {
    harness: GiteaHarness::start,
    skips: [
        // Gitea has statuses and nothing else.
        a_name_in_two_kinds_must_pass_in_both,
        // Its rules name contexts, not who sets them.
        a_required_source_is_kept,
    ],
}
// [/suite]

const TOKEN: &str = "gitea-token-of-the-robot";
const SECRETS: [&str; 2] = ["gitea-webhook-secret", "gitea-webhook-secret-to-come"];

/// A Gitea and the files that an operator writes.
struct GiteaHarness {
    gitea: Gitea,
    files: TempDir,
    commits: AtomicU64,
}

impl GiteaHarness {
    async fn start() -> Self {
        let files = tempfile::tempdir().unwrap();
        std::fs::write(files.path().join("token"), TOKEN).unwrap();
        std::fs::write(files.path().join("secret"), SECRETS.join("\n")).unwrap();
        Self { gitea: Gitea::start(TOKEN).await, files, commits: AtomicU64::default() }
    }

    fn file(&self, name: &str) -> SecretSource {
        SecretSource::file(self.files.path().join(name))
    }
}

// [harness]
#[async_trait]
impl ForgeHarness for GiteaHarness {
    async fn forge(&self) -> Arc<dyn Forge> {
        let mut settings = GiteaSettings::new(&self.gitea.api_url, PROJECT, self.file("token")).unwrap();
        settings.webhook_secret = Some(self.file("secret"));
        Arc::new(GiteaForge::new(settings).unwrap())
    }

    fn kinds(&self) -> Vec<CheckKind> {
        let words = [
            ("pending", CheckState::Running),
            ("success", CheckState::Success),
            ("skipped", CheckState::Success),
            ("failure", CheckState::Failure),
            ("error", CheckState::Failure),
            ("warning", CheckState::Unknown(String::new())),
        ];
        vec![CheckKind::new("status", words, &["robot", "somebody"])]
    }

    async fn commit(&self) -> CommitId {
        let number = self.commits.fetch_add(1, Ordering::SeqCst).to_be_bytes();
        let commit = CommitId::new(ObjectId::from_bytes(&[&[0xce; 12][..], &number].concat()).unwrap());
        self.gitea.push(commit);
        commit
    }

    async fn post(&self, commit: CommitId, posted: &Posted) -> Result<(), Unable> {
        let creator = posted.source.as_deref().unwrap_or("robot");
        self.gitea.add_status(commit, &posted.name, &posted.word, creator);
        Ok(())
    }

    fn secrets(&self) -> Vec<String> {
        [TOKEN, SECRETS[0], SECRETS[1]].map(str::to_owned).to_vec()
    }
    // [/harness]

    async fn require(&self, checks: &[RequiredCheck]) -> Result<(), Unable> {
        if checks.iter().any(|check| check.source.is_some()) {
            return Err(Unable::to("require a check by one source"));
        }
        self.gitea.set_contexts(Some(checks.iter().map(|check| check.name.clone()).collect()));
        Ok(())
    }

    async fn cause(&self, trouble: Trouble) -> Result<(), Unable> {
        if trouble == Trouble::TokenExpired {
            let next = "the next gitea token";
            self.gitea.set_token(next);
            std::fs::write(self.files.path().join("token"), next).unwrap();
            return Ok(());
        }
        self.gitea.set_trouble(Some(trouble));
        Ok(())
    }

    async fn cure(&self) {
        self.gitea.set_trouble(None);
    }

    fn signing(&self) -> Result<WebhookSigning, Unable> {
        Ok(WebhookSigning::over_body(&SECRETS))
    }

    fn webhook(&self, event: WebhookEvent) -> Result<Webhook, Unable> {
        let (name, body) = match event {
            WebhookEvent::CheckChanged => ("status", status_event()),
            WebhookEvent::StableMoved => ("push", include_str!("payloads/push.json").to_owned()),
            WebhookEvent::OtherRepository => {
                ("push", include_str!("payloads/push-elsewhere.json").to_owned())
            }
            WebhookEvent::Unknown => ("invented", include_str!("payloads/create.json").to_owned()),
            other => return Err(Unable::to(format!("deliver {other:?}, which Gitea doesn't send"))),
        };
        Ok(Webhook::new(&headers(name), body))
    }

    fn signature(&self, webhook: &Webhook, secret: &str) -> (String, String) {
        // Gitea signs with an empty secret too; nobody can configure one here. A key is filled up with zeros, so that one
        // zero signs as nothing at all does.
        let key = Secret::new(secret).unwrap_or_else(|| Secret::new("\0").unwrap());
        ("x-gitea-signature".to_owned(), sign_hmac(&key, &webhook.body, Form::Bare))
    }
}
