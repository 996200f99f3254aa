//! Waivers: one dead target doesn't stop the rest.

use super::{Desk, Operated};
use crate::call::{Refusal, RefusalKind};
use crate::name::{TargetName, WaveName};
use crate::record::Record;
use crate::timestamp::Timestamp;

impl Desk<'_> {
    pub(super) fn waive(
        self,
        wave: &WaveName,
        target: &TargetName,
        until: Option<Timestamp>,
        reason: &str,
    ) -> Result<Operated, Refusal> {
        if !self.wave(wave)?.targets.iter().any(|known| known.name == *target) {
            let detail = format!("wave `{wave}` has no target `{target}`");
            return Err(Refusal::new(RefusalKind::Unknown, detail).at("target"));
        }
        let known = self.state.wave(wave).and_then(|decided| decided.waivers.get(target));
        let over = until.is_some_and(|until| until <= self.snapshot.now);
        let in_force = known.filter(|waiver| waiver.until.is_none_or(|until| until > self.snapshot.now));
        let same = in_force.map_or(over, |waiver| waiver.until == until);
        if same {
            return Ok(Operated::default());
        }
        let (wave, target, note) = (wave.clone(), target.clone(), self.note(reason));
        Ok(Operated::only(Record::Waived { wave, target, until, note }))
    }
}
