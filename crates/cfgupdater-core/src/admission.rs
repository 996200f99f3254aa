//! Which announcements become intents.

use crate::call::{Refusal, RefusalKind};
use crate::intent::{Action, Announcement, Intent, IntentId};
use crate::name::SetName;
use crate::policy::{Policy, SetPolicy, WavePolicy};
use crate::release::Release;
use crate::snapshot::Snapshot;
use crate::state::State;

/// What an announcement is, compared with all that was accepted before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// Accept it.
    New(Box<Intent>),
    /// It was accepted before.
    Duplicate(IntentId),
    /// A higher sequence was accepted before.
    Stale(IntentId),
    /// The wave has these images, or is about to.
    Unchanged(IntentId),
}

/// Decides what an announcement is. `effective` is the release that the first wave will have once all live intents
/// have landed.
///
/// # Errors
/// Refuses unknown sets, and sequences that contradict earlier ones.
pub fn admit(
    announced: &Announcement,
    actor: &str,
    policy: &Policy,
    snapshot: &Snapshot,
    state: &State,
    effective: impl FnOnce(&SetPolicy, &WavePolicy) -> Option<Release>,
) -> Result<Admission, Refusal> {
    let set = policy.set(&announced.set).ok_or_else(|| unknown_set(&announced.set, policy))?;
    let wave = policy.waves_of(set).next().ok_or_else(|| {
        Refusal::new(RefusalKind::Invalid, format!("set `{}` goes through no wave", set.name))
    })?;
    announced
        .images
        .check()
        .map_err(|error| Refusal::new(RefusalKind::Invalid, error.to_string()).at("body"))?;
    let id = announced.intent_id();
    if state.knows(id) || snapshot.history.by_intent(id).is_some() {
        return Ok(Admission::Duplicate(id));
    }
    if is_stale(announced, state)? {
        return Ok(Admission::Stale(id));
    }
    let release = set.identity.release(&announced.images);
    if effective(set, wave) == Some(release) {
        return Ok(Admission::Unchanged(id));
    }
    Ok(Admission::New(Box::new(Intent {
        id,
        set: set.name.clone(),
        wave: wave.name.clone(),
        release,
        images: announced.images.clone(),
        action: Action::Introduce {
            app_sha: announced.app_sha,
            sequence: announced.sequence,
            attempt: announced.attempt,
        },
        accepted_at: snapshot.now.floor_to_seconds(),
        accepted_on: snapshot.branches.stable,
        actor: actor.to_owned(),
    })))
}

fn unknown_set(name: &SetName, policy: &Policy) -> Refusal {
    let known: Vec<&str> = policy.sets.iter().map(|set| set.name.as_str()).collect();
    let detail = format!("image set `{name}` is not configured; configured are: {}", known.join(", "));
    Refusal::new(RefusalKind::Unknown, detail).at("set")
}

/// Compares sequences: below the highest that did not fail is stale, and a set has sequences always or never.
fn is_stale(announced: &Announcement, state: &State) -> Result<bool, Refusal> {
    let (highest, unordered) = sequences(&announced.set, state);
    let conflict = |detail: String| Err(Refusal::new(RefusalKind::Conflict, detail).at("sequence"));
    match (announced.sequence, highest) {
        (None, Some(highest)) => conflict(format!(
            "set `{}` is announced with sequences, the highest is {highest}: pass one",
            announced.set
        )),
        (Some(_), _) if unordered => conflict(format!(
            "set `{}` has been announced without sequences: go on without, or with a set of another name",
            announced.set
        )),
        (Some(sequence), Some(highest)) if sequence == highest => conflict(format!(
            "sequence {sequence} of set `{}` belongs to another announcement",
            announced.set
        )),
        (Some(sequence), Some(highest)) => Ok(sequence < highest),
        (_, None) => Ok(false),
    }
}

/// Returns the highest sequence of a set that did not fail by its own fault, and whether one came without.
fn sequences(set: &SetName, state: &State) -> (Option<u64>, bool) {
    let floor = state.sequences.get(set).copied().unwrap_or_default();
    let mut known = (floor.highest, floor.unordered);
    for accepted in state.intents.values().filter(|accepted| accepted.intent.set == *set) {
        if let Action::Introduce { sequence, .. } = accepted.intent.action {
            known.1 |= sequence.is_none();
            if !accepted.end.as_ref().is_some_and(crate::end::End::is_fault) {
                known.0 = known.0.max(sequence);
            }
        }
    }
    known
}
