//! A GitLab, and adapters of it.

use std::sync::Arc;

use cfgupdater_core::{CheckRun, CommitId, Forge, Verdict, verdict};
use cfgupdater_forge_gitlab::{GitlabForge, GitlabSettings};
use cfgupdater_forge_http::SecretSource;
use cfgupdater_tests_gitlab::{FakeGitlab, PROJECT, TOKEN};
use tempfile::TempDir;

pub(crate) const SECRETS: [&str; 2] = ["canary-current", "canary-next"];

/// Settings for the project, with the token and the webhook's secrets in `directory`.
pub(crate) fn settings(gitlab: &FakeGitlab, directory: &TempDir) -> GitlabSettings {
    let (token, secret) = (directory.path().join("token"), directory.path().join("webhook"));
    std::fs::write(&token, TOKEN).unwrap();
    std::fs::write(&secret, SECRETS.join("\n")).unwrap();
    let mut settings = GitlabSettings::new(PROJECT.parse().unwrap(), SecretSource::file(token));
    settings.api_url = gitlab.api_url();
    settings.webhook_secret = Some(SecretSource::file(secret));
    settings.stable = Some("master".parse().unwrap());
    settings
}

/// A GitLab with one adapter.
pub(crate) struct Site {
    pub(crate) gitlab: FakeGitlab,
    pub(crate) directory: TempDir,
    pub(crate) forge: Arc<GitlabForge>,
}

impl Site {
    pub(crate) fn new() -> Self {
        Self::with(|_| ())
    }

    pub(crate) fn with(change: impl FnOnce(&mut GitlabSettings)) -> Self {
        let (gitlab, directory) = (FakeGitlab::start(), tempfile::tempdir().unwrap());
        let mut settings = settings(&gitlab, &directory);
        change(&mut settings);
        let forge = Arc::new(GitlabForge::new(settings).unwrap());
        Self { gitlab, directory, forge }
    }

    pub(crate) async fn runs(&self, commit: CommitId) -> Vec<CheckRun> {
        self.forge.checks(&[commit]).await.unwrap().remove(&commit).unwrap()
    }

    /// Judges a commit by what the adapter requires.
    pub(crate) async fn verdict(&self, commit: CommitId) -> Verdict {
        let required = self.forge.required_checks().await.unwrap().unwrap();
        verdict(&required, &self.runs(commit).await)
    }
}

/// Makes up a commit.
pub(crate) fn commit(n: u32) -> CommitId {
    format!("{n:08x}").repeat(5).parse().unwrap()
}
