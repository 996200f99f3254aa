//! What operators may do, and what it records.

use crate::call::{Operation, Refusal, RefusalKind};
use crate::name::{SetName, WaveName};
use crate::plan::note;
use crate::policy::Policy;
use crate::promote::Step;
use crate::record::Record;
use crate::release::Release;
use crate::snapshot::Snapshot;
use crate::state::State;

/// Returns the record of an operation, `None` where it changes nothing.
///
/// # Errors
/// Refuses unknown waves, and approvals of what doesn't wait.
pub(crate) fn record(
    operation: &Operation,
    actor: &str,
    policy: &Policy,
    state: &State,
    snapshot: &Snapshot,
) -> Result<Option<Record>, Refusal> {
    let known = |wave: &WaveName| {
        let detail = || format!("wave `{wave}` is not configured for this repository");
        policy.wave(wave).ok_or_else(|| Refusal::new(RefusalKind::Unknown, detail()).at("wave"))
    };
    let held = |wave: &WaveName| state.wave(wave).is_some_and(|decided| decided.hold.is_some());
    match operation {
        Operation::Hold { wave, reason } => {
            known(wave)?;
            let note = note(actor, reason, snapshot.now);
            Ok((!held(wave)).then(|| Record::Held { wave: wave.clone(), note }))
        }
        Operation::Release { wave, reason } => {
            known(wave)?;
            let note = note(actor, reason, snapshot.now);
            Ok(held(wave).then(|| Record::Released { wave: wave.clone(), note }))
        }
        Operation::Approve { wave, release, reason } => {
            known(wave)?;
            let (set, waiting) = waiting_for_approval(wave, *release, policy, state, snapshot)?;
            let note = note(actor, reason, snapshot.now);
            Ok(Some(Record::Approved { wave: wave.clone(), set, release: waiting, note }))
        }
    }
}

/// Finds the proven release that an approval lets in. An approval binds one release: another one is a conflict.
fn waiting_for_approval(
    wave: &WaveName,
    named: Option<Release>,
    policy: &Policy,
    state: &State,
    snapshot: &Snapshot,
) -> Result<(SetName, Release), Refusal> {
    let steps = policy.steps().filter(|(_, _, to)| to.name == *wave);
    let waiting: Vec<(SetName, Release)> = steps
        .filter_map(|(set, from, to)| {
            let step = Step { set, from, to, state, history: &snapshot.history, now: snapshot.now };
            step.proven().map(|release| (set.name.clone(), release))
        })
        .collect();
    let conflict = |detail: String| Err(Refusal::new(RefusalKind::Conflict, detail).at("release"));
    match (named, waiting.as_slice()) {
        (_, []) => conflict(format!("no proven release waits to enter wave `{wave}`")),
        (None, [one]) => Ok(one.clone()),
        (None, several) => {
            let releases: Vec<String> =
                several.iter().map(|(set, release)| format!("{set} {release}")).collect();
            conflict(format!("several releases wait for wave `{wave}`, name one: {}", releases.join(", ")))
        }
        (Some(named), waiting) => match waiting.iter().find(|(_, release)| *release == named) {
            Some(found) => Ok(found.clone()),
            None => conflict(format!(
                "release {} doesn't wait for wave `{wave}`; release {} does",
                named.short(),
                waiting[0].1
            )),
        },
    }
}
