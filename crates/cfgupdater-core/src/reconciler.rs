//! The reconciler: the loop around the plan, as a value. Time is an input; whoever drives it does the I/O.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::call::{Answer, Call, Outcome, Refusal, RefusalKind};
use crate::failure::{During, Failure, Reaction, pause, reaction};
use crate::intent::IntentId;
use crate::object_id::CommitId;
use crate::pace::Pace;
use crate::plan::{Decision, Effect, Reply, Scope, Transaction, decide};
use crate::policy::{Mode, Policy};
use crate::reason::{Code, Reason};
use crate::snapshot::Snapshot;
use crate::suspects::Suspects;
use crate::timestamp::Timestamp;
use crate::unrendered::Unrendered;

#[cfg(test)]
mod tests;

/// How long a call waits for its answer at most.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long a back-off lasts at most once somebody calls.
const CALLS_REST: Duration = Duration::from_secs(5);

/// How many lost races in a row are looked at without a pause.
const FREE_RACES: u32 = 5;

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
    pace: Pace,
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

/// An answer that waits for a write, reduced to what can't be worked out again.
type Answering = AnswerOnceWritten;

#[derive(Debug, Clone, PartialEq, Eq)]
struct AnswerOnceWritten(Answer);

impl std::hash::Hash for AnswerOnceWritten {
    fn hash<H: std::hash::Hasher>(&self, hasher: &mut H) {
        if let Answer::Announced(announced) = &self.0 {
            announced.intent.hash(hasher);
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Pending {
    id: CallId,
    call: Call,
    deadline: Timestamp,
    /// The observation under way, or the last one, began after the call came in.
    read_for: bool,
    /// A write that held this call ended without an answer: finding it accepted is no duplicate.
    attempted: bool,
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
            pace: Pace::default(),
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

    fn decide(&mut self, now: Timestamp, snapshot: &Snapshot, commands: &mut Vec<Command>) {
        self.phase = Phase::Idle;
        self.stable_until = self.stable_until.filter(|until| *until > now);
        // What is on auto the remote has taken, whoever pushed it.
        let on_auto = |id| snapshot.chain.iter().any(|commit| commit.intent == Some(id));
        self.suspects.forget(|id| snapshot.state.end_of(id).is_some() || on_auto(id));
        if self.suspects_until.is_some_and(|until| until <= now) {
            (self.suspects, self.suspects_until) = (Suspects::default(), None);
        }
        self.unrendered.look(snapshot.branches.stable, now);
        self.unrendered.forget(|id| snapshot.state.end_of(id).is_some());
        let scope = Scope {
            land: self.stable_until.is_none(),
            leave_out: self.suspects.left_out(),
            refuse: self.suspects.guilty(),
            unrenderable: self.unrendered.guilty(),
            auto_waits: self.unrendered.waits(),
        };
        // A call that came in since can't be decided by what was read before it.
        let read_for = self.calls.iter().take_while(|pending| pending.read_for).count();
        let taken = match self.batch {
            Batch::All => read_for,
            Batch::Background => 0,
            Batch::One => read_for.min(1),
        };
        let calls: Vec<&Call> = self.calls[..taken].iter().map(|pending| &pending.call).collect();
        let may_land = scope.land;
        let Decision { plan, mut replies } = decide(snapshot, &self.policy, &calls, &scope);
        if self.policy.mode == Mode::Observe && replies.contains(&Reply::Later) {
            // Whoever only observes lands nothing, so nothing goes first.
            replies = decide(snapshot, &self.policy, &calls, &Scope { land: false, ..scope }).replies;
        }
        let waiting = self.reply(replies, plan.effect.is_some(), commands);
        let mut why = plan.why;
        if let (Mode::Observe, Some(effect)) = (self.policy.mode, &plan.effect) {
            why.extend(crate::preview::would(effect, snapshot));
        }
        self.why = why;
        if may_land && !matches!(plan.effect, Some(Effect::Land { .. })) {
            // What the remote declined to take no longer waits.
            self.declined_landings = 0;
        }
        self.publish(commands);
        if !plan.request_checks.is_empty() && self.policy.mode == Mode::Act {
            commands.push(Command::RequestChecks(plan.request_checks));
        }
        let resync = now.after(self.policy.resync);
        self.look_again = [plan.look_again, self.stable_until, self.suspects_until]
            .into_iter()
            .flatten()
            .fold(resync, Timestamp::min);
        let Some(effect) = plan.effect.filter(|_| self.policy.mode == Mode::Act) else {
            return self.settled();
        };
        let advised = snapshot.capabilities.pushes_per_minute;
        if let Some(at) = self.pace.wait(now, advised) {
            // Whatever else comes until then goes into the same write.
            return self.rest_until(at);
        }
        self.pace.pushed(now, advised);
        let tried = new_on_auto(&effect, snapshot);
        self.phase = Phase::Performing { during: during(&effect), waiting, tried };
        commands.push(Command::Perform(effect));
    }

    /// Nothing needs to be written: what failed before is over, and calls held back may follow.
    fn settled(&mut self) {
        self.failures = 0;
        if self.batch != Batch::All {
            self.batch = if self.calls.is_empty() { Batch::All } else { Batch::One };
            self.dirty |= !self.calls.is_empty();
        }
    }

    /// Answers what can be answered, and returns what is answered once the effect is done.
    fn reply(
        &mut self,
        replies: Vec<Reply>,
        writes: bool,
        commands: &mut Vec<Command>,
    ) -> Vec<(CallId, Answering)> {
        let mut waiting = Vec::new();
        let mut left = Vec::new();
        let rest = self.calls.split_off(replies.len());
        for (pending, reply) in self.calls.drain(..).zip(replies) {
            match reply {
                Reply::Now(answer) => {
                    let answer = answer.map(|answer| as_first_told(answer, pending.attempted));
                    commands.push(Command::Answer { id: pending.id, answer });
                }
                Reply::OnceWritten(_) if self.policy.mode == Mode::Observe => {
                    let detail = "this replica only observes; it would accept this call";
                    let answer = Err(Refusal::new(RefusalKind::Unavailable, detail));
                    commands.push(Command::Answer { id: pending.id, answer });
                }
                Reply::OnceWritten(answer) => {
                    debug_assert!(writes, "an answer waits for a write that isn't planned");
                    waiting.push((pending.id, AnswerOnceWritten(as_first_told(answer, pending.attempted))));
                    left.push(pending);
                }
                Reply::Later => left.push(pending),
            }
        }
        left.extend(rest);
        self.calls = left;
        waiting
    }

    fn performed(&mut self, now: Timestamp, result: Result<Written, Failure>, commands: &mut Vec<Command>) {
        let (during, waiting, tried) = match std::mem::replace(&mut self.phase, Phase::Idle) {
            Phase::Performing { during, waiting, tried } => (during, waiting, tried),
            // The driver lost what it was doing: nothing was performed, and nothing is known.
            _ => (During::Observing, Vec::new(), Vec::new()),
        };
        // After each effect, or any error, observe again.
        self.dirty = true;
        match result {
            Ok(written) => {
                self.failures = 0;
                self.suspects.passed(&tried);
                if !written.commits.is_empty() {
                    self.unrendered.passed();
                    self.findings.clone_from(&written.findings);
                }
                if during == During::Landing {
                    self.stable_until = None;
                    self.declined_landings = 0;
                }
                for (id, answer) in waiting {
                    if self.forget(id) {
                        let answer = Ok(with_commit(answer.0, &written));
                        commands.push(Command::Answer { id, answer });
                    }
                }
            }
            Err(failure) => {
                let unsure = matches!(failure, Failure::Indeterminate { .. });
                for pending in self.calls.iter_mut().filter(|p| waiting.iter().any(|(id, _)| *id == p.id)) {
                    pending.attempted |= unsure;
                }
                if let Failure::Rendering(failure) = &failure {
                    self.unrendered.learn(failure, now);
                } else if self.suspect(now, &others(&tried, &waiting), &failure) {
                    self.trouble = Some(failure.describe());
                } else if let (Failure::Declined { reason }, Batch::One, [(id, _)]) =
                    (&failure, self.batch, waiting.as_slice())
                {
                    self.forget(*id);
                    let detail = format!("the remote declines what this call would write: {reason}");
                    let answer = Err(Refusal::new(RefusalKind::Declined, detail));
                    commands.push(Command::Answer { id: *id, answer });
                } else {
                    self.fail(now, during, &failure, commands);
                }
            }
        }
    }

    /// Tells whether a failure is a declined write of accepted intents, of which the guilty one is now looked for. While
    /// several calls wait for the write, they are taken apart first.
    fn suspect(&mut self, now: Timestamp, tried: &[IntentId], failure: &Failure) -> bool {
        let Failure::Declined { reason } = failure else { return false };
        if self.batch == Batch::All && !self.calls.is_empty() {
            return false;
        }
        if !self.suspects.declined(tried, reason) {
            return false;
        }
        if self.suspects.is_stuck() {
            self.failures = self.failures.saturating_add(1);
            self.suspects_until = Some(now.after(pause(self.failures)));
        }
        true
    }

    /// Forgets every time that was set by a clock which has been put back since: waiting for them could take as long as
    /// the clock was wrong.
    fn start_clocks_anew(&mut self, now: Timestamp) {
        self.dirty = true;
        self.look_again = now;
        (self.quiet_until, self.quiet_for_calls_until, self.stable_until) = (None, None, None);
        self.pace.forget();
        self.suspects_until = self.suspects_until.map(|_| now);
        self.unrendered.retry_at(now);
        for pending in &mut self.calls {
            pending.deadline = now.after(PATIENCE);
        }
        if let Phase::Gathering(until) = &mut self.phase {
            *until = now;
        }
    }

    /// Removes a call and tells whether it was still there.
    fn forget(&mut self, id: CallId) -> bool {
        let before = self.calls.len();
        self.calls.retain(|pending| pending.id != id);
        self.calls.len() < before
    }

    fn fail(&mut self, now: Timestamp, during: During, failure: &Failure, commands: &mut Vec<Command>) {
        self.failures = self.failures.saturating_add(1);
        let backed_off = now.after(pause(self.failures));
        match reaction(during, failure) {
            Reaction::LookNow if self.failures <= FREE_RACES => self.dirty = true,
            Reaction::LookNow | Reaction::BackOff => self.back_off_until(now, backed_off),
            Reaction::WaitFor(span) => self.rest_until(now.after(span)),
            Reaction::LeaveStable => {
                self.declined_landings = self.declined_landings.saturating_add(1);
                self.stable_until = Some(now.after(pause(self.declined_landings)));
            }
            Reaction::OneByOne if self.batch == Batch::All => self.batch = Batch::Background,
            Reaction::OneByOne => self.back_off_until(now, backed_off),
        }
        self.trouble = Some(failure.describe());
        self.publish(commands);
    }

    fn rest_until(&mut self, at: Timestamp) {
        self.dirty = true;
        (self.quiet_until, self.quiet_for_calls_until) = (Some(at), Some(at));
    }

    /// Rests by our own choice: what failed may work again, and whoever calls finds out before the pause is over.
    fn back_off_until(&mut self, now: Timestamp, at: Timestamp) {
        self.rest_until(at);
        self.quiet_for_calls_until = Some(at.min(now.after(CALLS_REST)));
    }

    /// Tells people why what waits waits; a failure takes nothing of that back.
    fn publish(&mut self, commands: &mut Vec<Command>) {
        if self.failures == 0 && self.declined_landings == 0 {
            self.trouble = None;
        }
        let mut why = self.why.clone();
        why.extend(self.findings.iter().cloned());
        why.extend(self.trouble.iter().map(|trouble| Reason::new(Code::Remote, "remote", trouble.clone())));
        commands.push(Command::Publish(why));
    }

    /// A call waits no longer than its patience: then nothing is promised, and repeating it is safe.
    fn give_up_on_late_calls(&mut self, now: Timestamp, commands: &mut Vec<Command>) {
        let late = |pending: &Pending| pending.deadline <= now;
        for pending in self.calls.iter().filter(|pending| late(pending)) {
            let trouble = self.trouble.as_deref().unwrap_or("the repository is busy");
            let detail = format!("not accepted in time: {trouble}; repeat the call, it is safe");
            let answer = Err(Refusal::new(RefusalKind::Unavailable, detail));
            commands.push(Command::Answer { id: pending.id, answer });
        }
        self.calls.retain(|pending| !late(pending));
        if self.calls.is_empty() && matches!(self.phase, Phase::Gathering(_)) {
            self.phase = Phase::Idle;
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

/// Leaves out the intents that the waiting calls themselves ask for.
fn others(tried: &[IntentId], waiting: &[(CallId, Answering)]) -> Vec<IntentId> {
    let asked = |id: &&IntentId| {
        waiting.iter().any(|(_, answer)| matches!(&answer.0, Answer::Announced(told) if told.intent == **id))
    };
    tried.iter().filter(|id| !asked(id)).copied().collect()
}

/// Lists the intents that an effect puts on auto for the first time: the remote took what is there already.
fn new_on_auto(effect: &Effect, snapshot: &Snapshot) -> Vec<IntentId> {
    let Effect::Write(Transaction { auto: Some(auto), .. }) = effect else { return Vec::new() };
    let known = |id: &IntentId| snapshot.chain.iter().any(|commit| commit.intent == Some(*id));
    auto.intents.iter().filter(|id| !known(id)).copied().collect()
}

fn during(effect: &Effect) -> During {
    match effect {
        Effect::Land { .. } => During::Landing,
        Effect::Write(_) => During::Writing,
        Effect::Probe { .. } => During::Probing,
    }
}

/// A call that finds its own intent accepted by a write whose answer was lost is told what it would have been told.
fn as_first_told(answer: Answer, attempted: bool) -> Answer {
    match answer {
        Answer::Announced(mut told) if attempted && told.outcome == Outcome::Duplicate => {
            told.outcome = if told.commit.is_some() { Outcome::Committed } else { Outcome::Queued };
            Answer::Announced(told)
        }
        other => other,
    }
}

fn with_commit(answer: Answer, written: &Written) -> Answer {
    let Answer::Announced(mut told) = answer else { return answer };
    if let Some((_, commit)) = written.commits.iter().find(|(intent, _)| *intent == told.intent) {
        told.commit = Some(*commit);
        if told.outcome == Outcome::Queued {
            told.outcome = Outcome::Committed;
        }
    }
    Answer::Announced(told)
}
