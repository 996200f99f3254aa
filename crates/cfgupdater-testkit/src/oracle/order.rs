//! In which order things happen: S10 and S11.
//!
//! A known gap: where a person's merge makes the commit that an intent was accepted on a second parent, edits after it
//! are not told from edits before it, by the product and so by the checker.

use cfgupdater_core::{Action, Intent, Record};

use super::gates::introduced;
use super::{Finding, Landing, Write, ours};
use crate::world::World;
use crate::world::dag::{Author, Trailers};
use crate::world::node::Node;
use crate::world::releases;

/// Versions reach a wave in the order of their announcement, and a person's edit is not undone by what was accepted
/// before it.
pub(super) fn s10_versions_land_in_order(world: &World, landing: &Landing<'_>) -> Finding {
    for node in &landing.commits {
        let Some((intent, slot)) = ours(&world.dag, *node) else { continue };
        let Some(known) = landing.known.intents.get(&intent).filter(|known| !known.intent.is_rollback())
        else {
            continue;
        };
        let Some(before) = previous(world, *node, slot) else { continue };
        let accepted_on = Node::of(&known.intent.accepted_on);
        // Where the state it cites is lost, an intent of that name was accepted again: what came before is an edit.
        let remembered = |said: &Trailers| world.states.contains(landing.view.refs.state, said.cited);
        let earlier = copied(world, before, slot).filter(remembered);
        let earlier = earlier.and_then(|said| landing.known.intents.get(&said.intent));
        let earlier =
            earlier.filter(|earlier| releases::number(earlier.intent.release) == holds(world, before, slot));
        if earlier.is_none() && world.dag.commit(before).author != Author::Service {
            // The edit must have been there when the intent was accepted.
            // A merge may leave that place beside stable's first parents; then the product can't tell, see the module.
            let placed = |on: &Node| world.dag.first_parents(landing.to).any(|tip| tip == *on);
            let accepted_on = accepted_on.filter(placed);
            let same = |on: Node| holds(world, on, slot) == holds(world, before, slot);
            if accepted_on.is_some_and(|on| !world.dag.contains(on, before) && !same(on)) {
                return Err(format!("{node:?} undoes {before:?} of a person, which came after {intent:?}"));
            }
            continue;
        }
        let Some(earlier) = earlier.filter(|earlier| !earlier.intent.is_rollback()) else { continue };
        let in_order = match (&earlier.intent.action, &known.intent.action) {
            (Action::Introduce { sequence: Some(a), .. }, Action::Introduce { sequence: Some(b), .. }) => {
                // The sequence of an announcement that was evicted may be used again.
                (a, earlier.position) < (b, known.position) || known.retried
            }
            (Action::Introduce { .. }, Action::Introduce { .. }) => {
                earlier.position < known.position || earlier.retried
            }
            (Action::Promote { .. }, Action::Promote { .. }) => {
                let came_in = |intent| came_in(world, landing.to, intent);
                match (came_in(&earlier.intent), came_in(&known.intent)) {
                    (Some(a), Some(b)) => a != b && world.dag.contains(b, a) || known.retried,
                    // A person copied a promotion, and not what it promotes.
                    (None, Some(_)) => true,
                    (_, None) => false,
                }
            }
            _ => true,
        };
        if !in_order {
            return Err(format!("{intent:?} landed over {:?}, which is newer", earlier.intent.id));
        }
    }
    Ok(())
}

/// Returns the commit by which what is promoted came into the wave that it leaves. Where a person rewound that one, and
/// brought the release in again, it is the later one that counts; there may be none.
fn came_in(world: &World, stable: Node, promotion: &Intent) -> Option<Node> {
    let Action::Promote { from, config_sha, .. } = &promotion.action else { return None };
    let named = Node::of(config_sha)?;
    if world.dag.contains(stable, named) {
        return Some(named);
    }
    introduced(world, stable, world.slot(from, &promotion.set)?, promotion)
}

/// Returns what a commit that brought something into a slot says of its intent. A person who copies one of our commits,
/// message and images, or merges it, lands its intent by hand.
fn copied(world: &World, node: Node, slot: usize) -> Option<Trailers> {
    let brings = |node: &Node| world.dag.changed(*node).any(|changed| changed == slot);
    let made = match world.dag.commit(node).parents.get(1) {
        Some(merged) => world.dag.first_parents(*merged).find(brings)?,
        None => node,
    };
    world.dag.commit(made).trailers.filter(|trailers| trailers.slot == slot)
}

fn holds(world: &World, node: Node, slot: usize) -> u8 {
    world.dag.commit(node).tree.slots[slot]
}

/// Returns the commit before `node` that last changed a slot.
fn previous(world: &World, node: Node, slot: usize) -> Option<Node> {
    let mut before = world.dag.first_parents(node).skip(1);
    before.find(|older| world.dag.changed(*older).any(|changed| changed == slot))
}

/// A report of an older revision than the target's last one changes nothing, unless the target's deploy tool was asked
/// since.
pub(super) fn s11_old_reports_change_nothing(world: &World, write: &Write<'_>) -> Finding {
    if !write.records.iter().any(|record| matches!(record, Record::Reported { .. })) {
        return Ok(());
    }
    let mut before = write.known.clone();
    for record in &write.records {
        if let Record::Reported { report } = record {
            let last = before.reports_of(&report.wave, &report.target, &report.set).next_back();
            let last = last.filter(|last| report.asked_at.is_none_or(|asked_at| asked_at <= last.at));
            // A revision that came in by a merge has no place among those that stable had.
            let had = |node: &Node| world.dag.first_parents(write.view.refs.stable).any(|tip| tip == *node);
            let node = |report: &cfgupdater_core::Report| Node::of(&report.revision?).filter(had);
            if let Some((last, now)) = last.and_then(|last| Some((node(last)?, node(report)?)))
                && last != now
                && world.dag.contains(last, now)
            {
                return Err(format!("a report of {now:?} was recorded after one of {last:?}"));
            }
        }
        // What is wrong with a record by itself is judged elsewhere.
        let _ = before.s6_each_intent_has_one_end(record);
    }
    Ok(())
}
