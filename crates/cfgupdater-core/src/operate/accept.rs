//! Acceptance: an operator takes the repository as it is.

use super::{Desk, Operated};
use crate::call::Refusal;
use crate::record::Record;
use crate::snapshot::Fault;

impl Desk<'_> {
    /// Ends the faults that an operator can end, and restores what git still proves of a lost state.
    pub(super) fn accept(self, reason: &str) -> Result<Operated, Refusal> {
        let faults = &self.snapshot.faults;
        if let Some(fault) = faults.iter().find(|fault| !can_be_accepted(fault)) {
            let detail = format!("{}; accepting can't help here", crate::fault::reason(fault));
            return Err(super::conflict(detail));
        }
        if faults.is_empty() {
            return Ok(Operated::default());
        }
        let restored = if self.lost_state() { self.restorable() } else { Vec::new() };
        let note = self.note(reason);
        let mut excused = self.snapshot.cited.clone();
        excused.sort_unstable();
        excused.dedup();
        let accepted = Record::AcceptedAsIs { stable: self.snapshot.branches.stable, excused, note };
        let intents = restored.iter().map(|intent| intent.id).collect();
        let restored = restored.into_iter().map(|intent| Record::Accepted { intent });
        Ok(Operated { records: std::iter::once(accepted).chain(restored).collect(), intents })
    }

    fn lost_state(self) -> bool {
        self.snapshot.faults.iter().any(|fault| matches!(fault, Fault::StateLost { .. }))
    }

    /// Lists the intents on auto that their own commits prove and that the state doesn't know.
    fn restorable(self) -> Vec<crate::intent::Intent> {
        let unknown = |intent: &&crate::intent::Intent| !self.state.knows(intent.id);
        self.snapshot.restorable.iter().filter(unknown).cloned().collect()
    }
}

/// Tells whether an operator can end a fault by accepting what is there.
fn can_be_accepted(fault: &Fault) -> bool {
    match fault {
        Fault::StateLost { .. }
        | Fault::StateEdited { .. }
        | Fault::StableRewound { .. }
        | Fault::UnrelatedAuto { .. } => true,
        Fault::StateUnreadable { .. } | Fault::NewerFormat { .. } | Fault::OldConfiguration { .. } => false,
    }
}
