//! [`RepoHandle`]: how calls and readers reach the task of one repository.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cfgupdater_core::{
    Answer, Call, Error, Forge, ForgeAction, ForgeAnswer, Refusal, RefusalKind, RepoName, Request,
};
use tokio::sync::{mpsc, oneshot, watch};

use crate::audit::{Audit, LogPage};
use crate::view::View;

/// How long readers wait for the reading that follows a write.
const SETTLING: Duration = Duration::from_secs(5);

/// What reaches the task of a repository.
#[derive(Debug)]
pub(crate) enum Message {
    Look,
    Call(Call, oneshot::Sender<Result<Answer, Refusal>>),
}

/// Reaches one repository; cheap to clone. Its task ends when the [`Engine`](crate::Engine) stops.
#[derive(Debug, Clone)]
pub struct RepoHandle {
    pub(crate) name: RepoName,
    pub(crate) sender: mpsc::Sender<Message>,
    pub(crate) view: watch::Receiver<Arc<View>>,
    pub(crate) forge: Arc<dyn Forge>,
    pub(crate) audit: Audit,
    pub(crate) polled: Arc<PollCounts>,
}

/// How often deploy tools were asked since the start of this process.
#[derive(Debug, Default)]
pub(crate) struct PollCounts {
    asked: AtomicU64,
    failed: AtomicU64,
}

impl RepoHandle {
    /// Returns the repository's name.
    pub fn name(&self) -> &RepoName {
        &self.name
    }

    /// Makes a call and waits for its answer: at most about 20 s. What was accepted is durable before this returns.
    ///
    /// # Errors
    /// Says why nothing was accepted. After [`RefusalKind::Unavailable`] repeating the call is safe.
    pub async fn call(&self, actor: &str, request: Request) -> Result<Answer, Refusal> {
        self.make(Call::new(actor, request)).await
    }

    /// Makes a call that may carry a key, as [`RepoHandle::call`] does.
    ///
    /// # Errors
    /// As [`RepoHandle::call`].
    pub async fn make(&self, call: Call) -> Result<Answer, Refusal> {
        let stopping =
            || Refusal::new(RefusalKind::Unavailable, "the service is stopping; repeat the call, it is safe");
        let (answer, answered) = oneshot::channel();
        self.sender.send(Message::Call(call, answer)).await.map_err(|_| stopping())?;
        answered.await.map_err(|_| stopping())?
    }

    /// Hints that something may have changed. Never waits; hints that come together are one.
    pub fn look(&self) {
        // A full queue holds something that leads to a look anyway.
        let _ = self.sender.try_send(Message::Look);
    }

    /// Returns the latest view.
    pub fn view(&self) -> Arc<View> {
        self.view.borrow().clone()
    }

    /// Returns a receiver that is told of each new view.
    pub fn watch(&self) -> watch::Receiver<Arc<View>> {
        self.view.clone()
    }

    /// Waits until a view satisfies `done`, or for `patience`; returns the last view in both cases.
    pub async fn wait_for(&self, patience: Duration, mut done: impl FnMut(&View) -> bool) -> Arc<View> {
        let mut view = self.view.clone();
        let waited = tokio::time::timeout(patience, view.wait_for(|view| done(view)));
        // Out of patience or stopping: the last view is all there is to say.
        let _ = waited.await.map(|seen| seen.is_ok());
        self.view()
    }

    /// Looks at the repository and returns the view of a reading that began after this call, or the last one once
    /// `patience` is over.
    pub async fn fresh_view(&self, patience: Duration) -> Arc<View> {
        let asked = std::time::Instant::now();
        self.look();
        self.wait_for(patience, |view| view.read_from.is_some_and(|began| began >= asked)).await
    }

    /// Returns the first view that holds everything this process wrote before now, or the last one where that takes
    /// longer than 5 s or the repository can't be read: whoever was answered sees what the answer said. Reads nothing, since a reading follows each write anyway.
    pub async fn settled_view(&self) -> Arc<View> {
        let written = self.view().written;
        self.wait_for(SETTLING, |view| view.read_from >= written || !view.reachable).await
    }

    /// Reads about `limit` transitions of the audit trail from the state branch, newest first. Those that one state
    /// commit recorded stay together.
    ///
    /// # Errors
    /// Fails where `after` is not what `next` of a page was, and where the local repository can't be read.
    pub async fn log(&self, after: Option<String>, limit: usize) -> Result<LogPage, Error> {
        let view = self.settled_view().await;
        let state = view.snapshot.as_ref().and_then(|snapshot| snapshot.branches.state);
        self.audit.page(state, after, limit).await
    }

    /// Returns how often deploy tools were asked since the start of this process, and how often that failed.
    pub fn polls(&self) -> (u64, u64) {
        (self.polled.asked.load(Ordering::Relaxed), self.polled.failed.load(Ordering::Relaxed))
    }

    pub(crate) fn count_poll(&self, succeeded: bool) {
        self.polled.asked.fetch_add(1, Ordering::Relaxed);
        self.polled.failed.fetch_add(u64::from(!succeeded), Ordering::Relaxed);
    }

    /// Returns the forge.
    pub fn forge(&self) -> &Arc<dyn Forge> {
        &self.forge
    }

    /// Carries out a forge action and looks at the repository after it.
    ///
    /// # Errors
    /// Fails as [`Forge::perform`] does.
    pub async fn perform(&self, action: ForgeAction) -> Result<ForgeAnswer, Error> {
        let answer = self.forge.perform(action).await?;
        self.look();
        Ok(answer)
    }
}

#[cfg(test)]
mod tests {
    use cfgupdater_core::Policy;
    use cfgupdater_testkit::mocks::{MockForge, MockGitRepo};

    use super::*;
    use crate::view::Counters;

    /// A repository that was written and could not be read since.
    fn away() -> RepoHandle {
        let name: RepoName = "cfg-app".parse().unwrap();
        let policy = Arc::new(Policy::new("master".parse().unwrap(), Vec::new(), Vec::new()));
        let view = View {
            repo: name.clone(),
            policy,
            snapshot: None,
            reachable: false,
            read_from: None,
            written: Some(std::time::Instant::now()),
            why: Vec::new(),
            counters: Counters::default(),
        };
        RepoHandle {
            name,
            sender: mpsc::channel(1).0,
            view: watch::channel(Arc::new(view)).1,
            forge: Arc::new(MockForge::new()),
            audit: Audit::new(Arc::new(MockGitRepo::new())),
            polled: Arc::default(),
        }
    }

    #[tokio::test]
    async fn nobody_waits_for_a_reading_that_can_not_be_made() {
        let (away, soon) = (away(), SETTLING / 2);
        let view = tokio::time::timeout(soon, away.settled_view()).await.expect("it is told at once");
        assert!(!view.reachable);
    }
}
