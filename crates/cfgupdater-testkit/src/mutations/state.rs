//! Bugs in reading state and stable.

use cfgupdater_core::{End, Fault, Relation, Snapshot};

use super::{Mutation, Tamper, intents, on_snapshot, state};
use crate::world::World;

pub(super) fn all() -> Vec<Mutation> {
    on_snapshot()
}

on_snapshot! {
    LostStateOpens = "lost state is begun anew", breaks &["S3", "S6"], within 1040, |_, snapshot| {
        snapshot.faults.retain(|fault| !matches!(fault, Fault::StateLost { .. }));
    }

    RewoundStable = "a rewound stable is landed on again", breaks &["S3"], within 340, |_, snapshot| {
        snapshot.faults.retain(|fault| !matches!(fault, Fault::StableRewound { .. }));
    }

    OldConfiguration = "an older configuration goes on deciding", breaks &["S17"], within 120, |_, snapshot| {
        snapshot.faults.retain(|fault| !matches!(fault, Fault::OldConfiguration { .. }));
    }

    KeysForgotten = "operators' keys are forgotten", breaks &["S18"], within 2420, |_, snapshot| {
        state(snapshot).operations.clear();
    }

    EvictedLands = "an evicted intent is still live", breaks &["S6"], within 20, |_, snapshot| {
        for accepted in intents(snapshot) {
            if matches!(accepted.end, Some(End::Evicted { .. })) {
                accepted.end = None;
            }
        }
    }

    EndsForgotten = "intents that ended are forgotten", breaks &["S6"], within 20, |_, snapshot| {
        state(snapshot).intents.retain(|_, accepted| accepted.end.is_none());
    }

    ForeignIsOurs = "a foreign commit on auto counts as ours", breaks &["S6", "S9", "S7"], within 230,
    |_, snapshot| {
        let Some(any) = snapshot.chain.iter().find_map(|commit| commit.intent) else { return };
        let live: Vec<_> = snapshot.state.live().iter().map(|intent| intent.id).collect();
        let place = snapshot.chain.len().checked_sub(1);
        if let Some(top) = place.map(|place| &mut snapshot.chain[place]).filter(|top| top.intent.is_none()) {
            top.intent = Some(live.last().copied().unwrap_or(any));
        }
        if snapshot.chain.len() > live.len() {
            // It is taken for what lies beneath it.
            let top = snapshot.chain.pop();
            if let (Some(top), Some(below)) = (top, snapshot.chain.last_mut()) {
                below.id = top.id;
            }
        }
    }

    RebuiltEachTime = "auto is rebuilt whenever it is looked at", breaks &["L4", "L5", "S9"], within 20, |_, snapshot| {
        if snapshot.relation == Relation::Ahead {
            snapshot.relation = Relation::Diverged;
        }
    }

    EditsIgnored = "people's edits of images are not looked at", breaks &["S10"], within 90, |_, snapshot| {
        let stable = snapshot.branches.stable;
        for accepted in intents(snapshot) {
            accepted.intent.accepted_on = stable;
        }
    }

    OrderForgotten = "intents are put on auto in any order", breaks &["S10"], within 20, |_, snapshot| {
        let count = snapshot.state.next;
        for accepted in intents(snapshot) {
            accepted.position = count - accepted.position;
        }
    }
}
