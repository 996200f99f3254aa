//! Bugs in what is carried out.

use cfgupdater_core::{CheckOutcome, Effect, End, Record, Snapshot};

use super::{Mutation, Tamper};

pub(super) fn all() -> Vec<Mutation> {
    let mutation = |name, breaks, within, change| Mutation { name, breaks, within, tamper: change };
    vec![
        mutation("a rebuild applies intents in another order", &["L5", "S9", "S10"], 20, || {
            Box::new(OnEffect(reverse_rebuild))
        }),
        mutation("an eviction drops the intent above as well", &["S9"], 30, || {
            Box::new(OnEffect(drop_another))
        }),
        mutation("an eviction cites another commit", &["S7"], 20, || Box::new(OnEffect(cite_stable))),
        mutation("an eviction names another check", &["S7"], 20, || Box::new(OnEffect(name_another))),
        mutation("a failure is recorded as a time-out", &["S7", "S8"], 20, || {
            Box::new(OnEffect(call_it_late))
        }),
        mutation("the tip lands instead of the commit that is green", &["S1", "S3", "S14"], 20, || {
            Box::new(OnEffect(land_the_tip))
        }),
        mutation("ends are not recorded", &["L1", "L4", "L5", "S6"], 20, || Box::new(OnEffect(forget_ends))),
    ]
}

/// Changes effects before they are carried out.
#[derive(Debug)]
struct OnEffect(fn(&Snapshot, &mut Effect));

impl Tamper for OnEffect {
    fn is_active(&self) -> bool {
        false
    }

    fn effect(&mut self, snapshot: &Snapshot, effect: &mut Effect) {
        (self.0)(snapshot, effect);
    }
}

fn reverse_rebuild(_: &Snapshot, effect: &mut Effect) {
    if let Effect::Write(write) = effect
        && let Some(auto) = &mut write.auto
    {
        auto.intents.reverse();
    }
}

fn drop_another(_: &Snapshot, effect: &mut Effect) {
    if let Effect::Write(write) = effect
        && write.records.iter().any(|r| matches!(r, Record::Ended { end: End::Evicted { .. }, .. }))
        && let Some(auto) = &mut write.auto
    {
        auto.intents.pop();
    }
}

fn evidence(effect: &mut Effect, change: impl Fn(&mut cfgupdater_core::Evidence)) {
    let Effect::Write(write) = effect else { return };
    for record in &mut write.records {
        if let Record::Ended { end: End::Evicted { evidence }, .. } = record {
            change(evidence);
        }
    }
}

fn cite_stable(snapshot: &Snapshot, effect: &mut Effect) {
    evidence(effect, |evidence| evidence.commit = snapshot.branches.stable);
}

fn name_another(_: &Snapshot, effect: &mut Effect) {
    evidence(effect, |evidence| evidence.check.push('x'));
}

fn call_it_late(_: &Snapshot, effect: &mut Effect) {
    evidence(effect, |evidence| evidence.outcome = CheckOutcome::TimedOut);
}

fn land_the_tip(snapshot: &Snapshot, effect: &mut Effect) {
    if let (Effect::Land { to, .. }, Some(tip)) = (effect, snapshot.chain.last()) {
        *to = tip.id;
    }
}

fn forget_ends(_: &Snapshot, effect: &mut Effect) {
    if let Effect::Write(write) = effect {
        write.records.retain(|record| !matches!(record, Record::Ended { .. }));
    }
}
