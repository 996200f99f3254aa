//! Asks one deploy tool about the targets that something waits for, and passes on what is new.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use cfgupdater_core::{
    Answer, Deployments, Error, Place, Policy, Polls, Refusal, Request, Retry, Sighting, Snapshot, Timestamp,
    awaited, explain, is_news,
};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::{Instrument, debug, info, warn};

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
    /// What was learnt and is not recorded yet.
    passing: JoinSet<Passed>,
    /// What was said last of each place that something is wrong with.
    complaints: BTreeMap<(Place, Trouble), String>,
}

/// What came of a sighting.
type Passed = (Place, Result<Answer, Refusal>);

/// What goes wrong with a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Trouble {
    /// Nothing can be found out.
    Asking,
    /// What was found out is not taken.
    Recording,
}

impl Poller {
    pub(crate) fn new(handle: RepoHandle, policy: Arc<Policy>, tool: Arc<dyn Deployments>) -> Self {
        let polls = Polls::new(tool.pace());
        let (passing, complaints) = (JoinSet::new(), BTreeMap::new());
        Self { handle, policy, tool, polls, seen: None, passing, complaints }
    }

    /// Runs until it is stopped.
    pub(crate) async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let mut stopped = std::pin::pin!(stop.wait_for(|stopped| *stopped));
        let mut view = self.handle.watch();
        loop {
            self.look();
            let now = clock::now();
            while let Some(Ok(passed)) = self.passing.try_join_next() {
                self.passed(passed);
            }
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
                Some(Ok(passed)) = self.passing.join_next() => self.passed(passed),
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
        self.complaints.retain(|(place, _), _| ours.contains(place));
        self.polls.wait_for(&ours, clock::now());
        self.seen = snapshot;
    }

    async fn ask(&mut self, place: &Place, asked_at: Timestamp) {
        let (reports, errors): (Vec<_>, Vec<_>) =
            self.tool.ask(place).await.into_iter().partition(Result::is_ok);
        let errors: Vec<Error> = errors.into_iter().filter_map(Result::err).collect();
        self.handle.count_poll(errors.is_empty());
        let limited = |error: &&Error| matches!(error.retry(), Retry::After(_));
        let first = errors.iter().find(limited).or(errors.first());
        match first {
            // One object that can't be read slows nobody down who waits for what the others say.
            Some(error) if reports.is_empty() || limited(&error) => {
                self.polls.failed(place, error.retry(), clock::now());
            }
            _ => self.polls.answered(place),
        }
        let why: Vec<String> = errors.iter().map(|error| explain(error)).collect();
        self.complain(place, Trouble::Asking, &why.join("; "));
        for report in reports.into_iter().flatten() {
            self.pass_on(place, Sighting { report, asked_at });
        }
    }

    /// Passes on what is news; what is known already costs no reading of the repository. Nobody waits for it, so that
    /// what a round of questions brings is recorded together.
    fn pass_on(&mut self, place: &Place, sighting: Sighting) {
        let known = |snapshot: &Arc<Snapshot>| {
            !is_news(&sighting.report, Some(sighting.asked_at), &self.policy, snapshot)
        };
        if self.handle.view().snapshot.as_ref().is_some_and(known) {
            return;
        }
        let (handle, tool, place) = (self.handle.clone(), Arc::clone(&self.tool), place.clone());
        let call = async move { (place, handle.call(tool.name(), Request::Sight(sighting)).await) };
        self.passing.spawn(call.in_current_span());
    }

    fn passed(&mut self, (place, answer): Passed) {
        match answer {
            Ok(answer) => {
                self.complain(&place, Trouble::Recording, "");
                if matches!(answer, Answer::Reported(answer) if answer.recorded) {
                    let (wave, target) = &place;
                    info!(%wave, %target, tool = self.tool.name(), "learnt what a target runs by asking");
                }
            }
            Err(refusal) => self.complain(&place, Trouble::Recording, &refusal.to_string()),
        }
    }

    /// Says what is wrong with a place, once for each reason; nothing is wrong where there is none.
    fn complain(&mut self, place: &Place, trouble: Trouble, why: &str) {
        let key = (place.clone(), trouble);
        if why.is_empty() {
            self.complaints.remove(&key);
            return;
        }
        let (wave, target) = place;
        let (tool, what) = (self.tool.name(), trouble.as_str());
        if self.complaints.get(&key).is_some_and(|known| known == why) {
            debug!(%wave, %target, tool, "{what}: {why}");
        } else {
            warn!(%wave, %target, tool, "{what}: {why}");
            self.complaints.insert(key, why.to_owned());
        }
    }
}

impl Trouble {
    fn as_str(self) -> &'static str {
        match self {
            Self::Asking => "can't ask",
            Self::Recording => "what was answered is refused",
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
