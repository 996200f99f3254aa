//! Bugs of a driver.

use std::collections::{BTreeMap, BTreeSet};

use cfgupdater_core::{Call, Failure, IntentId, Place, Reason, Request, Written};

use super::{Mutation, Tamper};
use crate::world::node::StateNode;
use crate::world::remote::Leases;

pub(super) fn all() -> Vec<Mutation> {
    let mutation = |name, breaks, within, tamper| Mutation { name, breaks, within, tamper };
    vec![
        mutation("stable is pushed by force", &["S2", "S3", "S5", "S6"], 20, || {
            Box::new(Forced(Leases { stable: false, ..Leases::default() }))
        }),
        mutation("state is pushed without a lease", &["S12"], 20, || {
            Box::new(Forced(Leases { state: false, ..Leases::default() }))
        }),
        mutation("an announcement is lost when its write is", &["S6"], 20, || Box::new(LostWrites)),
        mutation("there is no timer", &["L1", "L3", "L4", "S5"], 20, || Box::new(NoTimer)),
        mutation("nobody is asked what runs", &["L6"], 100, || Box::new(AsksNobody)),
        mutation("nobody is told what stalls", &["L1", "L2"], 20, || Box::new(Silent)),
        mutation("a preview counts as an announcement", &["S17"], 40, || Box::new(OnCall(announce_previews))),
        mutation("the keys of operators' calls are not looked at", &["S18"], 20, || {
            Box::new(OnCall(|call| call.key = None))
        }),
        mutation("commits cite a state commit that was never pushed", &["L1", "L4", "L5"], 1380, || {
            Box::new(CitesUnpushed::default())
        }),
    ]
}

/// Pushes without looking.
#[derive(Debug)]
struct Forced(Leases);

impl Tamper for Forced {
    fn is_active(&self) -> bool {
        false
    }

    fn leases(&self) -> Leases {
        self.0
    }
}

/// Waits for words that were lost.
#[derive(Debug)]
struct AsksNobody;

impl Tamper for AsksNobody {
    fn is_active(&self) -> bool {
        false
    }

    fn awaited(&mut self, places: &mut BTreeSet<Place>) {
        places.clear();
    }
}

/// Takes every push for done.
#[derive(Debug)]
struct LostWrites;

impl Tamper for LostWrites {
    fn is_active(&self) -> bool {
        false
    }

    fn result(&mut self, result: &mut Result<Written, Failure>) {
        if result.is_err() {
            *result = Ok(Written::default());
        }
    }
}

/// Changes calls before the product sees them.
#[derive(Debug)]
struct OnCall(fn(&mut Call));

impl Tamper for OnCall {
    fn is_active(&self) -> bool {
        false
    }

    fn call(&mut self, call: &mut Call) {
        (self.0)(call);
    }
}

fn announce_previews(call: &mut Call) {
    if let Request::Preview(asked) = &call.request {
        call.request = Request::Announce(asked.clone());
    }
}

/// Acts on nudges alone.
#[derive(Debug)]
struct NoTimer;

impl Tamper for NoTimer {
    fn is_active(&self) -> bool {
        false
    }

    fn wakes(&self) -> bool {
        false
    }
}

/// Publishes nothing.
#[derive(Debug)]
struct Silent;

impl Tamper for Silent {
    fn is_active(&self) -> bool {
        false
    }

    fn publishes(&mut self, _why: Vec<Reason>) -> Vec<Reason> {
        Vec::new()
    }
}

/// Remembers for each replica which state commit was prepared for an intent, whether it was pushed or not.
#[derive(Debug, Default)]
struct CitesUnpushed(BTreeMap<(usize, IntentId), StateNode>);

impl Tamper for CitesUnpushed {
    fn is_active(&self) -> bool {
        false
    }

    fn prepared(&mut self, replica: usize, intent: IntentId, state: StateNode) {
        self.0.insert((replica, intent), state);
    }

    fn cites(&mut self, replica: usize, intent: IntentId, right: Option<StateNode>) -> Option<StateNode> {
        self.0.get(&(replica, intent)).copied().or(right)
    }
}

/// Pushes every branch that moves, whatever became of state, and may take what comes of it for commits of ours.
#[cfg(test)]
#[derive(Debug)]
struct Unordered {
    any_citation: bool,
}

#[cfg(test)]
impl Tamper for Unordered {
    fn is_active(&self) -> bool {
        false
    }

    fn pushes_in_order(&self) -> bool {
        false
    }

    fn ignores_citations(&self) -> bool {
        self.any_citation
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::{Operating, Said, Schedule, Step};
    use crate::setup::{Required, Setup};
    use crate::sim::run_with;
    use crate::world::replica::Fault;

    /// Two replicas take the same announcement by a backend that doesn't push in order: the state of one moves, and the
    /// auto of the other. What is on auto then cites an acceptance that never was, so it must not land.
    #[test]
    fn a_commit_that_cites_an_acceptance_that_never_was_is_not_ours() {
        let announce =
            |replica| Step::Announce { replica, set: 0, release: 1, sequence: Some(1), attempt: 1 };
        let turn = |fault| Step::Turn { replica: 1, fault };
        let steps = vec![
            announce(1),
            Step::Report {
                replica: 0,
                wave: 1,
                target: 0,
                claim: Said::Revision(0),
                works: true,
                seen: None,
            },
            turn(Fault::Nothing),
            announce(0),
            turn(Fault::Nothing),
            Step::Run { replica: 0, turns: 4 },
            turn(Fault::Nothing),
            turn(Fault::Stale { back: 3, mask: 5 }),
            turn(Fault::Nothing),
            turn(Fault::Nothing),
            Step::Operate { replica: 0, wave: 0, what: Operating::Release, key: None },
        ];
        let setup = Setup { replicas: 2, atomic: false, required: Required::One, ..Setup::plain() };
        let schedule = Schedule { seed: 0, setup, steps };
        let unordered = |any_citation| Box::new(Unordered { any_citation });
        let found = run_with(&schedule, unordered(true)).expect_err("it lands, and state counts as lost");
        assert_eq!(found.invariant, "L1", "{found}");
        let careful = run_with(&schedule, unordered(false));
        assert_eq!(careful.map_err(|violation| violation.to_string()).err(), None);
    }
}
