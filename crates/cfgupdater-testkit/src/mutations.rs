//! Seeded bugs: wrappers around the product's reconciler and its driver, so that the tests are tested.
//!
//! None of them is a switch in product code. Each tampers with what the product is told, or with how its effects are
//! carried out; the oracle, which sees what was really served and what really happened, must notice.

mod checks;
mod driver;
mod effects;
mod gates;
mod state;

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::Arc;

use cfgupdater_core::{
    Accepted, Call, Effect, Failure, IntentId, Place, Policy, Reason, Snapshot, State, TargetReports, Written,
};

use crate::world::World;
use crate::world::node::StateNode;
use crate::world::remote::Leases;

/// What can be tampered with between the world and the product. Everything defaults to honesty.
pub trait Tamper: Debug + Send + Sync {
    /// Tells whether snapshots are tampered with.
    fn is_active(&self) -> bool {
        true
    }

    /// Changes the policy that replicas are told.
    fn policy(&mut self, _policy: &mut Policy) {}

    /// Changes a call before the product sees it.
    fn call(&mut self, _call: &mut Call) {}

    /// Changes a snapshot before the product sees it.
    fn snapshot(&mut self, _world: &World, _snapshot: &mut Snapshot) {}

    /// Changes an effect before it is carried out.
    fn effect(&mut self, _snapshot: &Snapshot, _effect: &mut Effect) {}

    /// Changes what the product is told of an effect.
    fn result(&mut self, _result: &mut Result<Written, Failure>) {}

    /// Returns how strictly the remote is asked to check.
    fn leases(&self) -> Leases {
        Leases::default()
    }

    /// Hears which state commit was prepared for an acceptance, before it is pushed.
    fn prepared(&mut self, _replica: usize, _intent: IntentId, _in: StateNode) {}

    /// Chooses the state commit that a commit of ours cites.
    fn cites(&mut self, _replica: usize, _intent: IntentId, right: Option<StateNode>) -> Option<StateNode> {
        right
    }

    /// Tells whether commits on auto count as ours whatever acceptance they cite.
    fn ignores_citations(&self) -> bool {
        false
    }

    /// Tells whether a push that isn't atomic ends at the first branch that doesn't move.
    fn pushes_in_order(&self) -> bool {
        true
    }

    /// Changes whom deploy tools are asked about.
    fn awaited(&mut self, _places: &mut BTreeSet<Place>) {}

    /// Changes what people are told.
    fn publishes(&mut self, why: Vec<Reason>) -> Vec<Reason> {
        why
    }

    /// Tells whether the driver's timer works.
    fn wakes(&self) -> bool {
        true
    }
}

/// Tampers with nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Honest;

impl Tamper for Honest {
    fn is_active(&self) -> bool {
        false
    }
}

/// One seeded bug.
#[derive(Debug, Clone, Copy)]
pub struct Mutation {
    /// What is wrong, in a few words.
    pub name: &'static str,
    /// The promises one of which must be found broken.
    pub breaks: &'static [&'static str],
    /// Within how many schedules from seed 0 it must be caught.
    pub within: u64,
    /// Builds the wrapper.
    pub tamper: fn() -> Box<dyn Tamper>,
}

/// Lists every seeded bug.
pub fn all() -> Vec<Mutation> {
    [checks::all(), driver::all(), effects::all(), gates::all(), state::all()].concat()
}

fn state(snapshot: &mut Snapshot) -> &mut State {
    Arc::make_mut(&mut snapshot.state)
}

fn intents(snapshot: &mut Snapshot) -> impl Iterator<Item = &mut Accepted> {
    state(snapshot).intents.values_mut().map(Arc::make_mut)
}

fn targets(snapshot: &mut Snapshot) -> impl Iterator<Item = &mut TargetReports> {
    state(snapshot).targets.values_mut().map(Arc::make_mut)
}

/// Lists seeded bugs that change the snapshot alone.
macro_rules! on_snapshot {
    ($($(#[$doc:meta])* $name:ident = $text:literal, breaks $breaks:expr, within $within:literal,
        |$world:pat_param, $snapshot:ident| $body:block)*) => {
        $(
            $(#[$doc])*
            #[derive(Debug)]
            struct $name;

            impl Tamper for $name {
                fn snapshot(&mut self, $world: &World, $snapshot: &mut Snapshot) $body
            }
        )*

        /// Lists the seeded bugs of this file that change the snapshot alone.
        fn on_snapshot() -> Vec<Mutation> {
            vec![$(Mutation {
                name: $text,
                breaks: $breaks,
                within: $within,
                tamper: || Box::new($name),
            }),*]
        }
    };
}

use on_snapshot;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::Schedule;
    use crate::sim::run_with;

    /// More schedules than this are played by release builds alone.
    const QUICK: u64 = 150;

    fn is_caught(Mutation { name, breaks, within, tamper }: Mutation) {
        let found = (0..within).find_map(|seed| run_with(&Schedule::from_seed(seed), tamper()).err());
        let Some(found) = found else { panic!("`{name}` was not caught by {within} schedules") };
        assert!(breaks.contains(&found.invariant), "`{name}` was caught as {found}");
    }

    #[test]
    fn every_seeded_bug_is_caught_within_its_number_of_schedules() {
        let mutations: Vec<Mutation> =
            all().into_iter().filter(|mutation| mutation.within <= QUICK).collect();
        assert!(mutations.len() >= 25);
        mutations.into_iter().for_each(is_caught);
    }

    #[test]
    // Hundreds of schedules for one bug: too slow without optimisation; the example `mutants` tries all of them.
    #[cfg(not(debug_assertions))]
    fn every_rare_seeded_bug_is_caught_within_its_number_of_schedules() {
        all().into_iter().filter(|mutation| mutation.within > QUICK).for_each(is_caught);
    }
}
