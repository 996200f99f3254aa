//! A bare repository, replicas of the forge on it, and a clock that tests move.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use cfgupdater_core::{CheckState, CommitId, Forge, ForgeAction, Timestamp};
use cfgupdater_forge_local::{CheckCommand, LocalForge, LocalForgeSettings};
use cfgupdater_git_backend::{Mirror, MirrorSettings, RemoteSettings};
use cfgupdater_testkit::git_command;
use tempfile::TempDir;
use tokio::sync::Notify;

pub(crate) const MINUTE: Duration = Duration::from_mins(1);

/// A clock that stands still until it is moved.
#[derive(Debug, Clone, Default)]
pub(crate) struct Clock(Arc<AtomicI64>);

impl Clock {
    pub(crate) fn advance(&self, by: Duration) {
        self.0.fetch_add(i64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }

    fn reader(&self) -> Arc<dyn Fn() -> Timestamp + Send + Sync> {
        let clock = self.clone();
        Arc::new(move || Timestamp::from_millis(clock.0.load(Ordering::SeqCst)))
    }
}

/// Everything a test needs, removed with it.
pub(crate) struct Site {
    directory: TempDir,
    pub(crate) clock: Clock,
}

impl Site {
    pub(crate) fn new() -> Self {
        let site = Self { directory: tempfile::tempdir().unwrap(), clock: Clock::default() };
        std::fs::create_dir(site.remote()).unwrap();
        site.git(&["init", "--quiet", "--bare", "--initial-branch=master", "."]);
        site
    }

    fn remote(&self) -> PathBuf {
        self.directory.path().join("remote.git")
    }

    /// Runs git in the bare repository.
    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        self.git_fed(arguments, "")
    }

    fn git_fed(&self, arguments: &[&str], input: &str) -> String {
        use std::io::Write;
        let mut child = git_command(&self.remote(), arguments)
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "git {arguments:?}");
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    /// Makes a commit with one file on a branch that replicas fetch with it.
    pub(crate) fn commit(&self, content: &str) -> CommitId {
        let blob = self.git_fed(&["hash-object", "-w", "--stdin"], content);
        let tree = self.git_fed(&["mktree"], &format!("100644 blob {blob}\tfile\n"));
        let commit = self.git(&["commit-tree", "-m", content, &tree]);
        self.git(&["update-ref", &format!("refs/heads/for-{commit}"), &commit]);
        commit.parse().unwrap()
    }

    /// Writes the note of a commit with git, in the place of what it says.
    pub(crate) fn note(&self, commit: CommitId, text: &str) {
        let blob = self.git_fed(&["hash-object", "-w", "--stdin"], text);
        self.git(&["notes", "--ref=cfgupdater/checks", "add", "-f", "-C", &blob, &commit.to_string()]);
    }

    /// Takes the repository away, until it is brought back.
    pub(crate) fn take_away(&self) {
        std::fs::rename(self.remote(), self.elsewhere()).unwrap();
    }

    pub(crate) fn bring_back(&self) {
        if self.elsewhere().exists() {
            std::fs::rename(self.elsewhere(), self.remote()).unwrap();
        }
    }

    fn elsewhere(&self) -> PathBuf {
        self.directory.path().join("elsewhere.git")
    }

    /// Returns a check that counts how often it ran, and then does what the script says.
    pub(crate) fn counting_command(&self, script: &str) -> Vec<String> {
        let counted = format!("echo run >> '{}'; {script}", self.directory.path().join("runs").display());
        ["sh", "-c", &counted].map(str::to_owned).to_vec()
    }

    pub(crate) fn times_run(&self) -> usize {
        std::fs::read_to_string(self.directory.path().join("runs")).unwrap_or_default().lines().count()
    }

    pub(crate) fn scratch_is_empty(&self, name: &str) -> bool {
        let scratch = self.directory.path().join(name).join("scratch");
        std::fs::read_dir(scratch).unwrap().next().is_none()
    }

    /// Starts a replica with a mirror of its own; without a command it runs no check.
    pub(crate) async fn replica(&self, name: &str, command: &[String]) -> Replica {
        let directory = self.directory.path().join(name);
        let remote = format!("file://{}", self.remote().display()).parse().unwrap();
        let settings = MirrorSettings::new(directory.join("mirror.git"), RemoteSettings::new(remote));
        let mirror = Arc::new(Mirror::open(settings, MINUTE).await.unwrap());
        let mut settings =
            LocalForgeSettings::new(directory.join("scratch"), "https://checks.example.com", name);
        settings.lease = MINUTE;
        if !command.is_empty() {
            settings.runs = vec![CheckCommand::new("ci", command.to_vec())];
        }
        let changed = Arc::new(Notify::new());
        let notify = Arc::clone(&changed);
        let on_change = Arc::new(move || notify.notify_one());
        let forge =
            LocalForge::with_clock(mirror.clone(), mirror.clone(), settings, on_change, self.clock.reader());
        Replica { forge: Arc::new(forge), mirror, changed }
    }
}

/// One replica of the forge.
#[derive(Clone)]
pub(crate) struct Replica {
    pub(crate) forge: Arc<LocalForge>,
    mirror: Arc<Mirror>,
    changed: Arc<Notify>,
}

impl Replica {
    /// Fetches a commit.
    pub(crate) async fn fetch(&self, commit: CommitId) {
        use cfgupdater_core::GitRemote;
        let branch = format!("refs/heads/for-{commit}").parse().unwrap();
        self.mirror.fetch(&[branch], MINUTE).await.unwrap();
    }

    /// Fetches a commit as the engine does before it asks, and asks for its checks.
    pub(crate) async fn ask_for_checks(&self, commit: CommitId) {
        self.fetch(commit).await;
        self.forge.perform(ForgeAction::RequestChecks { commits: vec![commit] }).await.unwrap();
    }

    /// Waits until this replica has dealt with all it was asked for: one writes after the other, so a check asked for
    /// last is claimed last.
    pub(crate) async fn work_off(&self, site: &Site) {
        let last = site.commit("the last");
        self.ask_for_checks(last).await;
        self.eventually(last, &CheckState::Success).await;
    }

    pub(crate) async fn report(&self, commit: CommitId, state: CheckState) {
        let (context, source) = ("ci".to_owned(), "test".to_owned());
        let report = ForgeAction::ReportCheck { commit, context, state, source, link: None, summary: None };
        self.forge.perform(report).await.unwrap();
    }

    /// Returns what the latest attempt says.
    pub(crate) async fn state(&self, commit: CommitId) -> Option<CheckState> {
        let runs = self.forge.checks(&[commit]).await.unwrap().remove(&commit).unwrap_or_default();
        runs.into_iter().max_by_key(|run| run.attempt).map(|run| run.state)
    }

    /// Waits until the latest attempt says this.
    pub(crate) async fn eventually(&self, commit: CommitId, state: &CheckState) {
        let reached = async {
            while self.state(commit).await.as_ref() != Some(state) {
                // Another replica's results don't notify this one.
                let _ = tokio::time::timeout(Duration::from_millis(50), self.changed.notified()).await;
            }
        };
        tokio::time::timeout(MINUTE, reached).await.expect("the check gets there");
    }
}
