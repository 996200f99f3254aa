//! [`GitCli`]: [`GitRemote`] on the `git` binary.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use cfgupdater_core::{
    CommitId, Error, ErrorKind, GitRemote, RefEdit, RefMap, RefName, RefOutcome, Retry, explain,
};

use super::call::Call;
use super::failure::classify;
use super::process::Output;
use super::push_outcome::{Aftermath, all_accepted, is_locked, settle};
use super::push_plan::{self, Lacks};
use super::push_report::{self, PushReport};
use super::ref_listing;
use super::remote_url::RemoteUrl;
use super::settings::RemoteSettings;
use super::text::{reason_of, remote_messages};
use super::tracking;
use crate::objects::local_repo::LocalRepo;

/// Times a fetch is tried while references vanish between the listing and the fetch.
const FETCH_ROUNDS: usize = 3;

/// Longest part of a push's deadline that is kept back for reading the references again.
const SETTLING: Duration = Duration::from_secs(10);

/// How far a push came.
enum Pushed {
    /// git ended; `None` where it had to be ended.
    Ran(Option<Output>),
    /// Nothing was sent: the remote knows no atomic pushes.
    NotTogether,
}

/// Talks to a remote by `git` processes that work on a local bare repository.
///
/// The processes see nothing of this process's environment but `PATH`, and nothing of the user's or the system's git
/// configuration. A password reaches one process by its environment and appears in no argument, file or message.
#[derive(Debug, Clone)]
pub struct GitCli {
    settings: Arc<RemoteSettings>,
    repo: LocalRepo,
    lacks: Arc<Mutex<Lacks>>,
    /// Two fetches into one repository would fight for the locks of its references.
    fetching: Arc<tokio::sync::Mutex<()>>,
}

impl GitCli {
    /// Fetches into and pushes from `repo`, a bare repository of the remote's object format.
    pub fn new(settings: RemoteSettings, repo: impl Into<LocalRepo>) -> Self {
        Self {
            settings: Arc::new(settings),
            repo: repo.into(),
            lacks: Arc::default(),
            fetching: Arc::default(),
        }
    }

    /// Works on the local repository without blocking other tasks.
    async fn local<T: Send + 'static>(
        &self,
        work: impl FnOnce(&LocalRepo) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let repo = self.repo.clone();
        tokio::task::spawn_blocking(move || work(&repo)).await.unwrap_or_else(|cause| {
            Err(Error::new(ErrorKind::Other, "reading the local repository was cut short").with_source(cause))
        })
    }

    /// Fetches what differs; `None` where a reference vanished meanwhile.
    async fn fetch_listed(
        &self,
        call: &Call<'_>,
        names: &[RefName],
        listed: RefMap,
    ) -> Result<Option<RefMap>, Error> {
        let asked = names.to_vec();
        let remote = listed.clone();
        let stale = self.local(move |repo| tracking::compare(repo, &asked, &remote)).await?;
        for gone in stale.gone {
            self.forget(call, &gone).await?;
        }
        if !stale.any_moved {
            return Ok(Some(listed));
        }
        let output = self.run_fetch(call, &listed).await?;
        if output.status.success() {
            return self.local(move |repo| tracking::read(repo, listed.keys())).await.map(Some);
        }
        let vanished = output.stderr.contains("couldn't find remote ref");
        if vanished { Ok(None) } else { Err(call.failed("fetch from", &output)) }
    }

    async fn run_fetch(&self, call: &Call<'_>, listed: &RefMap) -> Result<Output, Error> {
        let command = call
            .command(self.repo.path())
            .args([
                "fetch",
                "--quiet",
                "--atomic",
                "--no-tags",
                "--no-write-fetch-head",
                "--no-auto-maintenance",
            ])
            .serving("upload-pack", "upload-pack", &self.settings)
            .arg("--")
            .arg(self.settings.url.as_str())
            .args(listed.keys().map(tracking::refspec));
        call.run("fetch from", &command).await
    }

    /// Deletes the local trace of a reference that the remote no longer has.
    async fn forget(&self, call: &Call<'_>, name: &RefName) -> Result<(), Error> {
        let command = call.command(self.repo.path()).args(["update-ref", "-d", &tracking::local_name(name)]);
        let output = call.run("fetch from", &command).await?;
        if output.status.success() { Ok(()) } else { Err(call.failed("fetch from", &output)) }
    }

    /// Asks the remote whether it takes pushes from us at all, without pushing anything: it is asked to receive `commit`
    /// under a name of ours, up to the point where objects would be sent. Rules of single branches show on real pushes
    /// only.
    ///
    /// # Errors
    /// Fails as a push would.
    pub async fn may_push(&self, commit: CommitId, deadline: Duration) -> Result<(), Error> {
        let call = Call::start(&self.settings, deadline).await?;
        let command = call
            .command(self.repo.path())
            .args(["push", "--dry-run", "--porcelain", "--no-verify"])
            .serving("receive-pack", "receive-pack", &self.settings)
            .args(["--", self.settings.url.as_str()])
            .arg(format!("{commit}:refs/heads/cfgupdater/preflight"));
        let output = call.run("push to", &command).await?;
        if output.status.success() { Ok(()) } else { Err(call.failed("push to", &output)) }
    }

    /// Refuses to push what isn't there, which would otherwise fail in git's words.
    async fn require_commits(&self, edits: &[RefEdit]) -> Result<(), Error> {
        let commits: Vec<_> = edits.iter().filter_map(|edit| edit.new).collect();
        self.local(move |repo| {
            let absent = commits.into_iter().find_map(|id| match repo.objects().has_commit(&id) {
                Ok(true) => None,
                Ok(false) => Some(Err(missing(repo, &id))),
                Err(error) => Some(Err(error)),
            });
            absent.unwrap_or(Ok(()))
        })
        .await
    }

    /// Moves all references at once; `None` where the remote turns out not to support that.
    async fn push_together(
        &self,
        call: &Call<'_>,
        edits: &[RefEdit],
    ) -> Result<Option<Vec<RefOutcome>>, Error> {
        let output = match self.run_push(call, edits).await? {
            Pushed::NotTogether => return Ok(None),
            Pushed::Ran(output) => output,
        };
        let report = output.as_ref().map(|output| push_report::parse(&output.stdout)).unwrap_or_default();
        if all_accepted(edits, &report) {
            self.remember(call, edits).await;
            return Ok(Some(vec![RefOutcome::Moved; edits.len()]));
        }
        let said = match &output {
            None => "the deadline passed, and the push was ended".to_owned(),
            Some(output) if report.is_empty() && classify(&output.stderr).nothing_sent => {
                return Err(call.failed("push to", output));
            }
            Some(output) if report.is_empty() => call.clean(reason_of(&output.stderr)),
            Some(output) => call.clean(&remote_messages(&output.stderr)),
        };
        self.settle(call, edits, report, said).await.map(Some)
    }

    /// Moves one reference after the other, as long as each moves.
    async fn push_in_turn(&self, call: &Call<'_>, edits: &[RefEdit]) -> Result<Vec<RefOutcome>, Error> {
        let mut outcomes: Vec<RefOutcome> = Vec::new();
        for edit in edits {
            if outcomes.last().is_some_and(|outcome| *outcome != RefOutcome::Moved) {
                outcomes.push(RefOutcome::Aborted);
                continue;
            }
            match self.push_together(call, std::slice::from_ref(edit)).await {
                Ok(moved) => outcomes.extend(moved.into_iter().flatten()),
                Err(error) if outcomes.is_empty() => return Err(error),
                Err(error) => outcomes.push(RefOutcome::Indeterminate { reason: explain(&error) }),
            }
        }
        Ok(outcomes)
    }

    /// Pushes, again without what the remote turns out not to support.
    async fn run_push(&self, call: &Call<'_>, edits: &[RefEdit]) -> Result<Pushed, Error> {
        let reserve = (call.remaining() / 4).min(SETTLING);
        loop {
            let lacks = *self.lacks.lock().unwrap_or_else(PoisonError::into_inner);
            if edits.len() > 1 && lacks.atomic {
                return Ok(Pushed::NotTogether);
            }
            let args =
                push_plan::arguments(edits, &self.settings.push_options, lacks, self.settings.url.as_str());
            let command = call
                .command(self.repo.path())
                .args(["push", "--porcelain", "--no-verify"])
                .serving("receive-pack", "receive-pack", &self.settings)
                .args(args);
            let output = call.run_for(call.remaining().saturating_sub(reserve), &command).await?;
            let failure = output.as_ref().filter(|output| !output.status.success());
            match failure.and_then(|output| lacks.learn(&output.stderr)) {
                Some(learnt) => *self.lacks.lock().unwrap_or_else(PoisonError::into_inner) = learnt,
                None => return Ok(Pushed::Ran(output)),
            }
        }
    }

    /// Keeps what was pushed under the names that fetches compare with: otherwise the next one would bring back what
    /// is here. If that fails, it does.
    async fn remember(&self, call: &Call<'_>, edits: &[RefEdit]) {
        let Ok(_one_at_a_time) = call.wait("push to", self.fetching.lock()).await else { return };
        let pushed = edits.to_vec();
        if let Err(error) = self.local(move |repo| tracking::record(repo, &pushed)).await {
            tracing::debug!(error = explain(&error), "what was pushed is fetched back");
        }
    }

    /// Reads the references again and tells what became of each edit.
    async fn settle(
        &self,
        call: &Call<'_>,
        edits: &[RefEdit],
        report: PushReport,
        said: String,
    ) -> Result<Vec<RefOutcome>, Error> {
        let names: Vec<_> = edits.iter().map(|edit| edit.name.clone()).collect();
        let actual = call.list(&names).await.map_err(|error| explain(&error));
        let edits = edits.to_vec();
        let url = self.settings.url.clone();
        self.local(move |repo| {
            let actual = actual.as_ref().map_err(String::as_str);
            let aftermath = Aftermath { report: &report, actual, said: &said };
            // A value that isn't even here was never ours to fast-forward from.
            let is_ancestor =
                |old: &CommitId, new: &CommitId| repo.objects().is_ancestor(old, new).unwrap_or(false);
            let outcomes = settle(&edits, &aftermath, is_ancestor);
            if is_locked(&edits, &report, &said, &outcomes) { Err(locked(&url, &said)) } else { Ok(outcomes) }
        })
        .await
    }
}

#[async_trait]
impl GitRemote for GitCli {
    async fn ls_remote(&self, names: &[RefName], deadline: Duration) -> Result<RefMap, Error> {
        Call::start(&self.settings, deadline).await?.list(names).await
    }

    async fn fetch(&self, names: &[RefName], deadline: Duration) -> Result<RefMap, Error> {
        let call = Call::start(&self.settings, deadline).await?;
        let _one_at_a_time = call.wait("fetch from", self.fetching.lock()).await?;
        for _ in 0..FETCH_ROUNDS {
            let listed = call.list(names).await?;
            if let Some(fetched) = self.fetch_listed(&call, names, listed).await? {
                return Ok(fetched);
            }
        }
        let message = format!(
            "references of {} vanish as they are fetched; it is tried again later",
            self.settings.url
        );
        Err(Error::new(ErrorKind::Unavailable, message))
    }

    async fn push(&self, edits: &[RefEdit], deadline: Duration) -> Result<Vec<RefOutcome>, Error> {
        push_plan::check(edits)?;
        if edits.is_empty() {
            return Ok(Vec::new());
        }
        self.require_commits(edits).await?;
        let call = Call::start(&self.settings, deadline).await?;
        match self.push_together(&call, edits).await? {
            Some(outcomes) => Ok(outcomes),
            None => self.push_in_turn(&call, edits).await,
        }
    }

    async fn head_branch(&self, deadline: Duration) -> Result<Option<RefName>, Error> {
        let call = Call::start(&self.settings, deadline).await?;
        let output = call.ls_remote(&["--symref"], ["HEAD"].into_iter()).await?;
        Ok(ref_listing::parse_head(&output.stdout))
    }
}

fn locked(url: &RemoteUrl, said: &str) -> Error {
    let message = format!(
        "references of {url} are locked there; it is tried again later, and a lock that stays was left by a crash and must \
         be removed at the server: {said}"
    );
    Error::new(ErrorKind::Unavailable, message).with_retry(Retry::Backoff)
}

fn missing(repo: &LocalRepo, id: &cfgupdater_core::CommitId) -> Error {
    let message =
        format!("can't push commit {id}: it isn't in {}; fetch, and write it again", repo.path().display());
    Error::new(ErrorKind::NotFound, message).with_retry(Retry::Backoff)
}
