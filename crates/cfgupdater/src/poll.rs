//! Asks one deploy tool about the targets that something waits for, and passes on what is new.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use cfgupdater_core::{
    Answer, Deployments, Place, Policy, Polls, Request, Sighting, Snapshot, Timestamp, awaited, explain,
    is_news,
};
use tokio::sync::watch;
use tracing::{debug, info, warn};

use crate::clock;
use crate::handle::RepoHandle;

/// How long to sleep at least: times are told in milliseconds, and one that is just over must not be waited for busily.
const SHORTEST_PAUSE: Duration = Duration::from_millis(10);

/// Asks one deploy tool for one repository.
pub(crate) struct Poller {
    handle: RepoHandle,
    policy: Arc<Policy>,
    tool: Arc<dyn Deployments>,
    polls: Polls,
    /// The snapshot that told who is waited for.
    seen: Option<Arc<Snapshot>>,
}

impl Poller {
    pub(crate) fn new(handle: RepoHandle, policy: Arc<Policy>, tool: Arc<dyn Deployments>) -> Self {
        let polls = Polls::new(tool.pace());
        Self { handle, policy, tool, polls, seen: None }
    }

    /// Runs until it is stopped.
    pub(crate) async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let mut stopped = std::pin::pin!(stop.wait_for(|stopped| *stopped));
        let mut view = self.handle.watch();
        loop {
            self.look();
            let now = clock::now();
            // An answer under way is waited for, whatever happens to the repository meanwhile.
            if let Some(place) = self.polls.take(now, |place| self.tool.requests(place)) {
                tokio::select! {
                    _ = &mut stopped => return,
                    () = self.ask(&place, now) => continue,
                }
            }
            let due = self.polls.next(now).map(|at| at.since(now).max(SHORTEST_PAUSE));
            tokio::select! {
                _ = &mut stopped => return,
                changed = view.changed() => if changed.is_err() { return },
                () = pause(due) => {}
            }
        }
    }

    /// Finds out who is waited for, where the repository was read since.
    fn look(&mut self) {
        let snapshot = self.handle.view().snapshot.clone();
        let same = match (&snapshot, &self.seen) {
            (Some(new), Some(seen)) => Arc::ptr_eq(new, seen),
            (new, seen) => new.is_none() && seen.is_none(),
        };
        if same {
            return;
        }
        let places = snapshot.as_ref().map(|snapshot| awaited(snapshot, &self.policy)).unwrap_or_default();
        let ours: BTreeSet<Place> =
            places.into_iter().filter(|place| self.tool.requests(place) > 0).collect();
        self.polls.wait_for(&ours, clock::now());
        self.seen = snapshot;
    }

    async fn ask(&mut self, place: &Place, asked_at: Timestamp) {
        let answer = self.tool.ask(place).await;
        self.handle.count_poll(answer.is_ok());
        match answer {
            Ok(reports) => {
                self.polls.answered(place);
                for report in reports {
                    self.pass_on(Sighting { report, asked_at }).await;
                }
            }
            Err(error) => {
                let (wave, target) = place;
                warn!(%wave, %target, tool = self.tool.name(), "can't ask: {}", explain(&error));
                self.polls.failed(place, error.retry(), clock::now());
            }
        }
    }

    /// What is known already costs no reading of the repository.
    async fn pass_on(&self, sighting: Sighting) {
        let known = |snapshot: &Arc<Snapshot>| {
            !is_news(&sighting.report, Some(sighting.asked_at), &self.policy, snapshot)
        };
        if self.handle.view().snapshot.as_ref().is_some_and(known) {
            return;
        }
        let (wave, target) = (sighting.report.wave.clone(), sighting.report.target.clone());
        match self.handle.call(self.tool.name(), Request::Sight(sighting)).await {
            Ok(Answer::Reported(answer)) if answer.recorded => {
                info!(%wave, %target, tool = self.tool.name(), "learnt what a target runs by asking");
            }
            Ok(_) => {}
            Err(refusal) => debug!(%wave, %target, tool = self.tool.name(), "{refusal}"),
        }
    }
}

/// Sleeps, for ever where nothing is due.
async fn pause(span: Option<Duration>) {
    match span {
        Some(span) => tokio::time::sleep(span).await,
        None => std::future::pending().await,
    }
}
