//! What checks say: S1, S3, S4 and S14.

use cfgupdater_core::{CheckRun, CheckState, Landing as LandingPolicy, RequiredCheck, RequiredChecks};

use super::{Finding, Landing, Write, ours};
use crate::world::World;
use crate::world::node::{Node, StateNode};
use crate::world::trace::View;

/// Every stable tip the service makes was green for every required check at that SHA at its last read.
pub(super) fn s1_green_at_its_own_sha(landing: &Landing<'_>) -> Finding {
    if green(required(landing.view), served(landing.view, landing.to)) {
        return Ok(());
    }
    let runs = served(landing.view, landing.to);
    Err(format!("{:?} landed and its checks were served as {runs:?}", landing.to))
}

/// Nothing lands where nothing is required, or where state or stable lost something.
pub(super) fn s3_nothing_lands_in_doubt(world: &World, landing: &Landing<'_>) -> Finding {
    let required = required(landing.view);
    if required.checks.is_empty() && !required.allow_empty {
        return Err(format!("{:?} landed and no check is required", landing.to));
    }
    in_doubt(world, landing.view)
}

/// Nothing is decided either: an operator has the word.
pub(super) fn s3_nothing_is_decided_in_doubt(world: &World, write: &Write<'_>) -> Finding {
    let settles = write.records.iter().any(|r| matches!(r, cfgupdater_core::Record::AcceptedAsIs { .. }));
    if settles { Ok(()) } else { in_doubt(world, write.view) }
}

/// Says what a replica was served that only an operator may settle.
fn in_doubt(world: &World, view: &View) -> Finding {
    let (dag, refs) = (&world.dag, view.refs);
    let cites = |node: Node| {
        let trailers = dag.commit(node).trailers?;
        dag.changed(node).next().map(|_| trailers.cited)
    };
    let newest: Option<StateNode> = dag.first_parents(refs.stable).find_map(cites);
    let state = refs.state.map(|node| &world.states.commit(node).state);
    let newest = newest.filter(|cited| !state.is_some_and(|state| state.excused.contains(&cited.id())));
    if let Some(cited) = newest.filter(|cited| !world.states.history(refs.state).any(|node| node == *cited)) {
        return Err(format!("stable cites {cited:?}, which is not in the state that was served"));
    }
    let seen = refs.state.and_then(|node| world.states.commit(node).state.stable_seen);
    if let Some(seen) = seen.and_then(|seen| Node::of(&seen)).filter(|seen| !dag.contains(refs.stable, *seen))
    {
        return Err(format!("stable was seen at {seen:?}, which the stable that was served doesn't contain"));
    }
    Ok(())
}

/// A result counts for the SHA it was reported on alone.
pub(super) fn s4_results_belong_to_their_sha(world: &World, landing: &Landing<'_>) -> Finding {
    for check in &required(landing.view).checks {
        let passed = |run: &CheckRun| accepts(check, run) && run.state == CheckState::Success;
        if !world.ci.runs(landing.to).iter().any(passed) {
            return Err(format!("{} never passed on {:?}, which landed", check.name, landing.to));
        }
    }
    Ok(())
}

/// With `every-commit`, all that lands is green at its own SHA.
pub(super) fn s14_every_commit_is_green(landing: &Landing<'_>) -> Finding {
    let red = |node: &&Node| !green(required(landing.view), served(landing.view, **node));
    match landing
        .commits
        .iter()
        .find(red)
        .filter(|_| landing.view.policy.landing == LandingPolicy::EveryCommit)
    {
        Some(node) => Err(format!("{node:?} landed beneath {:?} and is not green", landing.to)),
        None => Ok(()),
    }
}

/// Returns the checks that were required when a replica looked.
pub(super) fn required(view: &View) -> &RequiredChecks {
    &view.snapshot.required
}

/// Returns the attempts that a replica was served of a commit.
pub(super) fn served(view: &View, node: Node) -> &[CheckRun] {
    view.snapshot.checks.get(&node.id()).map_or(&[], |runs| runs)
}

fn accepts(check: &RequiredCheck, run: &CheckRun) -> bool {
    run.name == check.name && check.source.as_ref().is_none_or(|source| run.source.as_ref() == Some(source))
}

/// Returns the last attempt in each series of a check.
fn last_words<'a>(check: &RequiredCheck, runs: &'a [CheckRun]) -> Vec<&'a CheckRun> {
    let ours: Vec<&CheckRun> = runs.iter().filter(|run| accepts(check, run)).collect();
    let mut series: Vec<&str> = ours.iter().map(|run| run.series.as_str()).collect();
    series.sort_unstable();
    series.dedup();
    // The last one among equals: `max_by_key` returns it.
    let last =
        |series: &str| ours.iter().filter(|run| run.series == series).max_by_key(|run| run.attempt).copied();
    series.into_iter().filter_map(last).collect()
}

/// Tells whether one check passed.
pub(super) fn passed(check: &RequiredCheck, runs: &[CheckRun]) -> bool {
    let last = last_words(check, runs);
    !last.is_empty() && last.iter().all(|run| run.state == CheckState::Success)
}

/// Tells whether one check failed.
pub(super) fn failed(check: &RequiredCheck, runs: &[CheckRun]) -> bool {
    last_words(check, runs).iter().any(|run| run.state == CheckState::Failure)
}

/// Tells whether every required check passed.
pub(super) fn green(required: &RequiredChecks, runs: &[CheckRun]) -> bool {
    if required.checks.is_empty() {
        return required.allow_empty;
    }
    required.checks.iter().all(|check| passed(check, runs))
}

/// Tells whether a stable tip may stand beneath a culprit: the service landed it, or it is green itself.
pub(super) fn stable_is_green(world: &World, view: &View) -> bool {
    let stable = view.refs.stable;
    ours(&world.dag, stable).is_some() || green(required(view), served(view, stable))
}
