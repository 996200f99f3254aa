//! What stands between waves: S15 and S16.

use cfgupdater_core::{
    Action, DeploymentStatus, Intent, Record, Report, SetName, Slot, Timestamp, WavePolicy,
};

use super::ledger::{Known, Ledger};
use super::{Finding, Landing, Write, ours};
use crate::world::World;
use crate::world::node::Node;
use crate::world::releases;

/// Nothing lands into a wave that was held when state was last read, or is frozen.
pub(super) fn s16_nothing_lands_into_a_closed_wave(world: &World, landing: &Landing<'_>) -> Finding {
    if landing.known.paused {
        return Err(format!("{:?} landed while landing was paused", landing.to));
    }
    for node in &landing.commits {
        let Some((intent, slot)) = ours(&world.dag, *node) else { continue };
        let rollback = landing.known.intents.get(&intent).is_some_and(|known| known.intent.is_rollback());
        let held = world.slot_name(slot).filter(|(wave, _)| landing.known.held.contains(wave));
        if let Some((wave, _)) = held.filter(|_| !rollback) {
            return Err(format!("{node:?} landed into {wave}, which is held"));
        }
        let frozen = |(wave, _): &&Slot| world.is_frozen(wave, landing.view.snapshot.now);
        if let Some((wave, _)) = world.slot_name(slot).filter(frozen).filter(|_| !rollback) {
            return Err(format!("{node:?} landed into {wave}, which is frozen"));
        }
    }
    Ok(())
}

/// Goes through the records of a write, and judges each promotion by all that was recorded before it.
fn each_promotion(write: &Write<'_>, mut judge: impl FnMut(&Intent, &Ledger) -> Finding) -> Finding {
    let promotes = |r: &Record| matches!(r, Record::Accepted { intent } if from_wave(intent).is_some());
    // What an operator restores after state was lost was proven before.
    if write.records.iter().any(|record| matches!(record, Record::AcceptedAsIs { .. })) {
        return Ok(());
    }
    if !write.records.iter().any(|record| promotes(record)) {
        return Ok(());
    }
    let mut known = write.known.clone();
    for record in &write.records {
        if let Record::Accepted { intent } = record
            && from_wave(intent).is_some()
        {
            judge(intent, &known)?;
        }
        // What is wrong with a record by itself is judged elsewhere.
        let _ = known.s6_each_intent_has_one_end(record);
    }
    Ok(())
}

fn from_wave(intent: &Intent) -> Option<&cfgupdater_core::WaveName> {
    match &intent.action {
        Action::Promote { from, .. } => Some(from),
        _ => None,
    }
}

/// A promotion happens only if every target of the wave reported that release since its last introduction there,
/// with no later failure.
pub(super) fn s15_all_targets_reported(world: &World, write: &Write<'_>) -> Finding {
    each_promotion(write, |intent, known| {
        let wave = from_wave(intent).and_then(|from| world.policy.wave(from));
        let Some((wave, slot)) = wave.and_then(|wave| Some((wave, world.slot(&wave.name, &intent.set)?)))
        else {
            return Err(format!("{:?} leaves a wave that doesn't exist", intent.id));
        };
        let Some(introduced) = introduced(world, write.view.refs.stable, slot, intent) else {
            return Err(format!("{:?} promotes what never came into {}", intent.id, wave.name));
        };
        let mut waited_for = targets(world, wave, &intent.set)
            .filter(|target| !known.is_waived(&wave.name, target, write.view.snapshot.now))
            .peekable();
        if waited_for.peek().is_none() {
            return Err(format!("{:?} was proven by nobody", intent.id));
        }
        for target in waited_for {
            if known.fails(&wave.name, target, &intent.set) {
                return Err(format!("{:?} was promoted while {target} fails", intent.id));
            }
            let theirs = known.reports_of(&wave.name, target, &intent.set);
            if !still_proves(world, theirs, intent, introduced) {
                return Err(format!("{:?} was promoted and {target} never reported it", intent.id));
            }
        }
        Ok(())
    })
}

/// Nothing lands that leaves a wave of which a target fails, whenever its promotion was accepted.
pub(super) fn s15_nothing_leaves_a_failing_wave(world: &World, landing: &Landing<'_>) -> Finding {
    for node in &landing.commits {
        let Some((intent, _)) = ours(&world.dag, *node) else { continue };
        let Some(Known { intent, .. }) = landing.known.intents.get(&intent) else { continue };
        let Some(wave) = from_wave(intent).and_then(|from| world.policy.wave(from)) else { continue };
        let now = landing.view.snapshot.now;
        let fails = |target: &&cfgupdater_core::TargetName| {
            !landing.known.is_waived(&wave.name, target, now)
                && landing.known.fails(&wave.name, target, &intent.set)
        };
        if let Some(target) = targets(world, wave, &intent.set).find(fails) {
            return Err(format!("{node:?} left {} while {target} fails there", wave.name));
        }
    }
    Ok(())
}

fn targets<'a>(
    _world: &World,
    wave: &'a WavePolicy,
    set: &'a SetName,
) -> impl Iterator<Item = &'a cfgupdater_core::TargetName> {
    let runs = move |sets: &[SetName]| sets.is_empty() || sets.contains(set);
    wave.targets.iter().filter(move |target| runs(&target.sets)).map(|target| &target.name)
}

/// Returns the last commit that brought the intent's release into a slot, as stable was served.
pub(super) fn introduced(world: &World, stable: Node, slot: usize, intent: &Intent) -> Option<Node> {
    let number = releases::number(intent.release);
    let brought = |node: &Node| {
        world.dag.commit(*node).tree.slots[slot] == number && world.dag.changed(*node).any(|s| s == slot)
    };
    world.dag.first_parents(stable).find(brought)
}

/// Tells whether a report says that the release runs since it last came into the wave.
fn proves(world: &World, report: &Report, intent: &Intent, introduced: Node) -> bool {
    // A revision that came in by a merge was never stable's tip: it speaks of the merge.
    let merged = |revision: &Node| {
        !world.dag.contains(*revision, introduced) && {
            let mut tips = world.dag.first_parents(world.remote.refs.stable);
            !tips.any(|tip| tip == *revision)
        }
    };
    let since = match report.revision.and_then(|revision| Node::of(&revision)) {
        Some(revision) if !merged(&revision) => world.dag.contains(revision, introduced),
        _ => report.introduction == introduced.id(),
    };
    report.status == DeploymentStatus::Succeeded && report.release == intent.release && since
}

/// Tells whether a target said that the release runs, and was not found later to run something older.
fn still_proves<'a>(
    world: &World,
    reports: impl Iterator<Item = &'a Report>,
    intent: &Intent,
    introduced: Node,
) -> bool {
    let (mut proven, mut last): (bool, Option<&Report>) = (false, None);
    for report in reports {
        let asked_since = |last: &Report| report.asked_at.is_some_and(|asked_at| asked_at > last.at);
        let revision = report.revision.and_then(|revision| Node::of(&revision));
        let tip = |node: &Node| world.dag.first_parents(world.remote.refs.stable).any(|tip| tip == *node);
        let older = revision.filter(tip).is_some_and(|node| !world.dag.contains(node, introduced));
        if proves(world, report, intent, introduced) {
            proven = true;
        } else if older && last.is_some_and(asked_since) {
            proven = false;
        }
        last = Some(report);
    }
    proven
}

/// Returns since when a target says that it runs a release, without a failure since.
fn runs_since<'a>(
    reports: impl Iterator<Item = &'a Report>,
    proves: impl Fn(&Report) -> bool,
) -> Option<Timestamp> {
    let mut since = None;
    for report in reports {
        if report.status == DeploymentStatus::Failed {
            since = None;
        } else if proves(report) {
            since = since.or(Some(report.at));
        }
    }
    since
}

/// A promotion waits for its hold, its freeze window, its soak and its approval.
pub(super) fn s16_promotions_pass_their_gates(world: &World, write: &Write<'_>) -> Finding {
    each_promotion(write, |intent, known| {
        let (id, to) = (intent.id, &intent.wave);
        if known.held.contains(to) {
            return Err(format!("{id:?} was accepted for {to}, which is held"));
        }
        let approved = known.approved.get(&(to.clone(), intent.set.clone())) == Some(&intent.release);
        if world.is_frozen(to, write.view.snapshot.now) {
            return Err(format!("{id:?} was accepted for {to}, which is frozen"));
        }
        if write.view.policy.wave(to).is_some_and(|wave| wave.approval) && !approved {
            return Err(format!("{id:?} was accepted for {to} and nobody approved it"));
        }
        let Some(from) = from_wave(intent).and_then(|from| world.policy.wave(from)) else { return Ok(()) };
        let introduced = world
            .slot(&from.name, &intent.set)
            .and_then(|slot| introduced(world, write.view.refs.stable, slot, intent));
        let now = write.view.snapshot.now;
        for target in
            targets(world, from, &intent.set).filter(|target| !known.is_waived(&from.name, target, now))
        {
            let theirs = known.reports_of(&from.name, target, &intent.set);
            let since = runs_since(theirs.filter(|report| report.release == intent.release), |report| {
                introduced.is_some_and(|introduced| proves(world, report, intent, introduced))
            });
            let soaked = since.is_none_or(|since| write.view.snapshot.now.since(since) >= from.soak);
            if !soaked {
                return Err(format!("{id:?} was accepted before it had soaked in {}", from.name));
            }
        }
        Ok(())
    })
}
