//! What operators may do, and what it records.

mod accept;
mod approve;
mod key;
mod reopen;
mod roll_back;
mod waive;
mod withdraw;

use crate::call::{Call, Refusal, RefusalKind};
use crate::intent::{Intent, IntentId};
use crate::name::{TargetName, WaveName};
use crate::object_id::CommitId;
use crate::plan::note;
use crate::policy::{Policy, WavePolicy};
use crate::record::{Note, Record};
use crate::release::Release;
use crate::snapshot::Snapshot;
use crate::state::State;
use crate::timestamp::Timestamp;

pub use key::{InvalidOperationKey, OperationKey};

/// What an operator does. Every action has a reason, which the audit trail keeps with the operator's name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(tag = "operation", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Operation {
    /// Closes a wave: nothing lands in it.
    Hold {
        /// The wave.
        wave: WaveName,
        /// Why.
        reason: String,
    },
    /// Opens it again.
    Release {
        /// The wave.
        wave: WaveName,
        /// Why.
        reason: String,
    },
    /// Lets one release into a wave.
    Approve {
        /// The wave.
        wave: WaveName,
        /// The release that was looked at; the one that waits where absent.
        release: Option<Release>,
        /// Why.
        reason: String,
    },
    /// Holds a wave and takes its images back to what they were at a commit.
    RollBack {
        /// The wave.
        wave: WaveName,
        /// The commit of stable that holds the images to go back to.
        to: CommitId,
        /// Why.
        reason: String,
    },
    /// Stops all landing.
    Pause {
        /// Why.
        reason: String,
    },
    /// Lets landing go on.
    Resume {
        /// Why.
        reason: String,
    },
    /// Stops waiting for a target.
    Waive {
        /// Its wave.
        wave: WaveName,
        /// The target.
        target: TargetName,
        /// Until when; for good where absent, and a time that has passed ends an earlier waiver.
        until: Option<Timestamp>,
        /// Why.
        reason: String,
    },
    /// Takes an intent back that hasn't landed.
    Withdraw {
        /// The intent.
        intent: IntentId,
        /// Why.
        reason: String,
    },
    /// Tries an intent again that was evicted, refused or withdrawn.
    Retry {
        /// The intent.
        intent: IntentId,
        /// Why.
        reason: String,
    },
    /// Accepts the repository as it is after stable was rewound, or state was lost or changed by somebody else.
    Accept {
        /// Why.
        reason: String,
    },
}

impl Operation {
    /// Returns why the operator does it.
    pub fn reason(&self) -> &str {
        match self {
            Self::Hold { reason, .. }
            | Self::Release { reason, .. }
            | Self::Approve { reason, .. }
            | Self::RollBack { reason, .. }
            | Self::Pause { reason }
            | Self::Resume { reason }
            | Self::Waive { reason, .. }
            | Self::Withdraw { reason, .. }
            | Self::Retry { reason, .. }
            | Self::Accept { reason } => reason,
        }
    }
}

/// What a call of an operator leads to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Operated {
    /// What is recorded; nothing where it is so already.
    pub(crate) records: Vec<Record>,
    /// The intents it made, opened again or took back.
    pub(crate) intents: Vec<IntentId>,
}

impl Operated {
    fn only(record: Record) -> Self {
        Self { records: vec![record], intents: Vec::new() }
    }

    fn of(record: Record, intent: IntentId) -> Self {
        Self { records: vec![record], intents: vec![intent] }
    }
}

/// What an operation is decided by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Desk<'a> {
    pub(crate) actor: &'a str,
    pub(crate) policy: &'a Policy,
    pub(crate) state: &'a State,
    pub(crate) snapshot: &'a Snapshot,
}

/// Decides an operator's call. A call that was made before under the same key is not made again.
///
/// # Errors
/// Refuses what names something unknown, contradicts what is, or uses a key for something else.
pub(crate) fn operate(call: &Call, operation: &Operation, desk: Desk<'_>) -> Result<Operated, Refusal> {
    let Some(key) = call.key else { return desk.decide(operation) };
    if let Some(intents) = key.repeated(operation, desk.state)? {
        return Ok(Operated { records: Vec::new(), intents });
    }
    let mut operated = desk.decide(operation)?;
    if !operated.records.is_empty() {
        operated.records.insert(0, key.record(operation, &operated.intents));
    }
    Ok(operated)
}

impl<'a> Desk<'a> {
    fn decide(self, operation: &Operation) -> Result<Operated, Refusal> {
        match operation {
            Operation::Hold { wave, reason } => self.hold(wave, reason),
            Operation::Release { wave, reason } => self.release(wave, reason),
            Operation::Approve { wave, release, reason } => self.approve(wave, *release, reason),
            Operation::RollBack { wave, to, reason } => self.roll_back(wave, *to, reason),
            Operation::Pause { reason } => Ok(self.pause(reason)),
            Operation::Resume { reason } => Ok(self.resume(reason)),
            Operation::Waive { wave, target, until, reason } => self.waive(wave, target, *until, reason),
            Operation::Withdraw { intent, reason } => self.withdraw(*intent, reason),
            Operation::Retry { intent, reason } => self.reopen(*intent, reason),
            Operation::Accept { reason } => self.accept(reason),
        }
    }

    fn hold(self, wave: &WaveName, reason: &str) -> Result<Operated, Refusal> {
        self.wave(wave)?;
        if self.is_held(wave) {
            return Ok(Operated::default());
        }
        Ok(Operated::only(Record::Held { wave: wave.clone(), note: self.note(reason) }))
    }

    fn release(self, wave: &WaveName, reason: &str) -> Result<Operated, Refusal> {
        self.wave(wave)?;
        if !self.is_held(wave) {
            return Ok(Operated::default());
        }
        Ok(Operated::only(Record::Released { wave: wave.clone(), note: self.note(reason) }))
    }

    fn pause(self, reason: &str) -> Operated {
        if self.state.paused.is_some() {
            return Operated::default();
        }
        Operated::only(Record::Paused { note: self.note(reason) })
    }

    fn resume(self, reason: &str) -> Operated {
        if self.state.paused.is_none() {
            return Operated::default();
        }
        Operated::only(Record::Resumed { note: self.note(reason) })
    }

    fn wave(self, name: &WaveName) -> Result<&'a WavePolicy, Refusal> {
        let detail = || format!("wave `{name}` is not configured for this repository");
        self.policy.wave(name).ok_or_else(|| Refusal::new(RefusalKind::Unknown, detail()).at("wave"))
    }

    fn is_held(self, wave: &WaveName) -> bool {
        self.state.wave(wave).is_some_and(|decided| decided.hold.is_some())
    }

    /// Returns an intent that is still kept whole.
    fn intent(self, id: IntentId) -> Result<&'a Intent, Refusal> {
        if let Some(accepted) = self.state.intents.get(&id) {
            return Ok(&accepted.intent);
        }
        Err(match self.state.end_of(id) {
            Some(end) => {
                conflict(format!("intent {id} was {end}, too long ago to be changed; announce anew"))
            }
            None => Refusal::new(RefusalKind::Unknown, format!("intent {id} was never accepted")).at("id"),
        })
    }

    fn note(self, reason: &str) -> Note {
        note(self.actor, reason, self.snapshot.now)
    }
}

fn conflict(detail: impl Into<String>) -> Refusal {
    Refusal::new(RefusalKind::Conflict, detail)
}

#[cfg(test)]
mod tests;
