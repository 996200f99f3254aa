//! What follows from an effect, done or not.

use super::calls::{Answering, with_commit};
use super::{Batch, CallId, Command, Phase, Reconciler, Written};
use crate::call::{Answer, Refusal, RefusalKind};
use crate::failure::{During, Failure, pause};
use crate::intent::IntentId;
use crate::timestamp::Timestamp;

impl Reconciler {
    /// Takes how an effect went, and answers those who waited for it.
    pub(super) fn performed(
        &mut self,
        now: Timestamp,
        result: Result<Written, Failure>,
        commands: &mut Vec<Command>,
    ) {
        let (during, waiting, tried) = match std::mem::replace(&mut self.phase, Phase::Idle) {
            Phase::Performing { during, waiting, tried } => (during, waiting, tried),
            // The driver lost what it was doing: nothing was performed, and nothing is known.
            _ => (During::Observing, Vec::new(), Vec::new()),
        };
        // After each effect, or any error, observe again.
        self.dirty = true;
        match result {
            Ok(written) => {
                self.wrote(during, &written, &tried);
                for (id, answer) in waiting {
                    if self.forget(id) {
                        let answer = Ok(with_commit(answer.0, &written));
                        commands.push(Command::Answer { id, answer });
                    }
                }
            }
            Err(failure) => self.failed_to_write(now, during, &failure, &tried, &waiting, commands),
        }
    }

    /// Forgets the trouble that a write proves to be over.
    fn wrote(&mut self, during: During, written: &Written, tried: &[IntentId]) {
        self.failures = 0;
        self.suspects.passed(tried);
        if !written.commits.is_empty() {
            self.unrendered.passed();
            self.findings.clone_from(&written.findings);
        }
        if during == During::Landing {
            self.stable_until = None;
            self.declined_landings = 0;
        }
    }

    /// Looks for whose fault it is: of what can't be rendered, of an accepted intent, of a call, or of nobody here.
    fn failed_to_write(
        &mut self,
        now: Timestamp,
        during: During,
        failure: &Failure,
        tried: &[IntentId],
        waiting: &[(CallId, Answering)],
        commands: &mut Vec<Command>,
    ) {
        let unsure = matches!(failure, Failure::Indeterminate { .. });
        for pending in self.calls.iter_mut().filter(|p| waiting.iter().any(|(id, _)| *id == p.id)) {
            pending.attempted |= unsure;
        }
        if let Failure::Rendering(failure) = failure {
            self.unrendered.learn(failure, now);
        } else if self.suspect(now, &others(tried, waiting), failure) {
            self.trouble = Some(failure.describe());
        } else if let (Failure::Declined { reason }, Batch::One, [(id, _)]) = (failure, self.batch, waiting) {
            self.forget(*id);
            let detail = format!("the remote declines what this call would write: {reason}");
            let answer = Err(Refusal::new(RefusalKind::Declined, detail));
            commands.push(Command::Answer { id: *id, answer });
        } else {
            self.fail(now, during, failure, commands);
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
}

/// Leaves out the intents that the waiting calls themselves ask for.
fn others(tried: &[IntentId], waiting: &[(CallId, Answering)]) -> Vec<IntentId> {
    let asked = |id: &&IntentId| {
        waiting.iter().any(|(_, answer)| matches!(&answer.0, Answer::Announced(told) if told.intent == **id))
    };
    tried.iter().filter(|id| !asked(id)).copied().collect()
}
