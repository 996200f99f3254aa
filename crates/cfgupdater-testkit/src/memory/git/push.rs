//! What a push does to the references of a server.

use cfgupdater_core::{CommitId, Error, Expected, GitRepo, RefEdit, RefMap, RefName, RefOutcome};

use super::object::invalid;
use super::server::{Fault, MemoryGitServer, locked};

/// Refuses edits that no push can express.
pub(super) fn check(edits: &[RefEdit]) -> Result<(), Error> {
    for (at, edit) in edits.iter().enumerate() {
        if edits[..at].iter().any(|other| other.name == edit.name) {
            return Err(invalid("one push edits a reference twice"));
        }
        if edit.name.as_str() == "HEAD" {
            return Err(invalid("a push edits branches by their full name, not HEAD"));
        }
        if edit.expected == Expected::Ancestor && edit.new.is_none() {
            return Err(invalid("a reference is only deleted from an exact old value"));
        }
    }
    Ok(())
}

/// What the server makes of one edit.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Fate {
    /// The reference is there already.
    Done,
    Taken,
    Refused(RefOutcome),
}

impl MemoryGitServer {
    /// Takes a push as it is, or edit after edit, as clients send them to a server that knows no atomic push.
    pub(super) fn receive(&self, edits: &[RefEdit], fault: Option<&Fault>) -> Result<Vec<RefOutcome>, Error> {
        if self.settings().is_atomic {
            return self.receive_together(edits, fault);
        }
        let mut outcomes: Vec<RefOutcome> = Vec::new();
        for edit in edits {
            let stopped = outcomes.last().is_some_and(|outcome| *outcome != RefOutcome::Moved);
            if stopped {
                outcomes.push(RefOutcome::Aborted);
            } else {
                outcomes.extend(self.receive_together(std::slice::from_ref(edit), fault)?);
            }
        }
        Ok(outcomes)
    }

    /// Advertises the references, compares, asks the hooks, and compares again when it updates: whoever is quicker wins.
    fn receive_together(&self, edits: &[RefEdit], fault: Option<&Fault>) -> Result<Vec<RefOutcome>, Error> {
        let names: Vec<RefName> = edits.iter().map(|edit| edit.name.clone()).collect();
        let advertised = self.list(&names)?;
        let mut fates = Vec::new();
        for edit in edits {
            fates.push(self.compare(edit, advertised.get(&edit.name).copied())?);
        }
        if !goes_on(&fates) {
            return Ok(outcomes(fates));
        }
        self.ask_hooks(edits, &advertised, &mut fates)?;
        if let Some(Fault::Race { name, to }) = fault {
            self.repo().set_ref(name, to.map(|id| *id.object_id()));
        }
        if !goes_on(&fates) {
            return Ok(outcomes(fates));
        }
        self.update(edits, &advertised, fates)
    }

    fn compare(&self, edit: &RefEdit, actual: Option<CommitId>) -> Result<Fate, Error> {
        if actual == edit.new {
            return Ok(Fate::Done);
        }
        let fits = match (edit.expected, actual, edit.new) {
            (Expected::Exactly(old), ..) => actual == old,
            (Expected::Ancestor, Some(actual), Some(new)) => self.repo().is_ancestor(&actual, &new)?,
            (Expected::Ancestor, ..) => true,
        };
        Ok(if fits { Fate::Taken } else { Fate::Refused(RefOutcome::Stale { actual }) })
    }

    fn ask_hooks(&self, edits: &[RefEdit], advertised: &RefMap, fates: &mut [Fate]) -> Result<(), Error> {
        // The hooks may use the server, so nothing is locked while they run.
        let (pre_receive, update, denies_rewinding) = {
            let settings = self.settings();
            (settings.pre_receive.clone(), settings.update.clone(), settings.denies_rewinding)
        };
        let asked = pre_receive.map_or(Ok(()), |hook| hook(edits));
        for (edit, fate) in edits.iter().zip(fates).filter(|(_, fate)| **fate == Fate::Taken) {
            let old = advertised.get(&edit.name).copied();
            let declined = match &asked {
                Err(reason) => Some(reason.clone()),
                Ok(()) if denies_rewinding && self.rewinds(old, edit.new)? => {
                    Some("denying non-fast-forward".to_owned())
                }
                Ok(()) => self.clash(edit).or_else(|| update.as_ref().and_then(|hook| hook(edit).err())),
            };
            if let Some(reason) = declined {
                *fate = Fate::Refused(RefOutcome::Declined { reason });
            }
        }
        Ok(())
    }

    /// Finds a reference that is to be moved and whose lock somebody holds.
    fn held(&self, edits: &[RefEdit], fates: &[Fate]) -> Option<RefName> {
        let settings = self.settings();
        let moved = edits.iter().zip(fates).filter(|(_, fate)| **fate == Fate::Taken);
        moved.map(|(edit, _)| &edit.name).find(|name| settings.locked.contains(*name)).cloned()
    }

    fn rewinds(&self, old: Option<CommitId>, new: Option<CommitId>) -> Result<bool, Error> {
        match (old, new) {
            (Some(old), Some(new)) => Ok(!self.repo().is_ancestor(&old, &new)?),
            _ => Ok(false),
        }
    }

    /// Finds a reference whose name can't exist beside the new one: git keeps names as files and directories.
    fn clash(&self, edit: &RefEdit) -> Option<String> {
        edit.new?;
        let below = |one: &RefName, other: &RefName| {
            one.as_str().strip_prefix(other.as_str()).is_some_and(|rest| rest.starts_with('/'))
        };
        let names = self.repo().ref_names();
        let clash = names.iter().find(|name| below(name, &edit.name) || below(&edit.name, name))?;
        Some(format!("{} can't exist beside {clash}", edit.name))
    }

    fn update(
        &self,
        edits: &[RefEdit],
        advertised: &RefMap,
        mut fates: Vec<Fate>,
    ) -> Result<Vec<RefOutcome>, Error> {
        let names: Vec<RefName> = edits.iter().map(|edit| edit.name.clone()).collect();
        let now = self.list(&names)?;
        for (edit, fate) in edits.iter().zip(&mut fates).filter(|(_, fate)| **fate == Fate::Taken) {
            let actual = now.get(&edit.name).copied();
            if actual == edit.new {
                *fate = Fate::Done;
            } else if actual != advertised.get(&edit.name).copied() {
                *fate = Fate::Refused(RefOutcome::Stale { actual });
            }
        }
        if goes_on(&fates) {
            if let Some(held) = self.held(edits, &fates) {
                return Err(locked(&held));
            }
            for (edit, _) in edits.iter().zip(&fates).filter(|(_, fate)| **fate == Fate::Taken) {
                self.repo().set_ref(&edit.name, edit.new.map(|id| *id.object_id()));
            }
            return Ok(fates.into_iter().map(done).collect());
        }
        Ok(outcomes(fates))
    }
}

/// Tells whether anything is left to do: one bad edit fails all.
fn goes_on(fates: &[Fate]) -> bool {
    !fates.iter().any(|fate| matches!(fate, Fate::Refused(_)))
}

fn done(fate: Fate) -> RefOutcome {
    match fate {
        Fate::Done | Fate::Taken => RefOutcome::Moved,
        Fate::Refused(outcome) => outcome,
    }
}

/// Tells what became of the edits of a push that failed as a whole. Where one was stale, a declined one was not tried.
fn outcomes(fates: Vec<Fate>) -> Vec<RefOutcome> {
    let tell = |fate| match fate {
        Fate::Done => RefOutcome::Moved,
        Fate::Taken => RefOutcome::Aborted,
        Fate::Refused(outcome) => outcome,
    };
    fates.into_iter().map(tell).collect()
}
