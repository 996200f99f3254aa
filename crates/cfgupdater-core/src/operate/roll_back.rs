//! Rollbacks: one record holds the wave and names what to go back to.

use super::{Desk, Operated};
use crate::call::{Refusal, RefusalKind};
use crate::history::Slot;
use crate::intent::{Action, Intent, rollback_id};
use crate::name::WaveName;
use crate::object_id::CommitId;
use crate::record::Record;
use crate::release::Release;
use crate::snapshot::Revision;

impl Desk<'_> {
    /// Takes every set of a wave back to what it was at `to`. Automation doesn't undo it until the hold is released.
    pub(super) fn roll_back(self, wave: &WaveName, to: CommitId, reason: &str) -> Result<Operated, Refusal> {
        self.wave(wave)?;
        let there = self.revision(to)?;
        let mut operated = Operated::default();
        if !self.is_held(wave) {
            operated.records.push(Record::Held { wave: wave.clone(), note: self.note(reason) });
        }
        let mut found = false;
        for set in &self.policy.sets {
            let slot = (wave.clone(), set.name.clone());
            let Some(release) = there.releases.get(&slot) else { continue };
            found = true;
            if self.has(&slot, *release) {
                continue;
            }
            let intent = self.rollback(&slot, *release, to)?;
            operated.intents.push(intent.id);
            operated.records.push(Record::Accepted { intent });
        }
        if !found {
            let detail = format!("commit {} holds no images of wave `{wave}`", to.short(10));
            return Err(Refusal::new(RefusalKind::Invalid, detail).at("to"));
        }
        Ok(operated)
    }

    fn revision(&self, to: CommitId) -> Result<&Revision, Refusal> {
        let wrong =
            |detail: &str| Refusal::new(RefusalKind::Invalid, format!("commit {to} {detail}")).at("to");
        let known = self.snapshot.revisions.get(&to).and_then(Option::as_ref);
        let known = known.ok_or_else(|| wrong("does not exist in the repository"))?;
        if known.on_stable { Ok(known) } else { Err(wrong("is not in the history of stable")) }
    }

    /// Tells whether a wave has a release already, and nothing that waits to land would change that.
    fn has(&self, slot: &Slot, release: Release) -> bool {
        let present = self.snapshot.history.latest(slot).and_then(|latest| latest.release);
        let live = self.state.live();
        let mut waiting = live.iter().filter(|intent| intent.is_rollback());
        let wanted = waiting.rfind(|intent| (&intent.wave, &intent.set) == (&slot.0, &slot.1));
        wanted.map_or(present, |intent| Some(intent.release)) == Some(release)
    }

    fn rollback(&self, slot: &Slot, release: Release, to: CommitId) -> Result<Intent, Refusal> {
        let images = self.snapshot.images.get(&release).cloned().ok_or_else(|| {
            let detail = "the images of that commit were not read; repeat the call, it is safe";
            Refusal::new(RefusalKind::Unavailable, detail)
        })?;
        let (wave, set) = slot.clone();
        // The same way back may be taken again later: each time is an intent of its own.
        let id = |number| rollback_id(&set, &wave, release, number);
        let mut number = 1;
        while self.state.knows(id(number)) {
            number += 1;
        }
        Ok(Intent {
            id: id(number),
            release,
            images,
            action: Action::RollBack { config_sha: to, number },
            accepted_at: self.snapshot.now.floor_to_seconds(),
            accepted_on: self.snapshot.branches.stable,
            actor: self.actor.to_owned(),
            set,
            wave,
        })
    }
}
