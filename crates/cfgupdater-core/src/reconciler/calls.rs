//! Calls: who waits for which answer, and for how long.

use std::time::Duration;

use super::{CallId, Command, Phase, Reconciler, Written};
use crate::call::{Answer, Call, Outcome, Refusal, RefusalKind};
use crate::plan::Reply;
use crate::policy::Mode;
use crate::timestamp::Timestamp;

/// How long a call waits for its answer at most.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// An answer that waits for a write, reduced to what can't be worked out again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answering(pub(super) Answer);

impl std::hash::Hash for Answering {
    fn hash<H: std::hash::Hasher>(&self, hasher: &mut H) {
        if let Answer::Announced(announced) = &self.0 {
            announced.intent.hash(hasher);
        }
    }
}

/// A call that has no answer yet.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Pending {
    pub(super) id: CallId,
    pub(super) call: Call,
    pub(super) deadline: Timestamp,
    /// The observation under way, or the last one, began after the call came in.
    pub(super) read_for: bool,
    /// A write that held this call ended without an answer: finding it accepted is no duplicate.
    pub(super) attempted: bool,
}

impl Reconciler {
    /// Answers what can be answered, and returns what is answered once the effect is done.
    pub(super) fn reply(
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
                    waiting.push((pending.id, Answering(as_first_told(answer, pending.attempted))));
                    left.push(pending);
                }
                Reply::Later => left.push(pending),
            }
        }
        left.extend(rest);
        self.calls = left;
        waiting
    }

    /// Removes a call and tells whether it was still there.
    pub(super) fn forget(&mut self, id: CallId) -> bool {
        let before = self.calls.len();
        self.calls.retain(|pending| pending.id != id);
        self.calls.len() < before
    }

    /// A call waits no longer than its patience: then nothing is promised, and repeating it is safe.
    pub(super) fn give_up_on_late_calls(&mut self, now: Timestamp, commands: &mut Vec<Command>) {
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

pub(super) fn with_commit(answer: Answer, written: &Written) -> Answer {
    let Answer::Announced(mut told) = answer else { return answer };
    if let Some((_, commit)) = written.commits.iter().find(|(intent, _)| *intent == told.intent) {
        told.commit = Some(*commit);
        if told.outcome == Outcome::Queued {
            told.outcome = Outcome::Committed;
        }
    }
    Answer::Announced(told)
}
