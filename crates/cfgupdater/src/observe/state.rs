//! Reads the state branch, and notices another hand on it.

use std::sync::Arc;

use cfgupdater_core::{
    CommitId, Entry, Error, Fault, InvalidState, State, StateFiles, Walk, decode_entry, decode_state,
    encode_state,
};

use super::{Memory, Reader};
use crate::state_branch::{self, entry_path};

/// How many state commits that are new at once are folded; beyond that, the newest is compared with the one before.
const FOLDED: usize = 64;

impl Reader<'_> {
    /// Reads the state at `tip`. What can't be read, or holds something else than what it records, is a fault.
    pub(super) fn state(
        &self,
        tip: Option<CommitId>,
        memory: &mut Memory,
        faults: &mut Vec<Fault>,
    ) -> Result<Arc<State>, Error> {
        let Some(tip) = tip else { return Ok(Arc::default()) };
        if let Some((_, state)) = memory.state.as_ref().filter(|(read, _)| *read == tip) {
            return Ok(Arc::clone(state));
        }
        let files = state_branch::read_files(self.repo, &tip)?;
        let state = match decode_state(&files) {
            Ok(state) => Arc::new(state),
            Err(error) => {
                faults.push(Fault::StateUnreadable { why: error.to_string() });
                return Ok(Arc::default());
            }
        };
        if self.follows(tip, &state, &files, memory)? {
            memory.state = Some((tip, Arc::clone(&state)));
        } else {
            faults.push(Fault::StateEdited { commit: tip });
        }
        Ok(state)
    }

    /// Tells whether a state is what its entries say: those since the state read last or, where somebody accepted
    /// another hand in between, the newest alone.
    fn follows(
        &self,
        tip: CommitId,
        state: &State,
        files: &StateFiles,
        memory: &Memory,
    ) -> Result<bool, Error> {
        if let Some((before, new)) = self.since_last_read(tip, memory)?
            && self.comes_to(before, &new, state)?
        {
            return Ok(true);
        }
        let before = match self.repo.commit(&tip)?.parents.first() {
            Some(parent) => decode_state(&state_branch::read_files(self.repo, parent)?),
            None => Ok(State::default()),
        };
        let (Ok(mut before), Ok(entry)) = (before, decode(files)) else { return Ok(false) };
        before.apply_entry(&entry);
        Ok(equal(&before, state))
    }

    /// Returns the state read last and the commits since, oldest first, where `tip` continues it by few.
    fn since_last_read(
        &self,
        tip: CommitId,
        memory: &Memory,
    ) -> Result<Option<(State, Vec<CommitId>)>, Error> {
        let Some((read, state)) = &memory.state else { return Ok(None) };
        if !self.repo.has_commit(read)? || !self.repo.is_ancestor(read, &tip)? {
            return Ok(None);
        }
        let new = self.repo.walk(&Walk::from(tip).first_parent().hiding(*read).limit(FOLDED))?;
        Ok((new.len() < FOLDED).then(|| (State::clone(state), new.into_iter().rev().collect())))
    }

    fn comes_to(&self, mut before: State, new: &[CommitId], state: &State) -> Result<bool, Error> {
        for commit in new {
            let Ok(entry) = self.entry(commit)? else { return Ok(false) };
            before.apply_entry(&entry);
        }
        Ok(equal(&before, state))
    }

    fn entry(&self, commit: &CommitId) -> Result<Result<Entry, InvalidState>, Error> {
        let tree = self.repo.commit(commit)?.tree;
        let Some(entry) = self.repo.entry(&tree, &entry_path())? else { return Ok(decode_entry(b"")) };
        Ok(decode_entry(&self.repo.blob(&cfgupdater_core::BlobId::new(entry.id))?))
    }
}

fn decode(files: &StateFiles) -> Result<Entry, InvalidState> {
    decode_entry(files.get(&entry_path()).map(Vec::as_slice).unwrap_or_default())
}

/// Compares a state worked out with one read. Files leave out what says nothing, so the first goes through them too.
fn equal(worked_out: &State, read: &State) -> bool {
    decode_state(&encode_state(worked_out)).as_ref() == Ok(read)
}
