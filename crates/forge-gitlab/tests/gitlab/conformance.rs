//! What every forge must do.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use cfgupdater_core::{CheckState, CommitId, Forge};
use cfgupdater_forge_gitlab::{GitlabForge, SOURCE};
use cfgupdater_testkit::conformance::forge::{
    CheckKind, ForgeHarness, Posted, Trouble, Unable, Webhook, WebhookEvent, WebhookSigning,
};
use cfgupdater_tests_gitlab::{self as fake, FakeGitlab, PROJECT, PROJECT_ID, TOKEN};
use serde_json::json;
use tempfile::TempDir;

use crate::site::{SECRETS, commit, settings};

cfgupdater_testkit::forge_conformance! {
    harness: || async { GitlabHarness::start() },
    skips: [
        // GitLab requires nothing of a push: what is required is what the settings say.
        the_required_set_is_read,
        a_required_source_is_kept,
        a_changed_required_set_is_seen,
        an_empty_required_set_allows_nothing,
        a_required_set_that_may_not_be_read_is_an_error,
        a_required_set_that_is_out_of_reach_is_an_error,
        // The secret is sent as it is; see `signatures.rs` for those that are signed.
        an_altered_body_is_refused,
        // It has neither.
        a_requested_check_gets_a_result,
        asking_again_starts_nothing,
        a_report_is_read_back,
        a_later_report_counts,
        a_report_in_unknown_words_never_passes,
        evidence_of_an_unknown_check_is_none,
        a_forge_without_webhooks_takes_none,
    ],
}

/// Who posts statuses.
const USERS: [&str; 2] = ["jenkins", "sonar"];

/// A GitLab whose adapter leaves the pipeline out of what is required, so that nothing is required and every name is one
/// that the suite posted. What the pipeline adds is in `verdicts.rs`.
struct GitlabHarness {
    gitlab: FakeGitlab,
    directory: TempDir,
    commits: AtomicU32,
}

impl GitlabHarness {
    fn start() -> Self {
        let gitlab = FakeGitlab::start();
        gitlab.world().duplicates_external = true;
        Self { gitlab, directory: tempfile::tempdir().unwrap(), commits: AtomicU32::new(1) }
    }
}

#[async_trait]
impl ForgeHarness for GitlabHarness {
    async fn forge(&self) -> Arc<dyn Forge> {
        let mut settings = settings(&self.gitlab, &self.directory);
        settings.pipeline = false;
        Arc::new(GitlabForge::new(settings).unwrap())
    }

    fn kinds(&self) -> Vec<CheckKind> {
        let infrastructure = || CheckState::Infrastructure(String::new());
        let words = [
            ("running", CheckState::Running),
            ("pending", CheckState::Queued),
            ("success", CheckState::Success),
            ("failed", CheckState::Failure),
            ("canceled", infrastructure()),
            ("skipped", infrastructure()),
        ];
        let of_jobs = [
            ("created", CheckState::Queued),
            ("manual", CheckState::Queued),
            ("scheduled", CheckState::Queued),
            ("preparing", CheckState::Queued),
            ("waiting_for_resource", CheckState::Queued),
            ("canceling", CheckState::Running),
        ];
        let jobs = words.clone().into_iter().chain(of_jobs);
        vec![CheckKind::new("job", jobs, &[SOURCE]), CheckKind::new("status", words, &USERS)]
    }

    async fn commit(&self) -> CommitId {
        commit(self.commits.fetch_add(1, Ordering::Relaxed))
    }

    async fn post(&self, commit: CommitId, posted: &Posted) -> Result<(), Unable> {
        let (sha, mut world) = (commit.to_string(), self.gitlab.world());
        if posted.kind == "status" {
            let by = posted.source.as_deref().unwrap_or(USERS[0]);
            world.status(&sha, "feature", &posted.name, &posted.word, by);
        } else {
            let pipeline = world.pipeline_of(&sha, "auto");
            world.job(pipeline, &posted.name, &posted.word);
        }
        Ok(())
    }

    fn secrets(&self) -> Vec<String> {
        SECRETS.into_iter().chain([TOKEN, "glpat-canary"]).map(str::to_owned).collect()
    }

    async fn cause(&self, trouble: Trouble) -> Result<(), Unable> {
        let mut world = self.gitlab.world();
        world.trouble = match trouble {
            Trouble::RateLimited { after } => fake::Trouble::RateLimited(after.map(|after| after.as_secs())),
            Trouble::Unavailable => fake::Trouble::Unavailable,
            Trouble::PageFails(page) => fake::Trouble::PageFails(page),
            Trouble::PageIsMissing(page) => fake::Trouble::PageIsMissing(page),
            Trouble::PageIsCut(page) => fake::Trouble::PageIsCut(page),
            Trouble::PageIsShort => fake::Trouble::PageIsShort,
            Trouble::CommitUnknown(commit) => fake::Trouble::CommitUnknown(commit.to_string()),
            Trouble::RepositoryGone => fake::Trouble::ProjectGone,
            Trouble::TokenExpired => {
                let next = "glpat-canarythenextone";
                world.rotate(next);
                std::fs::write(self.directory.path().join("token"), next).unwrap();
                fake::Trouble::None
            }
            Trouble::TokenRevoked => fake::Trouble::TokenRevoked,
            Trouble::ChecksForbidden => fake::Trouble::ChecksForbidden,
            other => return Err(Unable::to(format!("cause {other:?}"))),
        };
        Ok(())
    }

    async fn cure(&self) {
        self.gitlab.world().trouble = fake::Trouble::None;
    }

    fn signing(&self) -> Result<WebhookSigning, Unable> {
        Ok(WebhookSigning::token(&SECRETS))
    }

    fn webhook(&self, event: WebhookEvent) -> Result<Webhook, Unable> {
        webhook(event)
    }

    fn signature(&self, _: &Webhook, secret: &str) -> (String, String) {
        ("x-gitlab-token".to_owned(), secret.to_owned())
    }
}

/// Makes the webhook of an event, without what proves it.
pub(crate) fn webhook(event: WebhookEvent) -> Result<Webhook, Unable> {
    let pipeline = json!({ "id": 31, "ref": "auto", "source": "push", "status": "success" });
    let (name, mut body) = match event {
        WebhookEvent::CheckChanged => {
            ("Pipeline Hook", json!({ "object_kind": "pipeline", "object_attributes": pipeline }))
        }
        WebhookEvent::StableMoved => {
            ("Push Hook", json!({ "object_kind": "push", "ref": "refs/heads/master" }))
        }
        WebhookEvent::OtherRepository => (
            "Pipeline Hook",
            json!({
                "object_kind": "pipeline", "object_attributes": pipeline,
                "project": { "id": 9, "path_with_namespace": "acme/other" }
            }),
        ),
        WebhookEvent::Unknown => ("Something New Hook", json!({ "object_kind": "something_new" })),
        other => return Err(Unable::to(format!("deliver {other:?}"))),
    };
    if body["project"].is_null() {
        body["project"] = json!({ "id": PROJECT_ID, "path_with_namespace": PROJECT });
    }
    let headers = [
        ("x-gitlab-event", name),
        ("x-gitlab-instance", "https://gitlab.example"),
        ("idempotency-key", "f5e5f430-f57b-4e6e-9fac-d9128cd7232f"),
        ("content-type", "application/json"),
        ("user-agent", "GitLab/19.5.0"),
    ];
    Ok(Webhook::new(&headers, body.to_string()))
}
