//! Auto as a projection: which live intents belong on it, and in which order.

use std::collections::{BTreeMap, BTreeSet};

use crate::end::{By, End};
use crate::gate::{self, subject};
use crate::history::{History, Introduction, Slot};
use crate::intent::{Action, Intent, IntentId};
use crate::name::{SetName, WaveName};
use crate::policy::{Policy, WavePolicy};
use crate::promote::Step;
use crate::reason::{Code, Reason};
use crate::release::Release;
use crate::state::State;
use crate::timestamp::Timestamp;

/// What the live intents come to on top of stable.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Projection {
    /// The intents that belong on auto, oldest first.
    pub chain: Vec<IntentId>,
    /// The intents that must wait.
    pub queued: Vec<(IntentId, Reason)>,
    /// The intents that have no place any more, and how they end.
    pub ended: Vec<(IntentId, End)>,
    /// What each slot holds once the chain has landed, and what brought it.
    effective: BTreeMap<Slot, (Release, By)>,
}

/// What happens to one live intent.
enum Place {
    OnAuto,
    Queued(Reason),
    Ended(End),
}

/// Projects the live intents on stable, checking the admission of each again (rebuilding never downgrades).
pub fn project(state: &State, history: &History, policy: &Policy, now: Timestamp) -> Projection {
    let ground = Ground { state, history, policy, now };
    let mut projection = Projection::default();
    for intent in state.live() {
        let slot = (intent.wave.clone(), intent.set.clone());
        match ground.place(intent, &slot, &projection) {
            Place::OnAuto => {
                projection.effective.insert(slot, (intent.release, By::Intent(intent.id)));
                projection.chain.push(intent.id);
            }
            Place::Queued(reason) => projection.queued.push((intent.id, reason)),
            Place::Ended(end) => projection.ended.push((intent.id, end)),
        }
    }
    projection
}

impl Projection {
    /// Keeps intents off auto that a remote may have declined.
    pub(crate) fn leave_out(&mut self, suspected: &BTreeSet<IntentId>) {
        let (left_out, chain) = self.chain.iter().partition(|id| suspected.contains(id));
        self.chain = chain;
        let left_out: Vec<IntentId> = left_out;
        self.queued.extend(left_out.into_iter().map(|id| (id, declined(id))));
    }

    /// Returns what a slot holds once the chain has landed.
    pub fn effective(&self, slot: &Slot, history: &History) -> Option<(Release, By)> {
        let landed = || {
            let latest = history.latest(slot)?;
            Some((latest.release?, By::Commit(latest.commit)))
        };
        self.effective.get(slot).copied().or_else(landed)
    }
}

/// What intents are placed by.
#[derive(Debug, Clone, Copy)]
struct Ground<'a> {
    state: &'a State,
    history: &'a History,
    policy: &'a Policy,
    now: Timestamp,
}

impl Ground<'_> {
    fn place(&self, intent: &Intent, slot: &Slot, so_far: &Projection) -> Place {
        let withdrawn = |reason| Place::Ended(End::Withdrawn { reason, actor: None });
        let wave = self.policy.wave(&intent.wave).zip(self.policy.set(&intent.set)).map(|(wave, _)| wave);
        let Some(wave) = wave else {
            return withdrawn(format!(
                "wave `{}` or set `{}` is no longer configured",
                intent.wave, intent.set
            ));
        };
        if let Some(end) = overtaken_by_a_person(intent, slot, self.state, self.history) {
            return Place::Ended(end);
        }
        if let Some(reason) = self.no_longer_promotable(intent, wave) {
            return withdrawn(reason);
        }
        let present = so_far.effective(slot, self.history);
        if let Some((_, by)) = present.filter(|(release, _)| *release == intent.release) {
            return Place::Ended(End::Subsumed { by });
        }
        match gate::closed(wave, self.state.wave(&wave.name), self.now) {
            Some(reason) if !intent.is_rollback() => behind_a_closed_gate(intent, reason),
            _ => Place::OnAuto,
        }
    }

    /// A promotion ends when what proved it is no longer so; if it is so again, it is derived again.
    ///
    /// Stable no longer holds what it promotes, as after a person took stable back: what comes after it could not be
    /// told to be newer. Or a target of the wave that it leaves fails: nothing leaves that wave meanwhile (invariant
    /// S15).
    fn no_longer_promotable(&self, intent: &Intent, to: &WavePolicy) -> Option<String> {
        let Action::Promote { from, .. } = &intent.action else { return None };
        let Self { state, history, policy, now } = *self;
        if history.introduction_of(&(from.clone(), intent.set.clone()), intent.release).is_none() {
            return Some(format!("stable no longer holds release {} in {from}", intent.release.short()));
        }
        let (set, from) = policy.set(&intent.set).zip(policy.wave(from))?;
        Step { set, from, to, state, history, now }.stopped().map(|reason| reason.text)
    }
}

/// An introduction waits at a closed gate; a promotion is withdrawn, since it is derived again when the gate opens.
fn behind_a_closed_gate(intent: &Intent, reason: Reason) -> Place {
    match intent.action {
        Action::Introduce { .. } => Place::Queued(reason),
        _ => Place::Ended(End::Withdrawn { reason: reason.text, actor: None }),
    }
}

/// A person's edit on stable takes precedence over intents accepted before it: equal content subsumes them, other
/// content supersedes them.
fn overtaken_by_a_person(intent: &Intent, slot: &Slot, state: &State, history: &History) -> Option<End> {
    let accepted_on = history.position(&intent.accepted_on)?;
    let edits = history.introductions(slot).iter().rev().take_while(|edit| edit.position > accepted_on);
    let edit: &Introduction =
        edits.into_iter().find(|edit| is_a_persons(edit, state) || is_newer(edit, intent, state))?;
    let by = By::Commit(edit.commit);
    Some(if edit.release == Some(intent.release) { End::Subsumed { by } } else { End::Superseded { by } })
}

/// Tells whether a person made an edit. People copy our messages: one that names an intent and puts something else
/// there is a person's.
fn is_a_persons(edit: &Introduction, state: &State) -> bool {
    let differs = |id| state.intents.get(&id).is_some_and(|known| Some(known.intent.release) != edit.release);
    edit.intent.is_none_or(differs)
}

/// Tells whether an edit brought an intent that comes after this one, by declared sequence or else by acceptance: a
/// person put it there, maybe after it was evicted and before this one was accepted.
fn is_newer(edit: &Introduction, intent: &Intent, state: &State) -> bool {
    let known = |id| state.intents.get(&id);
    let (Some(landed), Some(accepted)) = (edit.intent.and_then(known), known(intent.id)) else {
        return false;
    };
    match (landed.intent.action.sequence(), intent.action.sequence()) {
        (Some(landed), Some(sequence)) if landed != sequence => landed > sequence,
        _ => landed.position > accepted.position,
    }
}

fn declined(id: IntentId) -> Reason {
    let text = "the remote declined a push that held it; others are tried without it, and it is tried again later. \
                Withdraw it if the remote is right";
    Reason::new(Code::Remote, format!("intent {id}"), text)
}

/// Says why an accepted intent is not on auto although its wave is open.
pub(crate) fn queued_behind_checks(wave: &WaveName, set: &SetName) -> Reason {
    let text =
        format!("{set} waits until the tip of auto has its verdict, since the forge would cancel its checks");
    Reason::new(Code::Queued, subject(wave), text)
}

#[cfg(test)]
mod tests;
