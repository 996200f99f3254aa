//! Retries: an operator opens an intent again that was given up.

use super::{Desk, Operated, conflict};
use crate::call::Refusal;
use crate::end::End;
use crate::intent::{Intent, IntentId};
use crate::record::Record;

impl Desk<'_> {
    /// Puts an intent behind all others again. Whatever newer its wave got or is about to get stands in the way: a
    /// retry never downgrades (invariant S10).
    pub(super) fn reopen(self, id: IntentId, reason: &str) -> Result<Operated, Refusal> {
        let intent = self.intent(id)?;
        match self.state.end_of(id) {
            None => return Ok(Operated { records: Vec::new(), intents: vec![id] }),
            Some(End::Evicted { .. } | End::Refused { .. } | End::Withdrawn { .. }) => {}
            Some(end) => {
                return Err(conflict(format!("intent {id} was {end}; there is nothing to retry")).at("id"));
            }
        }
        if let Some(newer) = self.newer(intent) {
            let detail =
                format!("{newer} came into wave `{}` after it: announce the build anew", intent.wave);
            return Err(conflict(detail).at("id"));
        }
        let (actor, reason) = (self.actor.to_owned(), reason.to_owned());
        Ok(Operated::of(Record::Retried { id, actor, reason }, id))
    }

    /// Finds what its slot got, or waits to get, after an intent was accepted.
    fn newer(self, intent: &Intent) -> Option<String> {
        let position = self.state.intents.get(&intent.id)?.position;
        let slot = (intent.wave.clone(), intent.set.clone());
        let history = &self.snapshot.history;
        if let (Some(accepted_on), Some(latest)) =
            (history.position(&intent.accepted_on), history.latest(&slot))
            && latest.position > accepted_on
        {
            return Some(format!("commit {}", latest.commit.short(10)));
        }
        let others = self.state.intents.values().filter(|other| other.position > position);
        let mut others = others.filter(|other| (&other.intent.wave, &other.intent.set) == (&slot.0, &slot.1));
        let counts = |end: &Option<End>| end.as_ref().is_none_or(End::is_on_stable);
        others.find(|other| counts(&other.end)).map(|other| format!("intent {}", other.intent.id))
    }
}
