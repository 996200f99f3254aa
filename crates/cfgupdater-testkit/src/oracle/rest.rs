//! What holds once nobody writes any more: S5 and S6.

use cfgupdater_core::End;

use super::ledger::Ledger;
use super::liveness::is_faulty;
use super::{Finding, ours};
use crate::world::World;
use crate::world::dag::Author;
use crate::world::node::Node;

/// At rest auto contains stable, or is its ancestor; unless an operator must act first.
pub(super) fn s5_auto_fits_stable(world: &World, ledger: &Ledger) -> Finding {
    let refs = world.remote.refs;
    let Some(auto) = refs.auto else {
        return if is_faulty(world) { Ok(()) } else { Err("there is no auto branch".to_owned()) };
    };
    let (ahead, behind) = (world.dag.contains(auto, refs.stable), world.dag.contains(refs.stable, auto));
    if !ahead && !behind && !is_faulty(world) {
        return Err(format!("auto {auto:?} and stable {:?} diverged", refs.stable));
    }
    if ahead && !is_faulty(world) {
        for node in world.dag.chain(auto, refs.stable) {
            let live = ours(&world.dag, node)
                .and_then(|(intent, _)| ledger.intents.get(&intent))
                .is_some_and(|known| known.end.is_none());
            if !live {
                return Err(format!("{node:?} is on auto and is no live intent"));
            }
        }
    }
    Ok(())
}

/// At rest, what is in stable's history has landed, whatever else was recorded, and what is said to have landed is
/// there.
pub(super) fn s6_ends_agree_with_stable(world: &World, ledger: &Ledger, excused: bool) -> Finding {
    if excused {
        return Ok(());
    }
    let stable = world.remote.refs.stable;
    for node in world.dag.first_parents(stable) {
        let commit = world.dag.commit(node);
        let Some((intent, _)) = ours(&world.dag, node).filter(|_| commit.author == Author::Service) else {
            continue;
        };
        let end = ledger.intents.get(&intent).and_then(|known| known.end.as_ref());
        let agrees = matches!(end, Some(End::Landed { .. } | End::Subsumed { .. }));
        if !agrees && !is_faulty(world) {
            return Err(format!("{node:?} is on stable and {intent:?} ended as {end:?}"));
        }
    }
    for (id, known) in &ledger.intents {
        if let Some(End::Landed { commit }) = &known.end
            && !Node::of(commit).is_some_and(|node| world.dag.contains(stable, node))
        {
            return Err(format!("{id:?} is said to have landed as {commit}, which is not on stable"));
        }
    }
    Ok(())
}
