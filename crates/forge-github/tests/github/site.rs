//! A GitHub, and adapters of it.

use std::sync::Arc;

use cfgupdater_core::{CheckRun, CommitId, Forge, RequiredChecks, Verdict, verdict};
use cfgupdater_forge_github::{GithubForge, GithubSettings, Login};
use cfgupdater_forge_http::SecretSource;
use cfgupdater_tests_github::{APP, FakeGithub, INSTALLATION, KEY, REPOSITORY};
use tempfile::TempDir;

pub(crate) const SECRETS: [&str; 2] = ["canary-current", "canary-next"];

/// Settings for an App, with the webhook's secrets in `directory`.
pub(crate) fn settings(github: &FakeGithub, directory: &TempDir) -> GithubSettings {
    settings_at(&github.api_url(), directory)
}

/// Settings for an App at an address.
pub(crate) fn settings_at(api_url: &str, directory: &TempDir) -> GithubSettings {
    let secret = directory.path().join("webhook");
    std::fs::write(&secret, SECRETS.join("\n")).unwrap();
    let login = Login::App { id: APP, key: SecretSource::file(KEY), installation: Some(INSTALLATION) };
    let mut settings = GithubSettings::new(REPOSITORY.parse().unwrap(), login);
    api_url.clone_into(&mut settings.api_url);
    settings.webhook_secret = Some(SecretSource::file(secret));
    settings.stable = Some("master".parse().unwrap());
    settings
}

/// A GitHub with one adapter.
pub(crate) struct Site {
    pub(crate) github: FakeGithub,
    pub(crate) directory: TempDir,
    pub(crate) forge: Arc<GithubForge>,
}

impl Site {
    pub(crate) fn new() -> Self {
        Self::with(|_| ())
    }

    pub(crate) fn with(change: impl FnOnce(&mut GithubSettings)) -> Self {
        let (github, directory) = (FakeGithub::start(), tempfile::tempdir().unwrap());
        let mut settings = settings(&github, &directory);
        change(&mut settings);
        let forge = Arc::new(GithubForge::new(settings).unwrap());
        Self { github, directory, forge }
    }

    pub(crate) async fn runs(&self, commit: CommitId) -> Vec<CheckRun> {
        self.forge.checks(&[commit]).await.unwrap().remove(&commit).unwrap()
    }

    pub(crate) async fn verdict(&self, commit: CommitId, required: &RequiredChecks) -> Verdict {
        verdict(required, &self.runs(commit).await)
    }
}

/// Makes up a commit.
pub(crate) fn commit(n: u32) -> CommitId {
    format!("{n:08x}").repeat(5).parse().unwrap()
}
