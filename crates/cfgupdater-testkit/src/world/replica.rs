//! Replicas: the product's own reconciler, driven one command at a time.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use cfgupdater_core::{
    Call, CallId, Command, CommitId, Effect, Error, ErrorKind, Failure, Input, OperationKey, Place, Policy,
    Reason, Reconciler, Request, Retry, Timestamp, awaited,
};

use super::node::Node;
use super::remote::Refs;
use super::trace::{Event, View};
use super::{Generation, World};

/// How the next thing a replica does goes wrong; what doesn't fit that thing has no effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// It doesn't.
    Nothing,
    /// The read shows branches as they were some movements ago.
    Stale {
        /// How many movements.
        back: u8,
        /// Which branches: stable, auto, state, probe from the lowest bit.
        mask: u8,
    },
    /// The other side can't be reached.
    Unreachable,
    /// The other side asks for patience.
    RateLimited,
    /// The forge doesn't know the newest commit yet.
    Blind,
    /// The forge says what it said before the last result of each commit, which a webhook may have told already.
    Trailing,
    /// The remote declines the push.
    Declined,
    /// The push never arrives, and nobody knows.
    Lost,
    /// The push is done, and nobody knows.
    Unanswered,
    /// The push is done some time later, and nobody knows.
    Late,
    /// The replica is killed before it does anything.
    CrashBefore,
    /// The replica is killed right after.
    CrashAfter,
}

/// What a replica is in the middle of.
#[derive(Debug, Clone)]
pub(super) enum Job {
    ReadBranches(BTreeSet<CommitId>),
    ReadChecks(Refs, BTreeSet<CommitId>),
    Perform(Effect),
}

/// One replica.
#[derive(Debug, Clone)]
pub struct Replica {
    /// The policy it was configured with, before anybody tampers with it.
    pub policy: Arc<Policy>,
    pub(super) reconciler: Reconciler,
    pub(super) job: Option<Job>,
    pub(super) wake: Option<Timestamp>,
    /// How far its clock is ahead, in milliseconds.
    pub(super) skew: i64,
    pub(super) view: Option<Arc<View>>,
    snapshot: Option<Arc<cfgupdater_core::Snapshot>>,
    next_call: u64,
    /// Why what waits waits, as last published.
    pub why: Vec<Reason>,
}

impl Replica {
    pub(super) fn new(configured: &Generation, now: Timestamp) -> Self {
        Self {
            policy: Arc::clone(&configured.policy),
            reconciler: Reconciler::new(Arc::clone(&configured.told), now),
            job: None,
            wake: Some(now),
            skew: 0,
            view: None,
            snapshot: None,
            next_call: 0,
            why: Vec::new(),
        }
    }

    /// Gives it another configuration, which counts once it is started anew.
    pub(super) fn configure(&mut self, with: &Generation) {
        let (skew, next_call) = (self.skew, self.next_call);
        *self = Self { skew, next_call, ..Self::new(with, Timestamp::default()) };
    }
}

impl World {
    /// Tells whether a replica has something to do now.
    pub fn is_busy(&self, replica: usize) -> bool {
        let now = self.now_of(replica);
        let Replica { job, wake, .. } = &self.replicas[replica];
        job.is_some() || wake.is_some_and(|at| at <= now)
    }

    /// Lists the targets that a replica asks about.
    pub fn awaited(&mut self, replica: usize) -> BTreeSet<Place> {
        let Replica { policy, snapshot, .. } = &self.replicas[replica];
        let mut places = snapshot.as_ref().map(|snapshot| awaited(snapshot, policy)).unwrap_or_default();
        self.tamper.awaited(&mut places);
        places
    }

    /// Tells whether a replica has read branches and no checks yet.
    pub fn is_reading(&self, replica: usize) -> bool {
        matches!(self.replicas[replica].job, Some(Job::ReadChecks(..)))
    }

    /// Tells whether the next thing that a replica does is a push.
    pub fn is_about_to_push(&self, replica: usize) -> bool {
        matches!(self.replicas[replica].job, Some(Job::Perform(_)))
    }

    /// Lets a replica do the next thing it has to do; tells whether there was any.
    pub fn turn(&mut self, replica: usize, fault: Fault) -> bool {
        if fault == Fault::CrashBefore {
            self.crash(replica);
            return true;
        }
        let Some(job) = self.replicas[replica].job.take() else {
            let now = self.now_of(replica);
            let due = self.replicas[replica].wake.is_some_and(|at| at <= now);
            if due {
                self.replicas[replica].wake = None;
                self.step(replica, Input::Tick);
            }
            return due;
        };
        let input = match job {
            Job::ReadBranches(revisions) => match self.read_branches(fault) {
                Ok(refs) => {
                    self.replicas[replica].job = Some(Job::ReadChecks(refs, revisions));
                    return true;
                }
                Err(failure) => Input::Observed(Err(failure)),
            },
            Job::ReadChecks(refs, revisions) => self.read_checks(replica, refs, &revisions, fault),
            Job::Perform(effect) => self.perform_for(replica, effect, fault),
        };
        if fault == Fault::CrashAfter {
            self.crash(replica);
        } else {
            self.step(replica, input);
        }
        true
    }

    fn read_branches(&self, fault: Fault) -> Result<Refs, Failure> {
        match fault {
            Fault::Stale { back, mask } => Ok(self.remote.read(usize::from(back), mask)),
            Fault::Unreachable | Fault::RateLimited => Err(error(fault)),
            _ if self.remote.renamed => {
                Err(Failure::of(&Error::new(ErrorKind::NotFound, "the stable branch does not exist")))
            }
            _ => Ok(self.remote.refs),
        }
    }

    fn read_checks(
        &mut self,
        replica: usize,
        refs: Refs,
        revisions: &BTreeSet<CommitId>,
        fault: Fault,
    ) -> Input {
        if matches!(fault, Fault::Unreachable | Fault::RateLimited) {
            return Input::Observed(Err(error(fault)));
        }
        let now = self.now_of(replica);
        let mut snapshot = Arc::new(self.snapshot(replica, refs, revisions, now, fault));
        let policy = Arc::clone(&self.replicas[replica].policy);
        let view = Arc::new(View { refs, policy, snapshot: Arc::clone(&snapshot) });
        self.trace.push(Event::Observed { replica, view: Arc::clone(&view) });
        if self.tamper.is_active() {
            let mut tamper = self.take_tamper();
            tamper.snapshot(self, Arc::make_mut(&mut snapshot));
            self.tamper = tamper;
        }
        self.replicas[replica].view = Some(view);
        self.replicas[replica].snapshot = Some(Arc::clone(&snapshot));
        Input::Observed(Ok(snapshot))
    }

    fn perform_for(&mut self, replica: usize, mut effect: Effect, fault: Fault) -> Input {
        let (Some(view), Some(snapshot)) =
            (self.replicas[replica].view.clone(), self.replicas[replica].snapshot.clone())
        else {
            return Input::Performed(Err(error(Fault::Unreachable)));
        };
        if matches!(fault, Fault::Unreachable | Fault::RateLimited) {
            return Input::Performed(Err(error(fault)));
        }
        self.tamper.effect(&snapshot, &mut effect);
        let mut result = self.perform(replica, effect, &snapshot, &view, fault);
        self.tamper.result(&mut result);
        Input::Performed(result)
    }

    /// Returns what a replica would be served now.
    #[cfg(test)]
    pub(crate) fn view(&mut self) -> Arc<View> {
        let (refs, now) = (self.remote.refs, self.now());
        let snapshot = Arc::new(self.snapshot(0, refs, &BTreeSet::new(), now, Fault::Nothing));
        Arc::new(View { refs, policy: Arc::clone(&self.replicas[0].policy), snapshot })
    }

    /// Tells a replica that something may have changed.
    pub fn look(&mut self, replica: usize) {
        self.step(replica, Input::Look);
    }

    /// Calls a replica.
    pub fn call(&mut self, replica: usize, actor: &str, request: Request) {
        self.call_with_key(replica, actor, request, None);
    }

    /// Calls a replica, with what tells a repetition of the call from another one.
    pub fn call_with_key(
        &mut self,
        replica: usize,
        actor: &str,
        request: Request,
        key: Option<OperationKey>,
    ) {
        let number = self.replicas[replica].next_call;
        self.replicas[replica].next_call += 1;
        self.trace.push(Event::Called { replica, call: number, request: request.clone(), key });
        let mut call = Call::new(actor, request);
        call.key = key;
        self.tamper.call(&mut call);
        self.step(replica, Input::Call { id: CallId(number), call });
    }

    /// Kills a replica and starts it again with nothing in memory.
    pub fn crash(&mut self, replica: usize) {
        let now = self.now_of(replica);
        let old = &mut self.replicas[replica];
        let (skew, next_call) = (old.skew, old.next_call);
        let same = Generation { policy: Arc::clone(&old.policy), told: Arc::clone(old.reconciler.policy()) };
        *old = Replica { skew, next_call, ..Replica::new(&same, now) };
        self.trace.push(Event::Crashed { replica });
    }

    /// Sets a replica's clock.
    pub fn skew(&mut self, replica: usize, millis: i64) {
        self.replicas[replica].skew = millis;
    }

    /// Returns the time by a replica's clock.
    pub fn now_of(&self, replica: usize) -> Timestamp {
        Timestamp::from_millis(self.now().as_millis() + self.replicas[replica].skew)
    }

    /// Returns the next time at which a replica wakes, by the world's clock.
    pub fn next_wake(&self, replica: usize) -> Option<Timestamp> {
        let replica = &self.replicas[replica];
        replica.wake.map(|at| Timestamp::from_millis(at.as_millis() - replica.skew))
    }

    fn step(&mut self, replica: usize, input: Input) {
        let now = self.now_of(replica);
        for command in self.replicas[replica].reconciler.step(now, input) {
            self.execute(replica, command);
        }
    }

    fn execute(&mut self, replica: usize, command: Command) {
        match command {
            Command::Observe { revisions } => self.replicas[replica].job = Some(Job::ReadBranches(revisions)),
            Command::Perform(effect) => self.replicas[replica].job = Some(Job::Perform(effect)),
            Command::RequestChecks(commits) => {
                let now = self.now();
                for node in commits.iter().filter_map(Node::of) {
                    self.ci.start(node, now);
                }
            }
            Command::Answer { id, answer } => {
                self.trace.push(Event::Answered { replica, call: id.0, answer });
            }
            Command::Publish(why) => self.replicas[replica].why = self.tamper.publishes(why),
            Command::WakeAt { at, .. } if self.tamper.wakes() => self.replicas[replica].wake = Some(at),
            _ => {}
        }
    }
}

fn error(fault: Fault) -> Failure {
    let error = match fault {
        Fault::RateLimited => {
            Error::new(ErrorKind::RateLimited, "slow down").with_retry(Retry::After(Duration::from_secs(30)))
        }
        _ => Error::new(ErrorKind::Unavailable, "no route to host"),
    };
    Failure::of(&error)
}
