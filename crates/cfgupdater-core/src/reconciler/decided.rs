//! What follows from a reading: answers, an effect, and when to look again.

use super::calls::Answering;
use super::{Batch, CallId, Command, Phase, Reconciler};
use crate::call::Call;
use crate::failure::During;
use crate::intent::IntentId;
use crate::plan::{Decision, Effect, Reply, Scope, Transaction, decide};
use crate::policy::Mode;
use crate::snapshot::Snapshot;
use crate::suspects::Suspects;
use crate::timestamp::Timestamp;

impl Reconciler {
    /// Decides by a reading, and starts what was decided.
    pub(super) fn decide(&mut self, now: Timestamp, snapshot: &Snapshot, commands: &mut Vec<Command>) {
        self.phase = Phase::Idle;
        let scope = self.scope(now, snapshot);
        let calls: Vec<&Call> = self.calls[..self.taken()].iter().map(|pending| &pending.call).collect();
        let may_land = scope.land;
        let Decision { plan, mut replies } = decide(snapshot, &self.policy, &calls, &scope);
        if self.policy.mode == Mode::Observe && replies.contains(&Reply::Later) {
            // Whoever only observes lands nothing, so nothing goes first.
            replies = decide(snapshot, &self.policy, &calls, &Scope { land: false, ..scope }).replies;
        }
        let waiting = self.reply(replies, plan.effect.is_some(), commands);
        self.why = plan.why;
        if let (Mode::Observe, Some(effect)) = (self.policy.mode, &plan.effect) {
            self.why.extend(crate::preview::would(effect, snapshot));
        }
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
        match plan.effect.filter(|_| self.policy.mode == Mode::Act) {
            Some(effect) => self.perform(now, snapshot, effect, waiting, commands),
            None => self.settled(),
        }
    }

    /// Forgets what a reading shows to be over, and says what a plan may do by all that is remembered.
    fn scope(&mut self, now: Timestamp, snapshot: &Snapshot) -> Scope {
        self.stable_until = self.stable_until.filter(|until| *until > now);
        // What is on auto the remote has taken, whoever pushed it.
        let on_auto = |id| snapshot.chain.iter().any(|commit| commit.intent == Some(id));
        self.suspects.forget(|id| snapshot.state.end_of(id).is_some() || on_auto(id));
        if self.suspects_until.is_some_and(|until| until <= now) {
            (self.suspects, self.suspects_until) = (Suspects::default(), None);
        }
        self.unrendered.look(snapshot.branches.stable, now);
        self.unrendered.forget(|id| snapshot.state.end_of(id).is_some());
        Scope {
            land: self.stable_until.is_none(),
            leave_out: self.suspects.left_out(),
            refuse: self.suspects.guilty(),
            unrenderable: self.unrendered.guilty(),
            auto_waits: self.unrendered.waits(),
        }
    }

    /// Counts the calls that are decided now. One that came in since can't be decided by what was read before it.
    fn taken(&self) -> usize {
        let read_for = self.calls.iter().take_while(|pending| pending.read_for).count();
        match self.batch {
            Batch::All => read_for,
            Batch::Background => 0,
            Batch::One => read_for.min(1),
        }
    }

    /// Starts an effect, unless the forge asks for fewer pushes.
    fn perform(
        &mut self,
        now: Timestamp,
        snapshot: &Snapshot,
        effect: Effect,
        waiting: Vec<(CallId, Answering)>,
        commands: &mut Vec<Command>,
    ) {
        let advised = snapshot.capabilities.pushes_per_minute;
        if let Some(at) = self.pushes.wait(now, advised) {
            // Whatever else comes until then goes into the same write.
            return self.rest_until(at);
        }
        self.pushes.pushed(now, advised);
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
