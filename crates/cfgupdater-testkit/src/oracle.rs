//! The oracle: a naive model that judges what happened against the promises S1 to S18 and L1 to L6.
//!
//! It calls no rule of the product. It reads plain data: ids, records, ends, the attempts that CI reported, the
//! world's own commits. What a replica decided is judged by what that replica was *served*; what it did by what is
//! true.
//!
//! Not covered, since it doesn't happen in a schedule: renderers (S9), format versions, pruning of more than 500 finished
//! intents, and forges that take results from outside. L4, and S11 and S13 at rest, are judged by the simulator, which nudges,
//! restarts and repeats, and counts writes. L3 and L6 are judged at rest: what is green has landed, and what is
//! proven has moved on.
//!
//! Excused: once a person rewound stable or state, ends and promotions at rest are not judged; a push of stable
//! that meets a stable rewound since it was read lands what had landed before.

mod branches;
mod calls;
mod evictions;
mod gates;
mod ledger;
mod liveness;
mod order;
mod rest;
#[cfg(test)]
mod tests;
mod verdicts;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use cfgupdater_core::{Answer, IntentId, Outcome, Record};

use crate::world::World;
use crate::world::dag::Dag;
use crate::world::node::{Node, StateNode};
use crate::world::trace::{Actor, Event, View};
use calls::Calls;
use ledger::Ledger;

pub(crate) use liveness::is_faulty;

/// The promises that are judged, by their names in the design.
pub const PROMISES: [&str; 24] = [
    "S1", "S2", "S3", "S4", "S5", "S6", "S7", "S8", "S9", "S10", "S11", "S12", "S13", "S14", "S15", "S16",
    "S17", "S18", "L1", "L2", "L3", "L4", "L5", "L6",
];

/// What a checker finds: nothing, or what is wrong.
type Finding = Result<(), String>;

/// A broken promise: its name and what happened.
pub type Broken = (&'static str, String);

/// A landing: a replica moved stable.
struct Landing<'a> {
    from: Node,
    to: Node,
    view: &'a View,
    /// The commits that landed, oldest first.
    commits: Vec<Node>,
    /// What the replica had been told was decided.
    known: Cow<'a, Ledger>,
}

/// A write of state by a replica.
struct Write<'a> {
    from: Option<StateNode>,
    view: &'a View,
    /// The records, in order.
    records: Vec<&'a Record>,
    /// What was decided before.
    known: &'a Ledger,
}

/// What the oracle knows of a schedule so far.
#[derive(Debug, Clone, Default)]
pub struct Oracle {
    judged: usize,
    /// What the state branch holds, folded naively.
    ledger: Ledger,
    /// Where the state branch was when `ledger` was folded.
    at: Option<StateNode>,
    /// Whether anybody but the service moved the state branch.
    state_meddled: bool,
    /// Whether a person pushed something to stable that says it is ours, and may cite what never was.
    copied: bool,
    /// Whether a person took stable back.
    stable_rewound: bool,
    activity: liveness::Activity,
    calls: calls::Calls,
    /// What each replica was served last.
    served: BTreeMap<usize, Arc<View>>,
}

impl Oracle {
    /// Judges what happened since the last time.
    ///
    /// # Errors
    /// Returns the first promise that is broken.
    pub fn judge(&mut self, world: &World) -> Result<(), Broken> {
        while let Some(event) = world.trace.get(self.judged) {
            self.judged += 1;
            self.activity.note(event);
            self.calls(world, event)?;
            match event {
                Event::Stable { by: Actor::Replica(_), from, to, view: Some(view) } => {
                    self.landing(world, *from, *to, view)?;
                }
                Event::Stable { by: Actor::Person, from, to, .. } => {
                    self.stable_rewound |= !world.dag.contains(*to, *from);
                    let mut new = world.dag.chain(*to, *from).into_iter();
                    self.copied |= new.any(|node| world.dag.commit(node).trailers.is_some());
                }
                Event::State { by: Actor::Replica(_), from, to, view: Some(view) } => {
                    self.written(world, *from, *to, view)?;
                }
                Event::State { to, .. } => {
                    self.state_meddled = true;
                    self.ledger = Ledger::fold(&world.states, *to);
                    self.at = *to;
                }
                Event::Auto { by: by @ Actor::Replica(_), to: Some(to), view: Some(view), .. } => {
                    // Where state did not move along, the next reading repairs auto.
                    if self.state_moved_along(world, *by) {
                        named("S9", branches::s9_the_others_stay(world, *to, view, &self.ledger))?;
                    }
                    named("S5", branches::s5_chain_is_linear(world, *to, view))?;
                    named("S9", branches::s9_each_commit_is_its_intent(world, *to, view, &self.ledger))?;
                }
                Event::Answered { answer: Ok(answer), .. } => {
                    named("S6", self.s6_what_is_promised_is_kept(answer))?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Judges what was asked for, and who writes.
    fn calls(&mut self, world: &World, event: &Event) -> Result<(), Broken> {
        match event {
            Event::Observed { replica, view } => {
                self.served.insert(*replica, Arc::clone(view));
            }
            Event::Called { replica, call, request, key } => self.calls.note(*replica, *call, request, *key),
            Event::Answered { replica, call, answer } if !self.state_meddled => {
                let (call, served) = ((*replica, *call), self.served.get(replica).map(|view| &**view));
                named("S18", self.calls.s18_a_key_acts_once(world, call, answer, served))?;
            }
            Event::Stable { by, view, .. } | Event::Auto { by, view, .. } | Event::State { by, view, .. } => {
                named("S17", Calls::s17_observers_write_nothing(world, *by, view.as_deref()))?;
            }
            Event::Probe { by, .. } => {
                named("S17", Calls::s17_observers_write_nothing(world, *by, None))?;
            }
            Event::Answered { .. } | Event::Crashed { .. } => {}
        }
        Ok(())
    }

    /// Judges what is left once nobody writes any more.
    ///
    /// # Errors
    /// Returns the first promise that is broken.
    pub fn at_rest(&mut self, world: &World) -> Result<(), Broken> {
        self.judge(world)?;
        let excused = self.state_meddled || self.stable_rewound || self.copied && is_faulty(world);
        named("S5", rest::s5_auto_fits_stable(world, &self.ledger))?;
        named("S6", rest::s6_ends_agree_with_stable(world, &self.ledger, excused))?;
        named("L1", liveness::l1_everything_ends_or_says_why(world, &self.ledger, excused))?;
        named("L2", liveness::l2_silent_checks_are_reported(world))?;
        named("L3", liveness::l3_green_commits_landed(world))?;
        named("L5", liveness::l5_work_is_bounded(world, &self.activity))?;
        named("L6", liveness::l6_proven_releases_moved_on(world, &self.ledger, excused))
    }

    /// Tells whether an intent is in the state branch.
    pub fn accepted(&self, id: IntentId) -> bool {
        self.ledger.intents.contains_key(&id)
    }

    fn landing(&self, world: &World, from: Node, to: Node, view: &View) -> Result<(), Broken> {
        let known = if view.refs.state == self.at {
            Cow::Borrowed(&self.ledger)
        } else {
            Cow::Owned(Ledger::fold(&world.states, view.refs.state))
        };
        // A plain push can't see that a person took stable back since it was read: what lay between had landed before.
        let base = if world.dag.contains(view.refs.stable, from) { view.refs.stable } else { from };
        let commits = world.dag.chain(to, base);
        let landing = Landing { from, to, view, commits, known };
        named("S2", branches::s2_stable_only_moves_forward(&world.dag, &landing))?;
        named("S3", verdicts::s3_nothing_lands_in_doubt(world, &landing))?;
        named("S1", verdicts::s1_green_at_its_own_sha(&landing))?;
        named("S4", verdicts::s4_results_belong_to_their_sha(world, &landing))?;
        named("S14", verdicts::s14_every_commit_is_green(&landing))?;
        named("S6", branches::s6_only_live_intents_land(world, &landing))?;
        named("S15", gates::s15_nothing_leaves_a_failing_wave(world, &landing))?;
        named("S16", gates::s16_nothing_lands_into_a_closed_wave(world, &landing))?;
        named("S10", order::s10_versions_land_in_order(world, &landing))
    }

    fn written(
        &mut self,
        world: &World,
        from: Option<StateNode>,
        to: Option<StateNode>,
        view: &View,
    ) -> Result<(), Broken> {
        named("S12", branches::s12_state_is_one_serial_history(&world.states, from, to))?;
        let mut nodes: Vec<StateNode> =
            world.states.history(to).take_while(|node| Some(*node) != from).collect();
        nodes.reverse();
        let records = nodes.iter().flat_map(|node| &world.states.commit(*node).entry.records).collect();
        let write = Write { from, view, records, known: &self.ledger };
        named("S3", verdicts::s3_nothing_is_decided_in_doubt(world, &write))?;
        named("S7", evictions::s7_evictions_cite_the_chain(world, &write))?;
        // Where a person took state back, a copy of our commit can't be told from what it copies.
        if !(self.state_meddled && self.copied) {
            named("S8", evictions::s8_only_the_guilty_are_evicted(world, &write))?;
        }
        named("S17", self.calls.s17_previews_write_nothing(&write))?;
        named("S11", order::s11_old_reports_change_nothing(world, &write))?;
        named("S15", gates::s15_all_targets_reported(world, &write))?;
        named("S16", gates::s16_promotions_pass_their_gates(world, &write))?;
        for node in &nodes {
            let entry = &world.states.commit(*node).entry;
            for record in &entry.records {
                named("S6", self.ledger.s6_each_intent_has_one_end(record))?;
            }
        }
        self.at = to;
        Ok(())
    }

    /// Tells whether the movement of auto under judgement came right after the one of state that explains it.
    fn state_moved_along(&self, world: &World, mover: Actor) -> bool {
        let before = self.judged.checked_sub(2).and_then(|before| world.trace.get(before));
        matches!(before, Some(Event::State { by, .. }) if *by == mover)
    }

    /// An announcement that was answered is in state, unless a person destroyed state.
    fn s6_what_is_promised_is_kept(&self, answer: &Answer) -> Finding {
        let Answer::Announced(told) = answer else { return Ok(()) };
        let promised = matches!(told.outcome, Outcome::Committed | Outcome::Queued | Outcome::Duplicate);
        if promised && !self.state_meddled && !self.ledger.intents.contains_key(&told.intent) {
            return Err(format!("{:?} was answered {:?} and is not in state", told.intent, told.outcome));
        }
        Ok(())
    }
}

fn named(invariant: &'static str, finding: Finding) -> Result<(), Broken> {
    finding.map_err(|detail| (invariant, detail))
}

/// Returns the intent and slot of a commit that is what the service made it.
fn ours(dag: &Dag, node: Node) -> Option<(IntentId, usize)> {
    let commit = dag.commit(node);
    let trailers = commit.trailers.filter(|_| commit.author == crate::world::dag::Author::Service)?;
    Some((trailers.intent, trailers.slot))
}
