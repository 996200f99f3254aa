//! What every forge must do.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use cfgupdater_core::{CheckState, CommitId, Forge, RequiredCheck};
use cfgupdater_forge_github::GithubForge;
use cfgupdater_forge_http::{Form, Secret, sign_hmac};
use cfgupdater_testkit::conformance::forge::{
    CheckKind, ForgeHarness, Posted, Trouble, Unable, Webhook, WebhookEvent, WebhookSigning,
};
use cfgupdater_tests_github::{self as fake, FakeGithub, INSTALLATION, REPOSITORY};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::site::{SECRETS, commit, settings};

cfgupdater_testkit::forge_conformance! {
    harness: || async { GithubHarness::start() },
}

/// The Apps that can make check runs; statuses have logins.
const APPS: [&str; 2] = ["15368", "99"];
const LOGINS: [&str; 2] = ["octocat", "jenkins"];

struct GithubHarness {
    github: FakeGithub,
    directory: TempDir,
    commits: AtomicU32,
}

impl GithubHarness {
    fn start() -> Self {
        Self {
            github: FakeGithub::start(),
            directory: tempfile::tempdir().unwrap(),
            commits: AtomicU32::new(1),
        }
    }
}

fn infrastructure() -> CheckState {
    CheckState::Infrastructure(String::new())
}

#[async_trait]
impl ForgeHarness for GithubHarness {
    async fn forge(&self) -> Arc<dyn Forge> {
        Arc::new(GithubForge::new(settings(&self.github, &self.directory)).unwrap())
    }

    fn kinds(&self) -> Vec<CheckKind> {
        let runs = [
            ("queued", CheckState::Queued),
            ("in_progress", CheckState::Running),
            ("waiting", CheckState::Queued),
            ("requested", CheckState::Queued),
            ("pending", CheckState::Queued),
            ("success", CheckState::Success),
            ("neutral", CheckState::Success),
            ("skipped", CheckState::Success),
            ("failure", CheckState::Failure),
            ("timed_out", CheckState::Failure),
            ("action_required", CheckState::Failure),
            ("cancelled", infrastructure()),
            ("stale", infrastructure()),
            ("startup_failure", infrastructure()),
        ];
        let statuses = [
            ("pending", CheckState::Running),
            ("success", CheckState::Success),
            ("failure", CheckState::Failure),
            ("error", CheckState::Failure),
        ];
        vec![CheckKind::new("check run", runs, &APPS), CheckKind::new("status", statuses, &LOGINS)]
    }

    async fn commit(&self) -> CommitId {
        commit(self.commits.fetch_add(1, Ordering::Relaxed))
    }

    async fn post(&self, commit: CommitId, posted: &Posted) -> Result<(), Unable> {
        let (sha, mut world) = (commit.to_string(), self.github.world());
        let source = posted.source.as_deref();
        if posted.kind == "status" {
            world.status(&sha, &posted.name, &posted.word, source.unwrap_or(LOGINS[0]));
        } else {
            let app = source.unwrap_or(APPS[0]).parse().unwrap();
            world.run(&sha, &posted.name, &posted.word, app);
        }
        Ok(())
    }

    fn secrets(&self) -> Vec<String> {
        let key = std::fs::read_to_string(fake::KEY).unwrap();
        let line = key.lines().nth(1).unwrap().to_owned();
        SECRETS.map(str::to_owned).into_iter().chain([line, "ghs_canary".to_owned()]).collect()
    }

    async fn require(&self, checks: &[RequiredCheck]) -> Result<(), Unable> {
        let mut world = self.github.world();
        let source =
            |check: &RequiredCheck| check.source.as_ref().map(|source| source.parse::<i64>().unwrap());
        let checks: Vec<(&str, Option<i64>)> =
            checks.iter().map(|check| (check.name.as_str(), source(check))).collect();
        let (one, other) = checks.split_at(checks.len() / 2);
        // Some of them by branch protection and some by a ruleset: they hold together.
        world.protect(one);
        world.rules.clear();
        world.rule(other);
        Ok(())
    }

    async fn cause(&self, trouble: Trouble) -> Result<(), Unable> {
        let mut world = self.github.world();
        world.trouble = match trouble {
            Trouble::RateLimited { after } => fake::Trouble::RateLimited(after.map(|after| after.as_secs())),
            Trouble::Unavailable => fake::Trouble::Unavailable,
            Trouble::PageFails(page) => fake::Trouble::PageFails(page),
            Trouble::PageIsCut(page) => fake::Trouble::PageIsCut(page),
            Trouble::PageIsShort => fake::Trouble::PageIsShort,
            Trouble::CommitUnknown(commit) => fake::Trouble::CommitUnknown(commit.to_string()),
            Trouble::RepositoryGone => fake::Trouble::RepositoryGone,
            Trouble::TokenExpired => {
                world.expire_tokens();
                fake::Trouble::None
            }
            Trouble::TokenRevoked => fake::Trouble::TokenRevoked,
            Trouble::ChecksForbidden => fake::Trouble::ChecksForbidden,
            Trouble::RequiredForbidden => fake::Trouble::RequiredForbidden,
            other => return Err(Unable::to(format!("cause {other:?}"))),
        };
        Ok(())
    }

    async fn cure(&self) {
        self.github.world().trouble = fake::Trouble::None;
    }

    fn signing(&self) -> Result<WebhookSigning, Unable> {
        Ok(WebhookSigning::over_body(&SECRETS))
    }

    fn webhook(&self, event: WebhookEvent) -> Result<Webhook, Unable> {
        let (name, mut body) = match event {
            WebhookEvent::CheckChanged => {
                ("check_run", json!({ "action": "completed", "check_run": { "id": 1 } }))
            }
            WebhookEvent::StableMoved => ("push", json!({ "ref": "refs/heads/master" })),
            WebhookEvent::RequirementsChanged => ("branch_protection_rule", json!({ "action": "edited" })),
            WebhookEvent::OtherRepository => {
                ("check_run", json!({ "repository": { "full_name": "acme/other" } }))
            }
            WebhookEvent::Unknown => ("something_new", json!({})),
            other => return Err(Unable::to(format!("deliver {other:?}"))),
        };
        if body["repository"].is_null() {
            body["repository"] = json!({ "full_name": REPOSITORY });
        }
        body["installation"] = json!({ "id": INSTALLATION });
        Ok(delivery(name, &body))
    }

    fn signature(&self, webhook: &Webhook, secret: &str) -> (String, String) {
        // A key is filled up with zeros, so that one zero signs as nothing at all does, which is no secret here.
        let key = Secret::new(secret).unwrap_or_else(|| Secret::new("\0").unwrap());
        ("x-hub-signature-256".to_owned(), sign_hmac(&key, &webhook.body, Form::Prefixed))
    }
}

fn delivery(event: &str, body: &Value) -> Webhook {
    let headers = [
        ("x-github-event", event),
        ("x-github-delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958"),
        ("content-type", "application/json"),
        ("user-agent", "GitHub-Hookshot/044aadd"),
    ];
    Webhook::new(&headers, body.to_string())
}
