//! [`Engine`]: one task a repository that carries out what the reconciler commands.

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use cfgupdater_core::{
    Answer, CallId, Command, CommitId, Culprit, Deployments, Effect, Error, Failure, Forge, ForgeAction,
    GitRemote, GitRepo, Input, Mode, Policy, Reason, Reconciler, Refusal, RefusalKind, Renderer, RepoName,
    Snapshot, Timestamp, Written, explain,
};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tracing::{Instrument, debug, info, info_span, warn};

use crate::audit::Audit;
use crate::clock;
use crate::handle::{Message, PollCounts, RepoHandle};
use crate::observe::Observer;
use crate::perform::Performer;
use crate::poll::Poller;
use crate::rendering::Rendering;
use crate::verifier::Verifier;
use crate::view::{Counters, View};

/// How many calls may wait for one repository; further ones wait to be taken in.
const QUEUE: usize = 1024;

/// What a repository is run on.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Backends {
    /// Its local objects.
    pub repo: Arc<dyn GitRepo>,
    /// Its remote.
    pub remote: Arc<dyn GitRemote>,
    /// Where its checks come from.
    pub forge: Arc<dyn Forge>,
    /// What makes its generated files, where there are any.
    pub renderer: Option<Arc<dyn Renderer>>,
    /// The deploy tools that are asked what targets run.
    pub deployments: Vec<Arc<dyn Deployments>>,
}

impl Backends {
    /// Builds the backends of one repository, in which nothing is generated.
    pub fn new(repo: Arc<dyn GitRepo>, remote: Arc<dyn GitRemote>, forge: Arc<dyn Forge>) -> Self {
        Self { repo, remote, forge, renderer: None, deployments: Vec::new() }
    }

    /// Sets what makes the generated files; which these are is told by the policy.
    #[must_use]
    pub fn with_renderer(mut self, renderer: Arc<dyn Renderer>) -> Self {
        self.renderer = Some(renderer);
        self
    }

    /// Asks these deploy tools what targets run, while something waits for it.
    #[must_use]
    pub fn with_deployments(mut self, tools: Vec<Arc<dyn Deployments>>) -> Self {
        self.deployments = tools;
        self
    }
}

/// Runs repositories until it is stopped or dropped. Must be used inside a tokio runtime.
#[derive(Debug)]
pub struct Engine {
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Default for Engine {
    fn default() -> Self {
        Self { stop: watch::Sender::new(false), tasks: Vec::new() }
    }
}

impl Engine {
    /// Builds an engine without repositories.
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts the task of one repository.
    ///
    /// # Errors
    /// Fails where the policy doesn't pass [`Policy::check`]; nothing is started then.
    #[expect(clippy::needless_pass_by_value, reason = "the task owns its backends, as a caller reads it")]
    pub fn start(&mut self, name: RepoName, policy: Policy, backends: Backends) -> Result<RepoHandle, Error> {
        policy.check()?;
        let policy = Arc::new(policy);
        let (sender, receiver) = mpsc::channel(QUEUE);
        let view = View {
            repo: name.clone(),
            policy: Arc::clone(&policy),
            snapshot: None,
            reachable: false,
            read_from: None,
            written: None,
            why: Vec::new(),
            counters: Counters::default(),
        };
        let (view, seen) = watch::channel(Arc::new(view));
        let polled = Arc::new(PollCounts::default());
        let handle = RepoHandle {
            name: name.clone(),
            sender,
            view: seen,
            polled,
            forge: Arc::clone(&backends.forge),
            audit: Audit::new(Arc::clone(&backends.repo)),
        };
        let rendering = Arc::new(Rendering::new(backends.renderer.clone()));
        let verifier = Arc::new(Verifier::new(&backends, &policy, &rendering));
        // Whoever only observes records nothing, so it asks nobody.
        for tool in backends.deployments.iter().filter(|_| policy.mode == Mode::Act) {
            let poller = Poller::new(handle.clone(), Arc::clone(&policy), Arc::clone(tool));
            let run = poller.run(self.stop.subscribe());
            self.tasks.push(tokio::spawn(run.instrument(info_span!("polls", repo = %name))));
        }
        let worker = Worker {
            reconciler: Reconciler::new(Arc::clone(&policy), clock::now()),
            observer: Arc::new(Observer::new(backends.clone(), Arc::clone(&policy), Arc::clone(&verifier))),
            forge: Arc::clone(&backends.forge),
            performer: Arc::new(Performer::new(backends, policy, Arc::clone(&rendering))),
            rendering,
            verifier,
            view,
            snapshot: None,
            reading_since: None,
            calls: BTreeMap::new(),
            next_call: 0,
            under_way: None,
            wake: None,
        };
        let run = worker.run(receiver, self.stop.subscribe());
        self.tasks.push(tokio::spawn(run.instrument(info_span!("repo", name = %name))));
        Ok(handle)
    }

    /// Stops all tasks; an effect under way is finished first.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        for task in self.tasks.drain(..) {
            if let Err(error) = task.await {
                warn!("a repository's task ended badly: {error}");
            }
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

struct Worker {
    reconciler: Reconciler,
    observer: Arc<Observer>,
    performer: Arc<Performer>,
    rendering: Arc<Rendering>,
    verifier: Arc<Verifier>,
    forge: Arc<dyn Forge>,
    view: watch::Sender<Arc<View>>,
    snapshot: Option<Arc<Snapshot>>,
    reading_since: Option<std::time::Instant>,
    calls: BTreeMap<CallId, oneshot::Sender<Result<Answer, Refusal>>>,
    next_call: u64,
    under_way: Option<JoinHandle<Input>>,
    wake: Option<tokio::time::Instant>,
}

impl Worker {
    async fn run(mut self, mut messages: mpsc::Receiver<Message>, mut stop: watch::Receiver<bool>) {
        self.step(Input::Tick);
        loop {
            let input = tokio::select! {
                _ = stop.wait_for(|stopped| *stopped) => break,
                input = finished(&mut self.under_way) => {
                    self.under_way = None;
                    input
                }
                message = messages.recv() => match message {
                    Some(message) => self.receive(message),
                    None => break,
                },
                () = self.verifier.found() => Input::Look,
                () = sleep_until(self.wake) => {
                    self.wake = None;
                    Input::Tick
                }
            };
            self.step(input);
        }
        self.finish().await;
    }

    fn receive(&mut self, message: Message) -> Input {
        match message {
            Message::Look => Input::Look,
            Message::Call(call, answer) => {
                let id = CallId(self.next_call);
                self.next_call += 1;
                self.calls.insert(id, answer);
                Input::Call { id, call }
            }
        }
    }

    fn step(&mut self, input: Input) {
        let read_from = self.reading_since.filter(|_| matches!(input, Input::Observed(Ok(_))));
        self.take_note(&input);
        for command in self.reconciler.step(clock::now(), input) {
            self.execute(command);
        }
        // Told last: whoever waits for it sees all that follows from the reading.
        if let Some(read_from) = read_from {
            self.change_view(|view| view.read_from = Some(read_from));
        }
    }

    fn execute(&mut self, command: Command) {
        match command {
            Command::Observe { revisions } => {
                self.reading_since = Some(std::time::Instant::now());
                let observer = Arc::clone(&self.observer);
                let observe = async move {
                    let observed = observer.observe(revisions).await;
                    Input::Observed(observed.map(Arc::new).map_err(|error| Failure::of(&error)))
                };
                self.under_way = Some(tokio::spawn(observe.in_current_span()));
            }
            Command::Perform(effect) => self.perform(effect),
            Command::RequestChecks(commits) => self.request_checks(commits),
            Command::Answer { id, answer } => {
                self.count(|counters| counters.calls += 1);
                // A caller that went away doesn't change what was decided.
                if let Some(caller) = self.calls.remove(&id) {
                    let _ = caller.send(answer);
                }
            }
            Command::Publish(why) => self.publish(why),
            Command::WakeAt { at, jitter } => self.wake = Some(instant(at, jitter)),
            other => warn!(?other, "this engine doesn't know the command"),
        }
    }

    fn perform(&mut self, effect: Effect) {
        let Some(snapshot) = self.snapshot.clone() else { return };
        match &effect {
            Effect::Land { from, to } => info!(%from, %to, "landing"),
            Effect::Write(transaction) => debug!(records = transaction.records.len(), "writing"),
            Effect::Probe { to, .. } => info!(%to, "probing"),
            _ => {}
        }
        let performer = Arc::clone(&self.performer);
        let counted = counter_of(&effect);
        let perform = async move { Input::Performed(performer.perform(effect, snapshot).await) };
        self.under_way = Some(tokio::spawn(perform.in_current_span()));
        self.count(counted);
    }

    fn request_checks(&self, commits: Vec<CommitId>) {
        let forge = Arc::clone(&self.forge);
        let request = async move {
            if let Err(error) = forge.perform(ForgeAction::RequestChecks { commits }).await {
                warn!("checks could not be requested: {}", explain(&error));
            }
        };
        tokio::spawn(request.in_current_span());
    }

    /// Keeps what people may ask for later.
    fn take_note(&mut self, input: &Input) {
        match input {
            Input::Observed(Ok(snapshot)) => {
                self.snapshot = Some(Arc::clone(snapshot));
                self.count(|counters| counters.observations += 1);
            }
            Input::Observed(Err(failure)) => {
                warn!("the repository could not be read: {}", failure.describe());
                self.count(|counters| {
                    counters.observations += 1;
                    counters.failed_observations += 1;
                });
            }
            Input::Performed(Ok(_)) => {
                let written = Some(std::time::Instant::now());
                let (renders, renders_reused) = self.rendering.counts();
                self.change_view(|view| {
                    view.written = written;
                    view.counters.renders = renders;
                    view.counters.renders_reused = renders_reused;
                });
            }
            Input::Performed(Err(failure)) => {
                warn!("a write did not succeed: {}", failure.describe());
                self.count(|counters| match failure {
                    Failure::Declined { .. } => counters.declined += 1,
                    // It goes on, and nothing has failed.
                    Failure::Rendering(failure) if failure.culprit == Culprit::Nobody => {}
                    Failure::Rendering(_) => counters.failed_renders += 1,
                    _ => counters.lost_races += 1,
                });
            }
            _ => {}
        }
        if let Input::Observed(result) = input {
            let (reachable, snapshot) = (result.is_ok(), self.snapshot.clone());
            self.change_view(|view| {
                view.reachable = reachable;
                view.snapshot = snapshot;
            });
        }
    }

    fn publish(&mut self, why: Vec<Reason>) {
        self.change_view(|view| view.why = why);
    }

    fn count(&mut self, change: impl FnOnce(&mut Counters)) {
        self.change_view(|view| change(&mut view.counters));
    }

    fn change_view(&mut self, change: impl FnOnce(&mut View)) {
        self.view.send_modify(|view| change(Arc::make_mut(view)));
    }

    /// Lets what is under way finish, so that no acknowledged write is cut off.
    async fn finish(&mut self) {
        if let Some(under_way) = self.under_way.take()
            && let Ok(input) = under_way.await
        {
            for command in self.reconciler.step(clock::now(), input) {
                if let Command::Answer { .. } = command {
                    self.execute(command);
                }
            }
        }
        for (_, caller) in std::mem::take(&mut self.calls) {
            let detail = "the service is stopping; repeat the call, it is safe";
            // The caller may be gone already.
            let _ = caller.send(Err(Refusal::new(RefusalKind::Unavailable, detail)));
        }
    }
}

fn counter_of(effect: &Effect) -> fn(&mut Counters) {
    match effect {
        Effect::Land { .. } => |counters| counters.landings += 1,
        Effect::Probe { .. } => |counters| counters.probes += 1,
        _ => |counters| counters.writes += 1,
    }
}

/// Waits for what is under way, for ever where nothing is.
async fn finished(under_way: &mut Option<JoinHandle<Input>>) -> Input {
    match under_way {
        Some(task) => task.await.unwrap_or_else(|error| interrupted(&error)),
        None => pending().await,
    }
}

/// A task that panicked is treated like a backend that failed: whatever it was doing is looked at again.
fn interrupted(error: &tokio::task::JoinError) -> Input {
    let reason = format!("a task was interrupted: {error}");
    Input::Performed(Err(Failure::Indeterminate { reason }) as Result<Written, Failure>)
}

async fn sleep_until(wake: Option<tokio::time::Instant>) {
    match wake {
        Some(at) => tokio::time::sleep_until(at).await,
        None => pending().await,
    }
}

/// Turns a wall-clock time into one of the timer's, with up to a fifth added where asked for.
fn instant(at: Timestamp, jitter: bool) -> tokio::time::Instant {
    let wait = at.since(clock::now());
    let spread = if jitter { wait.mul_f64(fastrand::f64() / 5.0) } else { Duration::ZERO };
    tokio::time::Instant::now() + wait + spread
}
