//! What must come about: L1 to L6. L4 and S11 and S13 at rest are judged by the simulator, which counts writes.

use cfgupdater_core::{Action, CheckState, Code, DeploymentStatus, End, Mode, Reason, TargetPolicy};

use super::Finding;
use super::ledger::Ledger;
use super::verdicts::green;
use crate::world::World;
use crate::world::node::Node;
use crate::world::releases;
use crate::world::replica::Replica;
use crate::world::trace::{Actor, Event};

/// What an intent may wait for at rest.
const STALLS: [Code; 8] = [
    Code::Fault,
    Code::Paused,
    Code::NoRequiredChecks,
    Code::StableNotGreen,
    Code::Stalled,
    Code::Held,
    Code::Frozen,
    Code::Queued,
];

/// What may be said of a check that never ends.
const SAID: [Code; 6] =
    [Code::Paused, Code::Stalled, Code::Fault, Code::StableNotGreen, Code::NoRequiredChecks, Code::Held];

/// What keeps a green commit from landing.
const STOPS: [Code; 4] = [Code::Fault, Code::Paused, Code::Held, Code::Frozen];

/// What happened, counted: the causes of work and the work.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Activity {
    pub(super) causes: u32,
    pub(super) auto_writes: u32,
    pub(super) probes: u32,
}

impl Activity {
    /// Counts an event.
    pub(super) fn note(&mut self, event: &Event) {
        match event {
            Event::Auto { by: Actor::Replica(_), .. } => self.auto_writes += 1,
            Event::Probe { by: Actor::Replica(_), .. } => self.probes += 1,
            Event::Stable { .. }
            | Event::Auto { .. }
            | Event::Probe { .. }
            | Event::Called { .. }
            | Event::Crashed { .. } => self.causes += 1,
            Event::State { by: Actor::Person, .. } => self.causes += 1,
            Event::Observed { .. } | Event::Answered { .. } | Event::State { .. } => {}
        }
    }
}

/// Tells whether any replica that acts reports one of these reasons.
pub(super) fn has_reason(world: &World, codes: &[Code]) -> bool {
    why(world).any(|reason| codes.contains(&reason.code))
}

fn why(world: &World) -> impl Iterator<Item = &Reason> {
    let acts = |replica: &&Replica| replica.policy.mode == Mode::Act;
    world.replicas.iter().filter(acts).flat_map(|replica| &replica.why)
}

/// Tells whether an operator must act before anything goes on.
pub(crate) fn is_faulty(world: &World) -> bool {
    has_reason(world, &[Code::Fault])
}

/// Every intent reaches an end, or what it waits for is reported; and only people make faults.
pub(super) fn l1_everything_ends_or_says_why(world: &World, ledger: &Ledger, excused: bool) -> Finding {
    let early_auto = world.trace.iter().any(|event| matches!(event, Event::Auto { by: Actor::Person, .. }));
    if is_faulty(world) && !excused && !early_auto {
        let why = why(world).find(|said| said.code == Code::Fault);
        return Err(format!("nobody meddled, and yet: {why:?}"));
    }
    let live: Vec<_> = ledger.intents.values().filter(|known| known.end.is_none()).collect();
    match live.first().filter(|_| !has_reason(world, &STALLS)) {
        Some(known) => Err(format!("{:?} has no end and nobody says why", known.intent.id)),
        None => Ok(()),
    }
}

/// A check that never reports ends in a time-out or is reported as stalled.
pub(super) fn l2_silent_checks_are_reported(world: &World) -> Finding {
    let refs = world.remote.refs;
    let Some(auto) = refs.auto.filter(|auto| world.dag.contains(*auto, refs.stable)) else { return Ok(()) };
    let Some(tip) = world.dag.chain(auto, refs.stable).last().copied() else { return Ok(()) };
    let runs = world.ci.runs(tip);
    let over =
        |run: &cfgupdater_core::CheckRun| matches!(run.state, CheckState::Success | CheckState::Failure);
    let silent = runs.is_empty() || !runs.iter().any(over);
    if silent && !world.required.allow_empty && !has_reason(world, &SAID) {
        return Err(format!("no check ever ended on {tip:?}, and nobody says so"));
    }
    Ok(())
}

/// What is green on auto has landed: people who push now and then don't keep stable from advancing.
pub(super) fn l3_green_commits_landed(world: &World) -> Finding {
    let refs = world.remote.refs;
    let Some(auto) = refs.auto.filter(|auto| world.dag.contains(*auto, refs.stable)) else { return Ok(()) };
    let first = world.dag.chain(auto, refs.stable).into_iter().next();
    let waits = first.filter(|first| green(&world.required, world.ci.runs(*first)));
    match waits.filter(|_| !has_reason(world, &STOPS)) {
        Some(first) => Err(format!("{first:?} is green and the lowest of the chain, and did not land")),
        None => Ok(()),
    }
}

/// Rebuilds and probes are bounded by what causes them: calls, movements of stable and results.
pub(super) fn l5_work_is_bounded(world: &World, activity: &Activity) -> Finding {
    let bound = 3 * (activity.causes + world.ci.results) + 10;
    if activity.auto_writes > bound || activity.probes > bound {
        return Err(format!("{activity:?} after {} results", world.ci.results));
    }
    Ok(())
}

/// Whatever was proven in a wave is in the next one, unless something that is reported stands against it: storms of
/// announcements don't keep waves from advancing.
pub(super) fn l6_proven_releases_moved_on(world: &World, ledger: &Ledger, excused: bool) -> Finding {
    if excused || ledger.paused || is_faulty(world) {
        return Ok(());
    }
    // Where targets speak once they are asked, each that works has been asked.
    let asked = if world.setup.pulled { world.targets_that_speak() } else { Vec::new() };
    for set in &world.policy.sets {
        for (from, to) in world.policy.waves.iter().zip(world.policy.waves.iter().skip(1)) {
            let (Some(source), Some(destination)) =
                (world.slot(&from.name, &set.name), world.slot(&to.name, &set.name))
            else {
                continue;
            };
            let stable = world.remote.refs.stable;
            let (Some(newest), number) =
                (last_change(world, source), world.dag.commit(stable).tree.slots[source])
            else {
                continue;
            };
            let Some(release) = releases::release(number) else { continue };
            let said = |target: &TargetPolicy| asked.contains(&(from.name.clone(), target.name.clone()));
            let proven = from.targets.iter().all(said)
                || from.targets.iter().all(|target| {
                    let last = ledger.reports_of(&from.name, &target.name, &set.name).next_back();
                    last.is_some_and(|last| {
                        let after = last
                            .revision
                            .and_then(|r| Node::of(&r))
                            .is_some_and(|r| world.dag.contains(r, newest));
                        last.release == release && last.status == DeploymentStatus::Succeeded && after
                    })
                });
            let there = world.dag.commit(stable).tree.slots[destination] == number;
            // A person's edit of the next wave blocks what came into this one before it.
            let blocked =
                last_change(world, destination).is_some_and(|edit| world.dag.contains(edit, newest));
            let frozen = world.is_frozen(&to.name, world.now());
            let gated = ledger.held.contains(&to.name) || frozen || to.approval;
            let tried = ledger.intents.values().any(|known| {
                let promotes = matches!(known.intent.action, Action::Promote { .. });
                let over = matches!(
                    known.end,
                    None | Some(
                        End::Evicted { .. } | End::Refused { .. } | End::Withdrawn { actor: Some(_), .. }
                    )
                );
                promotes && over && known.intent.release == release && known.intent.wave == to.name
            });
            if proven && !there && !blocked && !gated && !tried {
                return Err(format!(
                    "release {number} of {} is proven in {} and went nowhere",
                    set.name, from.name
                ));
            }
        }
    }
    Ok(())
}

fn last_change(world: &World, slot: usize) -> Option<Node> {
    let mut all = world.dag.first_parents(world.remote.refs.stable);
    all.find(|node| world.dag.changed(*node).any(|changed| changed == slot))
}
