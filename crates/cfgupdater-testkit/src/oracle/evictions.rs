//! Who may be evicted: S7 and S8.

use cfgupdater_core::{CheckOutcome, End, Evidence, IntentId, RequiredCheck};

use super::verdicts::{failed, green, passed, required, served, stable_is_green};
use super::{Finding, Write, ours};
use crate::world::World;
use crate::world::node::Node;
use crate::world::trace::View;

fn evicted<'a>(write: &'a Write<'_>) -> impl Iterator<Item = (IntentId, &'a Evidence)> {
    write.records.iter().filter_map(|record| match record {
        cfgupdater_core::Record::Ended { id, end: End::Evicted { evidence } } => Some((*id, evidence)),
        _ => None,
    })
}

/// Returns the chain as it was served, and the place of the evidence's commit in it.
fn find(world: &World, write: &Write<'_>, evidence: &Evidence) -> Option<(Vec<Node>, usize)> {
    let chain = world.dag.chain(write.view.refs.auto?, write.view.refs.stable);
    let place = chain.iter().position(|node| node.id() == evidence.commit)?;
    Some((chain, place))
}

fn check<'a>(view: &'a View, evidence: &Evidence) -> Option<&'a RequiredCheck> {
    required(view).checks.iter().find(|check| check.name == evidence.check)
}

/// An eviction cites the intent's own commit of the current chain, and a check that failed or timed out there.
pub(super) fn s7_evictions_cite_the_chain(world: &World, write: &Write<'_>) -> Finding {
    for (id, evidence) in evicted(write) {
        let Some((chain, place)) = find(world, write, evidence) else {
            return Err(format!("{id:?} was evicted for {}, which is not in the chain", evidence.commit));
        };
        if ours(&world.dag, chain[place]).map(|(intent, _)| intent) != Some(id) {
            return Err(format!("{id:?} was evicted for a commit of another: {:?}", chain[place]));
        }
        let Some(check) = check(write.view, evidence) else {
            return Err(format!("{id:?} was evicted for `{}`, which is not required", evidence.check));
        };
        let runs = served(write.view, chain[place]);
        let holds = match evidence.outcome {
            CheckOutcome::Failed => failed(check, runs),
            CheckOutcome::TimedOut => {
                !failed(check, runs) && !passed(check, runs) && late(world, write, chain[place])
            }
            // Nothing is rendered in the world, so nothing can fail to be.
            CheckOutcome::NotRendered => false,
        };
        if !holds {
            return Err(format!(
                "{id:?} was evicted: {:?} of `{}` on {runs:?}",
                evidence.outcome, check.name
            ));
        }
    }
    Ok(())
}

/// Tells whether a commit has been on auto for longer than a check may take to begin, by the replica's clock.
fn late(world: &World, write: &Write<'_>, node: Node) -> bool {
    let Some(state) = write.from else { return false };
    let built = world.states.commit(state).state.built.iter().find(|built| built.commit == node.id());
    let limit = world.policy.not_started_timeout.min(world.policy.running_timeout);
    built.is_some_and(|built| write.view.snapshot.now.since(built.at) >= limit)
}

/// Innocence: what stands beneath an evicted commit is green at its own SHA. For a check that timed out, it also
/// ended on a commit above.
pub(super) fn s8_only_the_guilty_are_evicted(world: &World, write: &Write<'_>) -> Finding {
    for (id, evidence) in evicted(write) {
        let Some((chain, place)) = find(world, write, evidence) else { continue };
        let beneath_is_green = match place.checked_sub(1) {
            Some(beneath) => green(required(write.view), served(write.view, chain[beneath])),
            None => stable_is_green(world, write.view),
        };
        if !beneath_is_green {
            return Err(format!("{id:?} was evicted and what lies beneath is not green"));
        }
        let Some(check) = check(write.view, evidence) else { continue };
        let ended = |node: &Node| {
            let runs = served(write.view, *node);
            passed(check, runs) || failed(check, runs)
        };
        if evidence.outcome == CheckOutcome::TimedOut && !chain[place + 1..].iter().any(ended) {
            return Err(format!("{id:?} timed out, and `{}` ended on nothing above", check.name));
        }
    }
    Ok(())
}
