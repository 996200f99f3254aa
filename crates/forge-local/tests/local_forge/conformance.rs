//! The local forge does what a forge must do, on real repositories.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use cfgupdater_core::{CheckState, CommitId, Forge};
use cfgupdater_testkit::conformance::forge::{CheckKind, ForgeHarness, Posted, Trouble, Unable};
use serde_json::json;

use crate::site::{Replica, Site};

cfgupdater_testkit::forge_conformance! {
    harness: async || LocalHarness::new(),
    skips: [
        // A bare repository has no pages, no tokens, no limits and no other kinds of results.
        a_name_in_two_kinds_must_pass_in_both,
        a_page_that_fails_fails_the_whole,
        a_page_that_is_cut_fails_the_whole,
        a_page_that_leaves_something_out_fails_the_whole,
        a_commit_known_later_shows_its_checks,
        a_rate_limit_is_told_with_its_advice,
        a_rate_limit_without_advice_may_be_tried_again,
        an_outage_may_be_tried_again,
        a_revoked_token_is_an_error,
        an_expired_token_is_renewed,
        a_missing_right_is_an_error,
        what_failed_works_once_the_trouble_is_over,
        preflight_tells_of_a_revoked_token,
        // It requires nothing by itself.
        the_required_set_is_read,
        a_required_source_is_kept,
        a_changed_required_set_is_seen,
        an_empty_required_set_allows_nothing,
        a_required_set_that_may_not_be_read_is_an_error,
        a_required_set_that_is_out_of_reach_is_an_error,
        // It has no webhooks.
        an_authentic_webhook_causes_a_look,
        every_secret_in_force_is_accepted,
        a_webhook_signed_with_another_secret_is_refused,
        a_webhook_signed_with_nothing_is_refused,
        an_unsigned_webhook_is_refused,
        a_shortened_signature_is_refused,
        a_lengthened_signature_is_refused,
        an_altered_signature_is_refused,
        an_altered_body_is_refused,
        a_replayed_webhook_means_the_same,
        a_webhook_of_another_repository_causes_no_look,
        an_unknown_event_is_no_error,
        headers_of_other_forges_change_nothing,
        headers_of_other_forges_prove_nothing,
        odd_bodies_are_ignored_or_invalid,
        what_is_not_authentic_is_not_read,
        refused_webhooks_show_no_secret,
    ],
}

/// Results are written with git, as another replica or a person would.
struct LocalHarness {
    site: Site,
    replicas: Mutex<Vec<Replica>>,
    notes: Mutex<BTreeMap<CommitId, Vec<Posted>>>,
}

impl LocalHarness {
    fn new() -> Self {
        Self { site: Site::new(), replicas: Mutex::default(), notes: Mutex::default() }
    }

    fn replicas(&self) -> Vec<Replica> {
        self.replicas.lock().unwrap().clone()
    }
}

#[async_trait]
impl ForgeHarness for LocalHarness {
    async fn forge(&self) -> Arc<dyn Forge> {
        let name = format!("replica-{}", self.replicas().len());
        let replica = self.site.replica(&name, &self.site.counting_command("exit 0")).await;
        self.replicas.lock().unwrap().push(replica.clone());
        replica.forge
    }

    fn kinds(&self) -> Vec<CheckKind> {
        let words = [
            ("pending", CheckState::Running),
            ("success", CheckState::Success),
            ("failure", CheckState::Failure),
            ("broken", CheckState::Infrastructure(String::new())),
        ];
        vec![CheckKind::new("note", words, &["robot", "somebody"])]
    }

    async fn commit(&self) -> CommitId {
        let count = self.notes.lock().unwrap().len();
        let commit = self.site.commit(&format!("commit {count}"));
        self.notes.lock().unwrap().insert(commit, Vec::new());
        for replica in self.replicas() {
            replica.fetch(commit).await;
        }
        commit
    }

    async fn post(&self, commit: CommitId, posted: &Posted) -> Result<(), Unable> {
        self.post_all(commit, std::slice::from_ref(posted)).await
    }

    async fn post_all(&self, commit: CommitId, posted: &[Posted]) -> Result<(), Unable> {
        let mut notes = self.notes.lock().unwrap();
        let attempts = notes.entry(commit).or_default();
        attempts.extend(posted.iter().cloned());
        let line = |(number, posted): (usize, &Posted)| {
            let source = posted.source.as_deref().unwrap_or("robot");
            let (context, state) = (&posted.name, &posted.word);
            json!({"context": context, "number": number + 1, "state": state, "at": "2026-01-01T00:00:00Z", "source": source})
                .to_string()
        };
        let text: Vec<String> = attempts.iter().enumerate().map(line).collect();
        self.site.note(commit, &text.join("\n"));
        Ok(())
    }

    fn secrets(&self) -> Vec<String> {
        Vec::new()
    }

    async fn cause(&self, trouble: Trouble) -> Result<(), Unable> {
        match trouble {
            Trouble::RepositoryGone => {
                self.site.take_away();
                Ok(())
            }
            other => Err(Unable::to(format!("cause {other:?}"))),
        }
    }

    async fn cure(&self) {
        self.site.bring_back();
    }

    async fn settle(&self) -> Result<(), Unable> {
        for replica in self.replicas() {
            replica.work_off(&self.site).await;
        }
        Ok(())
    }
}
