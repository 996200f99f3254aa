//! Runs checks: claim, lay out, run, record.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use cfgupdater_commands::{Ended, Job, lay_out};
use cfgupdater_core::{CommitId, Error, ErrorKind, GitRepo, Timestamp, explain};
use tokio::sync::Semaphore;
use tracing::{info, warn};

use crate::forge::Environment;
use crate::note::{Attempt, AttemptState, Note};
use crate::notes::{Notes, blocking};
use crate::settings::{CheckCommand, LocalForgeSettings};

/// Runs the configured checks of commits, each once.
#[derive(Debug)]
pub(crate) struct Runner {
    repo: Arc<dyn GitRepo>,
    notes: Arc<Notes>,
    settings: LocalForgeSettings,
    environment: Environment,
    slots: Semaphore,
    /// What this process runs or waits to run.
    busy: Mutex<BTreeSet<(CommitId, String)>>,
}

impl Runner {
    pub(crate) fn new(
        repo: Arc<dyn GitRepo>,
        notes: Arc<Notes>,
        settings: LocalForgeSettings,
        environment: Environment,
    ) -> Self {
        let slots = Semaphore::new(settings.concurrency.max(1));
        Self { repo, notes, settings, environment, slots, busy: Mutex::default() }
    }

    /// Runs every check of a commit that nobody ran or runs.
    pub(crate) async fn run_all(self: Arc<Self>, commit: CommitId) {
        for check in &self.settings.runs {
            let key = (commit, check.context.clone());
            if !self.busy().insert(key.clone()) {
                continue;
            }
            if let Err(error) = self.run_one(commit, check).await {
                warn!(%commit, check = check.context, "the check could not be run: {}", explain(&error));
            }
            self.busy().remove(&key);
        }
    }

    fn busy(&self) -> std::sync::MutexGuard<'_, BTreeSet<(CommitId, String)>> {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn run_one(&self, commit: CommitId, check: &CheckCommand) -> Result<(), Error> {
        let closed = |error| Error::new(ErrorKind::Other, "the forge is stopping").with_source(error);
        let _slot = self.slots.acquire().await.map_err(closed)?;
        let Some(attempt) = self.claim(commit, check).await? else { return Ok(()) };
        (self.environment.on_change)();
        info!(%commit, check = check.context, "running");
        let ended = tokio::select! {
            ended = self.run(commit, check) => ended,
            () = self.keep_claim(commit, check, attempt) => unreachable!("a claim is renewed for as long as it runs"),
        };
        self.record(commit, check, attempt, ended).await?;
        (self.environment.on_change)();
        Ok(())
    }

    /// Claims the next attempt of a check, if nobody else has; returns its number.
    async fn claim(&self, commit: CommitId, check: &CheckCommand) -> Result<Option<u64>, Error> {
        let now = self.environment.now();
        let claim = self.claimed(check, 0, now);
        let change = move |note: &mut Note| {
            if !note.may_claim(&claim.context, now) {
                return None;
            }
            let number = note.next_attempt(&claim.context);
            note.put(Attempt { number, ..claim.clone() });
            Some(number)
        };
        self.notes.update(commit, now, change).await
    }

    fn claimed(&self, check: &CheckCommand, number: u64, now: Timestamp) -> Attempt {
        Attempt {
            context: check.context.clone(),
            number,
            state: AttemptState::Claimed { until: now.after(self.settings.lease) },
            at: now,
            source: self.settings.replica.clone(),
            link: None,
            summary: None,
            output: None,
        }
    }

    /// Renews a claim again and again; never returns.
    async fn keep_claim(&self, commit: CommitId, check: &CheckCommand, attempt: u64) {
        loop {
            tokio::time::sleep(self.settings.lease / 2).await;
            let now = self.environment.now();
            let renewed = self.claimed(check, attempt, now);
            let change = move |note: &mut Note| {
                note.put(renewed.clone());
                Some(())
            };
            if let Err(error) = self.notes.update(commit, now, change).await {
                warn!(%commit, check = check.context, "the claim could not be renewed: {}", explain(&error));
            }
        }
    }

    async fn run(&self, commit: CommitId, check: &CheckCommand) -> Ended {
        let broken = |why: String| Ended::NotStarted { why };
        let directory = std::fs::create_dir_all(&self.settings.scratch)
            .and_then(|()| tempfile::Builder::new().prefix("check-").tempdir_in(&self.settings.scratch));
        let directory = match directory {
            Ok(directory) => directory,
            Err(error) => return broken(format!("no scratch directory could be made: {error}")),
        };
        let (repo, path) = (Arc::clone(&self.repo), directory.path().to_owned());
        match blocking(move || lay_out(&*repo, &commit, &path)).await {
            Ok(()) => {
                let job = Job::new(&check.command, directory.path(), check.timeout);
                cfgupdater_commands::run(&job.with_variable("CFGUPDATER_COMMIT", commit.to_string())).await
            }
            // What the commit itself holds is its own fault.
            Err(error) if error.kind() == ErrorKind::Invalid => {
                Ended::Failed { output: String::new(), how: explain(&error), code: None }
            }
            Err(error) => broken(explain(&error)),
        }
    }

    async fn record(
        &self,
        commit: CommitId,
        check: &CheckCommand,
        attempt: u64,
        ended: Ended,
    ) -> Result<(), Error> {
        let now = self.environment.now();
        let (state, summary, output) = match ended {
            Ended::Passed { output } => (AttemptState::Success, None, Some(output)),
            Ended::Failed { output, how, .. } | Ended::Stopped { output, how } => {
                (AttemptState::Failure, Some(how), Some(output))
            }
            Ended::NotStarted { why } => (AttemptState::Broken, Some(why), None),
        };
        info!(%commit, check = check.context, ?state, "ended");
        let link =
            output.is_some().then(|| format!("{}/{commit}/{}", self.settings.evidence_url, check.context));
        let result = Attempt { state, at: now, link, summary, output, ..self.claimed(check, attempt, now) };
        let change = move |note: &mut Note| {
            note.put(result.clone());
            Some(())
        };
        self.notes.update(commit, now, change).await.map(|_| ())
    }
}
