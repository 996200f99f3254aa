//! Trouble: what a failure leads to, how long nothing is tried, and what people are told of it.

use std::time::Duration;

use super::{Batch, Command, Reconciler};
use crate::failure::{During, Failure, Reaction, pause, reaction};
use crate::reason::{Code, Reason};
use crate::timestamp::Timestamp;

/// How long a back-off lasts at most once somebody calls.
pub(super) const CALLS_REST: Duration = Duration::from_secs(5);

/// How many lost races in a row are looked at without a pause.
const FREE_RACES: u32 = 5;

impl Reconciler {
    /// Reacts to a failure.
    pub(super) fn fail(
        &mut self,
        now: Timestamp,
        during: During,
        failure: &Failure,
        commands: &mut Vec<Command>,
    ) {
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

    /// Observes nothing before a time that the other side named.
    pub(super) fn rest_until(&mut self, at: Timestamp) {
        self.dirty = true;
        (self.quiet_until, self.quiet_for_calls_until) = (Some(at), Some(at));
    }

    /// Rests by our own choice: what failed may work again, and whoever calls finds out before the pause is over.
    fn back_off_until(&mut self, now: Timestamp, at: Timestamp) {
        self.rest_until(at);
        self.quiet_for_calls_until = Some(at.min(now.after(CALLS_REST)));
    }

    /// Tells people why what waits waits; a failure takes nothing of that back.
    pub(super) fn publish(&mut self, commands: &mut Vec<Command>) {
        if self.failures == 0 && self.declined_landings == 0 {
            self.trouble = None;
        }
        let mut why = self.why.clone();
        why.extend(self.findings.iter().cloned());
        why.extend(self.trouble.iter().map(|trouble| Reason::new(Code::Remote, "remote", trouble.clone())));
        commands.push(Command::Publish(why));
    }
}
