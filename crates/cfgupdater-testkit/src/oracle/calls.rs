//! What asking and repeating may lead to: S17 and S18.

use std::collections::BTreeMap;

use cfgupdater_core::{
    Action, Announcement, Answer, Intent, Mode, Operation, OperationKey, Record, Refusal, Request,
};

use super::{Finding, Write};
use crate::setup::RollOut;
use crate::world::World;
use crate::world::node::StateNode;
use crate::world::trace::{Actor, View};

/// What was asked for, and what it is known to have led to.
#[derive(Debug, Clone, Default)]
pub(super) struct Calls {
    announced: Vec<Announcement>,
    /// The calls of operators that had a key, by replica and number.
    keyed: BTreeMap<(usize, u64), (OperationKey, Operation)>,
    /// What was carried out under a key.
    done: BTreeMap<OperationKey, Operation>,
}

impl Calls {
    /// Takes notice of a call.
    pub(super) fn note(&mut self, replica: usize, call: u64, request: &Request, key: Option<OperationKey>) {
        match (request, key) {
            (Request::Announce(announced), _) => self.announced.push(announced.clone()),
            (Request::Operate(operation), Some(key)) => {
                self.keyed.insert((replica, call), (key, operation.clone()));
            }
            _ => {}
        }
    }

    /// Who only observes writes nothing: replicas in that mode, and replicas whose configuration is older than the one
    /// in force.
    pub(super) fn s17_observers_write_nothing(world: &World, by: Actor, view: Option<&View>) -> Finding {
        let Actor::Replica(replica) = by else { return Ok(()) };
        if world.replicas[replica].policy.mode == Mode::Observe {
            return Err(format!("replica {replica} only observes, and moved a branch"));
        }
        let Some(view) = view.filter(|_| world.setup.roll_out != RollOut::Never) else { return Ok(()) };
        let (own, recorded) = (view.policy.generation, generation(world, view.refs.state));
        if own < recorded {
            return Err(format!(
                "replica {replica} moved a branch by generation {own}, and {recorded} counts"
            ));
        }
        Ok(())
    }

    /// A preview leads to nothing: what is introduced was announced in so many words.
    pub(super) fn s17_previews_write_nothing(&self, write: &Write<'_>) -> Finding {
        for record in &write.records {
            let Record::Accepted { intent } = record else { continue };
            let introduces = matches!(intent.action, Action::Introduce { .. });
            if introduces && !self.announced.iter().any(|announced| asks_for(announced, intent)) {
                return Err(format!("{:?} was accepted and nobody announced it", intent.id));
            }
        }
        Ok(())
    }

    /// A key stands for one operation: it is recorded with it, the operation is carried out once, and another one under
    /// the same key is refused.
    pub(super) fn s18_a_key_acts_once(
        &mut self,
        world: &World,
        (replica, call): (usize, u64),
        answer: &Result<Answer, Refusal>,
        served: Option<&View>,
    ) -> Finding {
        let Some((key, asked)) = self.keyed.get(&(replica, call)) else { return Ok(()) };
        let Ok(Answer::Operated(told)) = answer else { return Ok(()) };
        match self.done.get(key) {
            Some(done) if told.changed => Err(format!(
                "{asked:?} was carried out under the key of {done:?}, which was carried out before"
            )),
            Some(done)
                if done != asked && served.is_some_and(|view| was_used(world, view.refs.state, *key)) =>
            {
                Err(format!("{asked:?} was not refused under the key of {done:?}"))
            }
            None if told.changed && !was_used(world, world.remote.refs.state, *key) => {
                Err(format!("{asked:?} was carried out, and its key isn't recorded"))
            }
            None if told.changed => {
                self.done.insert(*key, asked.clone());
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

fn asks_for(announced: &Announcement, intent: &Intent) -> bool {
    let Announcement { set, app_sha, sequence, attempt, images } = announced;
    let action = Action::Introduce { app_sha: *app_sha, sequence: *sequence, attempt: *attempt };
    intent.set == *set && intent.action == action && intent.images == *images
}

/// Returns the newest generation that a state and all before it record.
fn generation(world: &World, state: Option<StateNode>) -> u64 {
    let recorded = |record: &Record| match record {
        Record::Generation { generation } => Some(*generation),
        _ => None,
    };
    let each = world.states.history(state);
    each.flat_map(|node| &world.states.commit(node).entry.records).filter_map(recorded).max().unwrap_or(0)
}

/// Tells whether a state or one before it records that something was carried out under a key.
fn was_used(world: &World, state: Option<StateNode>, key: OperationKey) -> bool {
    let uses = |record: &Record| matches!(record, Record::Operated { key: used, .. } if *used == key);
    world.states.history(state).any(|node| world.states.commit(node).entry.records.iter().any(uses))
}
