//! The reconciler: the loop around the plan, as a value. Time is an input; whoever drives it does the I/O.

use std::collections::BTreeSet;
use std::sync::Arc;

mod calls;
mod decided;
mod performed;
mod trouble;

use crate::call::{Answer, Call, Refusal};
use crate::failure::{During, Failure};
use crate::intent::IntentId;
use crate::object_id::CommitId;
use crate::plan::Effect;
use crate::policy::Policy;
use crate::push_pace::PushPace;
use crate::reason::Reason;
use crate::snapshot::Snapshot;
use crate::suspects::Suspects;
use crate::timestamp::Timestamp;
use crate::unrendered::Unrendered;
use calls::{Answering, PATIENCE, Pending};

#[cfg(test)]
mod tests;

/// Names a call between the driver and the reconciler.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(pub u64);

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Input {
    /// The time asked for by [`Command::WakeAt`] has come, or any other time.
    Tick,
    /// Something may have changed: a webhook, a finished check, a person's nudge.
    Look,
    /// Somebody calls.
    Call {
        /// Its name.
        id: CallId,
        /// The call.
        call: Call,
    },
    /// [`Command::Observe`] came to an end.
    Observed(Result<Arc<Snapshot>, Failure>),
    /// [`Command::Perform`] came to an end.
    Performed(Result<Written, Failure>),
}

/// What an effect wrote.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Written {
    /// The commits of intents that are new on auto.
    pub commits: Vec<(IntentId, CommitId)>,
    /// What was noticed meanwhile, for people.
    pub findings: Vec<Reason>,
}

/// What the driver shall do. Each `Observe` and `Perform` is answered by one input, and only one is under way.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Command {
    /// Read everything afresh.
    Observe {
        /// Revisions that calls named.
        revisions: BTreeSet<CommitId>,
    },
    /// Do this, and tell how it went.
    Perform(Effect),
    /// Ask the forge to run checks; nobody waits for it.
    RequestChecks(Vec<CommitId>),
    /// Answer a call.
    Answer {
        /// Its name.
        id: CallId,
        /// The answer.
        answer: Result<Answer, Refusal>,
    },
    /// Show this to people: why what waits waits.
    Publish(Vec<Reason>),
    /// Send [`Input::Tick`] then; a later one replaces it.
    WakeAt {
        /// When.
        at: Timestamp,
        /// Whether to spread it, so that replicas and repositories don't retry in step.
        jitter: bool,
    },
}

/// The reconciler of one repository.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reconciler {
    policy: Arc<Policy>,
    /// The latest time told.
    now: Timestamp,
    phase: Phase,
    /// Something may have changed since the last observation began.
    dirty: bool,
    calls: Vec<Pending>,
    batch: Batch,
    /// Failures in a row.
    failures: u32,
    /// Nothing is observed before this time.
    quiet_until: Option<Timestamp>,
    /// Nothing is observed before this time for a new call either. It comes sooner where the pause is our own back-off,
    /// and not where the other side asked for it.
    quiet_for_calls_until: Option<Timestamp>,
    /// Stable is left alone until this time, since the remote declined to move it.
    stable_until: Option<Timestamp>,
    /// Landings declined in a row.
    declined_landings: u32,
    /// When to look again by itself.
    look_again: Timestamp,
    trouble: Option<String>,
    /// Why what waits waits, by the last plan.
    why: Vec<Reason>,
    /// Which change the remote declines.
    suspects: Suspects,
    /// When all of them are tried again.
    suspects_until: Option<Timestamp>,
    /// What can't be rendered.
    unrendered: Unrendered,
    /// What was noticed when auto was last written.
    findings: Vec<Reason>,
    /// How often the remote was pushed to lately.
    pushes: PushPace,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Phase {
    Idle,
    /// Calls are gathered until then.
    Gathering(Timestamp),
    Observing,
    Performing {
        during: During,
        /// Who is answered once it is done.
        waiting: Vec<(CallId, Answering)>,
        /// The intents it puts on auto.
        tried: Vec<IntentId>,
    },
}

/// Which calls go into the next decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Batch {
    All,
    /// None: after a declined write, what needs no call goes first.
    Background,
    One,
}

impl Reconciler {
    /// Builds a reconciler that looks at its repository as soon as it is ticked.
    pub fn new(policy: impl Into<Arc<Policy>>, now: Timestamp) -> Self {
        Self {
            policy: policy.into(),
            now,
            phase: Phase::Idle,
            dirty: true,
            calls: Vec::new(),
            batch: Batch::All,
            failures: 0,
            quiet_until: None,
            quiet_for_calls_until: None,
            why: Vec::new(),
            stable_until: None,
            declined_landings: 0,
            look_again: now,
            trouble: None,
            suspects: Suspects::default(),
            suspects_until: None,
            unrendered: Unrendered::default(),
            findings: Vec::new(),
            pushes: PushPace::default(),
        }
    }

    /// Returns the policy it works by.
    pub fn policy(&self) -> &Arc<Policy> {
        &self.policy
    }

    /// Takes what happened and returns what to do.
    pub fn step(&mut self, now: Timestamp, input: Input) -> Vec<Command> {
        let mut commands = Vec::new();
        if now < self.now {
            self.start_clocks_anew(now);
        }
        self.now = now;
        match input {
            Input::Tick => {}
            Input::Look => self.dirty = true,
            Input::Call { id, call } => {
                let deadline = now.after(PATIENCE);
                self.calls.push(Pending { id, call, deadline, read_for: false, attempted: false });
                self.quiet_until = self.quiet_until.min(self.quiet_for_calls_until);
                if self.phase == Phase::Idle {
                    self.phase = Phase::Gathering(now.after(self.policy.batch_window));
                }
            }
            Input::Observed(Ok(snapshot)) => self.decide(now, &snapshot, &mut commands),
            Input::Observed(Err(failure)) => {
                self.phase = Phase::Idle;
                self.fail(now, During::Observing, &failure, &mut commands);
            }
            Input::Performed(result) => self.performed(now, result, &mut commands),
        }
        self.give_up_on_late_calls(now, &mut commands);
        self.go_on(now, &mut commands);
        commands
    }

    /// Forgets every time that was set by a clock which has been put back since: waiting for them could take as long as
    /// the clock was wrong.
    fn start_clocks_anew(&mut self, now: Timestamp) {
        self.dirty = true;
        self.look_again = now;
        (self.quiet_until, self.quiet_for_calls_until, self.stable_until) = (None, None, None);
        self.pushes.forget();
        self.suspects_until = self.suspects_until.map(|_| now);
        self.unrendered.retry_at(now);
        for pending in &mut self.calls {
            pending.deadline = now.after(PATIENCE);
        }
        if let Phase::Gathering(until) = &mut self.phase {
            *until = now;
        }
    }

    /// Starts the next observation if it is due, and says when to be woken otherwise.
    fn go_on(&mut self, now: Timestamp, commands: &mut Vec<Command>) {
        if self.quiet_until.is_some_and(|until| until <= now) {
            (self.quiet_until, self.quiet_for_calls_until) = (None, None);
        }
        let gathering = match self.phase {
            Phase::Observing | Phase::Performing { .. } => return self.wake_for_calls(commands),
            Phase::Gathering(until) => Some(until),
            Phase::Idle => None,
        };
        let called = !self.calls.is_empty() && gathering.is_none_or(|until| until <= now);
        let due = self.dirty && gathering.is_none() || called || self.look_again <= now;
        if due && self.quiet_until.is_none() {
            self.phase = Phase::Observing;
            self.dirty = false;
            self.calls.iter_mut().for_each(|pending| pending.read_for = true);
            let revisions = self.calls.iter().filter_map(|pending| pending.call.request.revision()).collect();
            commands.push(Command::Observe { revisions });
            return self.wake_for_calls(commands);
        }
        let next = self.quiet_until.or(gathering).unwrap_or(self.look_again);
        let deadline = self.calls.iter().map(|pending| pending.deadline).min();
        let at = deadline.map_or(next, |deadline| deadline.min(next));
        commands.push(Command::WakeAt { at, jitter: self.quiet_until.is_some() });
    }

    fn wake_for_calls(&self, commands: &mut Vec<Command>) {
        if let Some(at) = self.calls.iter().map(|pending| pending.deadline).min() {
            commands.push(Command::WakeAt { at, jitter: false });
        }
    }
}
