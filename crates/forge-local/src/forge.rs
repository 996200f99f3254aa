//! [`LocalForge`]: the forge itself.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use cfgupdater_core::{
    Capabilities, CheckState, Checks, CommitId, Error, ErrorKind, Finding, Forge, ForgeAction, ForgeAnswer,
    GitRemote, GitRepo, RequiredChecks, Timestamp, WebhookDelivery, WebhookMeaning,
};

use crate::note::{Attempt, AttemptState, Note};
use crate::notes::Notes;
use crate::runner::Runner;
use crate::settings::LocalForgeSettings;

/// A forge for a plain bare repository. Must be used inside a tokio runtime.
#[derive(Debug)]
pub struct LocalForge {
    notes: Arc<Notes>,
    runner: Arc<Runner>,
    settings: LocalForgeSettings,
    environment: Environment,
    /// What runs; ended when the forge is dropped.
    running: tokio::sync::Mutex<tokio::task::JoinSet<()>>,
}

/// What a forge needs of the outside besides git.
#[derive(Clone)]
pub(crate) struct Environment {
    pub(crate) on_change: Arc<dyn Fn() + Send + Sync>,
    clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
}

impl Environment {
    pub(crate) fn now(&self) -> Timestamp {
        (self.clock)()
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment").finish_non_exhaustive()
    }
}

impl LocalForge {
    /// Builds a forge. `on_change` is called whenever it recorded a result: the repository is worth a look then.
    pub fn new(
        repo: Arc<dyn GitRepo>,
        remote: Arc<dyn GitRemote>,
        settings: LocalForgeSettings,
        on_change: Arc<dyn Fn() + Send + Sync>,
    ) -> Self {
        Self::with_clock(repo, remote, settings, on_change, Arc::new(system_time))
    }

    /// Builds a forge with a clock of its own.
    pub fn with_clock(
        repo: Arc<dyn GitRepo>,
        remote: Arc<dyn GitRemote>,
        settings: LocalForgeSettings,
        on_change: Arc<dyn Fn() + Send + Sync>,
        clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    ) -> Self {
        let notes = Arc::new(Notes::new(Arc::clone(&repo), remote));
        let environment = Environment { on_change, clock };
        let runner = Arc::new(Runner::new(repo, Arc::clone(&notes), settings.clone(), environment.clone()));
        Self { notes, runner, settings, environment, running: tokio::sync::Mutex::default() }
    }

    async fn report(&self, commit: CommitId, report: Attempt) -> Result<ForgeAnswer, Error> {
        let now = report.at;
        let change = move |note: &mut Note| {
            let number = note.next_attempt(&report.context);
            note.put(Attempt { number, ..report.clone() });
            Some(())
        };
        self.notes.update(commit, now, change).await?;
        (self.environment.on_change)();
        Ok(ForgeAnswer::Done)
    }

    async fn evidence(&self, commit: CommitId, context: &str) -> Result<ForgeAnswer, Error> {
        let notes = self.notes.read(&[commit]).await?;
        let counting = notes.get(&commit).and_then(|note| note.counting(context));
        Ok(ForgeAnswer::Evidence(counting.and_then(|attempt| attempt.output.clone())))
    }
}

fn system_time() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

#[async_trait]
impl Forge for LocalForge {
    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::default();
        capabilities.requests_checks = !self.settings.runs.is_empty();
        capabilities.takes_reports = true;
        capabilities.keeps_evidence = true;
        capabilities
    }

    async fn checks(&self, commits: &[CommitId]) -> Result<Checks, Error> {
        let now = self.environment.now();
        let notes = self.notes.read(commits).await?;
        Ok(notes.into_iter().map(|(commit, note)| (commit, note.check_runs(now))).collect())
    }

    async fn required_checks(&self) -> Result<Option<RequiredChecks>, Error> {
        Ok(None)
    }

    fn decode_webhook(&self, _: &WebhookDelivery<'_>) -> Result<WebhookMeaning, Error> {
        Err(Error::new(ErrorKind::Unsupported, "the local forge has no webhooks; report checks to /statuses"))
    }

    async fn preflight(&self) -> Result<Vec<Finding>, Error> {
        let missing =
            self.settings.runs.iter().filter(|run| !run.command.first().is_some_and(|p| is_program(p)));
        let finding = |run: &crate::CheckCommand| {
            let program = run.command.first().map(String::as_str).unwrap_or_default();
            let problem = format!("check `{}` runs `{program}`, which is not there", run.context);
            Finding::fatal(problem, "install it, or name it by its path")
        };
        Ok(missing.map(finding).collect())
    }

    async fn perform(&self, action: ForgeAction) -> Result<ForgeAnswer, Error> {
        match action {
            ForgeAction::RequestChecks { commits } => {
                let mut running = self.running.lock().await;
                while running.try_join_next().is_some() {}
                for commit in commits {
                    running.spawn(Arc::clone(&self.runner).run_all(commit));
                }
                Ok(ForgeAnswer::Done)
            }
            ForgeAction::ReportCheck { commit, context, state, source, link, summary } => {
                let state = reported(&state)?;
                let at = self.environment.now();
                self.report(
                    commit,
                    Attempt { context, number: 0, state, at, source, link, summary, output: None },
                )
                .await
            }
            ForgeAction::ReadEvidence { commit, context } => self.evidence(commit, &context).await,
            _ => Err(Error::new(ErrorKind::Unsupported, "the local forge can't do that")),
        }
    }
}

fn reported(state: &CheckState) -> Result<AttemptState, Error> {
    match state {
        CheckState::Queued | CheckState::Running => Ok(AttemptState::Pending),
        CheckState::Success => Ok(AttemptState::Success),
        CheckState::Failure => Ok(AttemptState::Failure),
        CheckState::Infrastructure(_) => Ok(AttemptState::Broken),
        _ => Err(Error::new(ErrorKind::Invalid, "the local forge takes pending, success and failure only")),
    }
}

/// Looks for a program as a shell would.
fn is_program(name: &str) -> bool {
    if name.contains('/') {
        return Path::new(name).is_file() || !name.starts_with('/');
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|directory| directory.join(name).is_file())
}
