//! Gates: what stands against a wave being written.

use crate::intent::Intent;
use crate::name::WaveName;
use crate::policy::{Policy, WavePolicy};
use crate::reason::{Code, Reason};
use crate::state::{State, WaveState};
use crate::timestamp::Timestamp;

/// Returns why nothing may land in a wave now; `None` while it is open (invariant S16).
///
/// A rollback passes a hold, since it comes with it, and a freeze, since it repairs.
pub(crate) fn closed(wave: &WavePolicy, decided: Option<&WaveState>, now: Timestamp) -> Option<Reason> {
    if let Some(hold) = decided.and_then(|decided| decided.hold.as_ref()) {
        let text = format!("held by {} since {}: {}; release it to go on", hold.actor, hold.at, hold.reason);
        return Some(Reason::new(Code::Held, subject(&wave.name), text));
    }
    let frozen = |window: &crate::freeze::FreezeWindow| {
        let end = window.ends_after(now)?;
        Some(Reason::new(Code::Frozen, subject(&wave.name), format!("freeze window {window}")).until(end))
    };
    wave.freeze.iter().find_map(frozen)
}

/// Returns why an intent may not land in its wave now.
pub(crate) fn closed_for(intent: &Intent, policy: &Policy, state: &State, now: Timestamp) -> Option<Reason> {
    let wave = policy.wave(&intent.wave)?;
    closed(wave, state.wave(&wave.name), now)
}

/// Names a wave as the subject of a reason.
pub(crate) fn subject(wave: &WaveName) -> String {
    format!("wave {wave}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Note;
    use crate::testing::at;

    #[test]
    fn a_hold_and_a_freeze_window_close_a_wave() {
        let mut wave = WavePolicy::new("production".parse().unwrap(), Vec::new());
        assert_eq!(closed(&wave, None, at(0)), None);
        // The epoch was a Thursday.
        wave.freeze.push("Thu 00:00 - Fri 00:00 UTC".parse().unwrap());
        assert_eq!(closed(&wave, None, at(0)).unwrap().until, Some(at(86_400)));
        let note = Note { actor: "ops".to_owned(), reason: "incident".to_owned(), at: at(0) };
        let held = WaveState { hold: Some(note), ..WaveState::default() };
        assert_eq!(closed(&wave, Some(&held), at(0)).unwrap().code, Code::Held);
    }
}
