//! The trace: all that happened, for the oracle to judge.

use std::sync::Arc;

use cfgupdater_core::{Answer, OperationKey, Policy, Refusal, Request, Snapshot};

use super::node::{Node, StateNode};
use super::remote::Refs;

/// Who did something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Actor {
    /// A replica of the service.
    Replica(usize),
    /// A person, past the service.
    Person,
}

/// What one observation was served, before anybody could tamper with it.
#[derive(Debug, Clone)]
pub struct View {
    /// The branches as served.
    pub refs: Refs,
    /// The policy that the replica was configured with.
    pub policy: Arc<Policy>,
    /// What the product was given; the oracle reads its time, its checks and which are required alone.
    pub snapshot: Arc<Snapshot>,
}

/// One thing that happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// A replica read the repository.
    Observed {
        /// The replica.
        replica: usize,
        /// What it was served.
        view: Arc<View>,
    },
    /// Stable moved.
    Stable {
        /// Who moved it.
        by: Actor,
        /// Where it was.
        from: Node,
        /// Where it is.
        to: Node,
        /// What the replica had been served.
        view: Option<Arc<View>>,
    },
    /// Auto moved.
    Auto {
        /// Who moved it.
        by: Actor,
        /// Where it was.
        from: Option<Node>,
        /// Where it is.
        to: Option<Node>,
        /// What the replica had been served.
        view: Option<Arc<View>>,
    },
    /// State moved.
    State {
        /// Who moved it.
        by: Actor,
        /// Where it was.
        from: Option<StateNode>,
        /// Where it is.
        to: Option<StateNode>,
        /// What the replica had been served.
        view: Option<Arc<View>>,
    },
    /// The scratch branch moved.
    Probe {
        /// Who moved it.
        by: Actor,
        /// Where it is.
        to: Option<Node>,
    },
    /// Somebody called a replica.
    Called {
        /// The replica.
        replica: usize,
        /// The call's number at that replica.
        call: u64,
        /// What was asked for.
        request: Request,
        /// What tells a repetition of it from another call.
        key: Option<OperationKey>,
    },
    /// A replica answered.
    Answered {
        /// The replica.
        replica: usize,
        /// The call's number.
        call: u64,
        /// The answer.
        answer: Result<Answer, Refusal>,
    },
    /// A replica lost its memory.
    Crashed {
        /// The replica.
        replica: usize,
    },
}

impl Event {
    /// Tells whether a replica moved a branch.
    pub fn is_write(&self) -> bool {
        matches!(
            self,
            Self::Stable { by: Actor::Replica(_), .. }
                | Self::Auto { by: Actor::Replica(_), .. }
                | Self::State { by: Actor::Replica(_), .. }
                | Self::Probe { by: Actor::Replica(_), .. }
        )
    }
}
