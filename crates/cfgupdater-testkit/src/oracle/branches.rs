//! What branches may become: S2, S5, S6, S9 and S12.

use cfgupdater_core::IntentId;

use super::ledger::Ledger;
use super::{Finding, Landing, ours};
use crate::world::World;
use crate::world::dag::{Author, Dag};
use crate::world::node::{Node, StateNode};
use crate::world::releases;
use crate::world::state_branch::StateCommits;
use crate::world::trace::View;

/// The service never rewinds stable, so no person's commit is lost through it.
pub(super) fn s2_stable_only_moves_forward(dag: &Dag, landing: &Landing<'_>) -> Finding {
    let Landing { from, to, .. } = landing;
    if dag.contains(*to, *from) {
        return Ok(());
    }
    let lost = dag.chain(*from, *to).into_iter().find(|node| dag.commit(*node).author == Author::Person);
    Err(format!("stable went from {from:?} to {to:?}; {lost:?} of a person was lost"))
}

/// The chain that the service writes is linear: one parent each, down to stable as it was served.
pub(super) fn s5_chain_is_linear(world: &World, auto: Node, view: &View) -> Finding {
    let chain = world.dag.chain(auto, view.refs.stable);
    let base = chain.first().map_or(Some(auto), |first| world.dag.first_parent(*first));
    let merges = chain.iter().find(|node| world.dag.commit(**node).parents.len() != 1);
    match (merges, base) {
        (Some(merge), _) => Err(format!("the chain of {auto:?} holds the merge {merge:?}")),
        (None, Some(base)) if world.dag.contains(view.refs.stable, base) => Ok(()),
        (None, base) => Err(format!("the chain of {auto:?} stands on {base:?}, not on stable")),
    }
}

/// Only commits of intents that were live when they were last read land, and nobody else's.
pub(super) fn s6_only_live_intents_land(world: &World, landing: &Landing<'_>) -> Finding {
    for node in &landing.commits {
        let Some((intent, _)) = ours(&world.dag, *node) else {
            return Err(format!("{node:?} landed and is not one of ours"));
        };
        match landing.known.intents.get(&intent) {
            Some(known) if known.end.is_none() => {}
            Some(known) => {
                return Err(format!("{node:?} landed although {intent:?} had ended: {:?}", known.end));
            }
            None => return Err(format!("{node:?} landed and {intent:?} was never accepted")),
        }
    }
    Ok(())
}

/// Each commit of the service changes the slot of its intent to that intent's images, and nothing else.
pub(super) fn s9_each_commit_is_its_intent(
    world: &World,
    auto: Node,
    view: &View,
    known: &Ledger,
) -> Finding {
    for node in world.dag.chain(auto, view.refs.stable) {
        let Some((intent, slot)) = ours(&world.dag, node) else {
            return Err(format!("the service left {node:?}, which is not one of its own, on auto"));
        };
        let mut expected =
            world.dag.first_parent(node).map(|parent| world.dag.commit(parent).tree).unwrap_or_default();
        let Some(accepted) = known.intents.get(&intent).map(|known| &known.intent) else { continue };
        expected.slots[slot] = releases::number(accepted.release);
        let place = world.slot(&accepted.wave, &accepted.set);
        if world.dag.commit(node).tree != expected || place != Some(slot) {
            return Err(format!("{node:?} is not what {intent:?} makes of its parent"));
        }
    }
    Ok(())
}

/// A rebuild, as after an eviction, leaves every intent on auto that isn't ended and whose wave is open.
pub(super) fn s9_the_others_stay(world: &World, auto: Node, view: &View, known: &Ledger) -> Finding {
    let Some(before) = view.refs.auto else { return Ok(()) };
    let (stable, dag) = (view.refs.stable, &world.dag);
    let intents =
        |tip| dag.chain(tip, stable).into_iter().filter_map(|node| ours(dag, node)).map(|(id, _)| id);
    let closed = |wave| known.held.contains(wave) || world.is_frozen(wave, view.snapshot.now);
    let open = |id| known.intents.get(&id).is_some_and(|k| k.end.is_none() && !closed(&k.intent.wave));
    let kept: Vec<IntentId> = intents(auto).collect();
    match intents(before).find(|id| open(*id) && !kept.contains(id)) {
        Some(id) => Err(format!("{id:?} is live and no longer on auto {auto:?}")),
        None => Ok(()),
    }
}

/// Every write of state continues what was there: its history is the serial order of all replicas.
pub(super) fn s12_state_is_one_serial_history(
    states: &StateCommits,
    from: Option<StateNode>,
    to: Option<StateNode>,
) -> Finding {
    match from {
        Some(from) if !states.history(to).any(|node| node == from) => {
            Err(format!("state went from {from:?} to {to:?}, which doesn't continue it"))
        }
        _ => Ok(()),
    }
}
