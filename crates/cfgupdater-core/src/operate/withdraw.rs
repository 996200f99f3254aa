//! Withdrawals: an operator takes back what hasn't landed.

use super::{Desk, Operated, conflict};
use crate::call::Refusal;
use crate::end::End;
use crate::intent::IntentId;
use crate::plan::ended;

impl Desk<'_> {
    pub(super) fn withdraw(self, id: IntentId, reason: &str) -> Result<Operated, Refusal> {
        self.intent(id)?;
        match self.state.end_of(id) {
            None => {
                let end = End::Withdrawn { reason: reason.to_owned(), actor: Some(self.actor.to_owned()) };
                Ok(Operated::of(ended(id, end), id))
            }
            Some(End::Withdrawn { .. }) => Ok(Operated { records: Vec::new(), intents: vec![id] }),
            Some(end) => {
                Err(conflict(format!("intent {id} was {end} before, and can't be taken back")).at("id"))
            }
        }
    }
}
