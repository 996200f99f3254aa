//! Bugs in what stands between waves.

use cfgupdater_core::{
    Action, DeploymentStatus, Effect, Intent, Landing, Mode, Policy, Record, Slot, Snapshot,
};

use super::{Mutation, Tamper, on_snapshot, state, targets};
use crate::world::World;

pub(super) fn all() -> Vec<Mutation> {
    let mut all = on_snapshot();
    let mutation = |name, breaks, within, tamper| Mutation { name, breaks, within, tamper };
    all.extend([
        mutation("approvals are not waited for", &["S16"], 20, || {
            Box::new(OnPolicy(|policy| {
                policy.waves.iter_mut().for_each(|wave| wave.approval = false);
            }))
        }),
        mutation("soaks are not waited for", &["S16"], 20, || {
            Box::new(OnPolicy(|policy| {
                policy.waves.iter_mut().for_each(|wave| wave.soak = std::time::Duration::ZERO);
            }))
        }),
        mutation("freeze windows are not looked at", &["S16"], 20, || {
            Box::new(OnPolicy(|policy| policy.waves.iter_mut().for_each(|wave| wave.freeze.clear())))
        }),
        mutation("replicas that only observe act", &["S17"], 30, || {
            Box::new(OnPolicy(|policy| policy.mode = Mode::Act))
        }),
        mutation("a green tip carries untested commits against the policy", &["S14"], 20, || {
            Box::new(OnPolicy(|policy| policy.landing = Landing::Tip))
        }),
        mutation("the last target of a wave is not waited for", &["S15"], 20, || {
            Box::new(OnPolicy(|policy| {
                for wave in policy.waves.iter_mut().filter(|wave| wave.targets.len() > 1) {
                    wave.targets.pop();
                }
            }))
        }),
        mutation("a failure after the promotion was accepted is not looked at", &["S15"], 1160, || {
            Box::new(LaterFailuresIgnored)
        }),
        mutation("a check that has just begun is late", &["S7"], 330, || {
            Box::new(OnPolicy(|policy| {
                policy.not_started_timeout = std::time::Duration::ZERO;
                policy.running_timeout = std::time::Duration::ZERO;
            }))
        }),
    ]);
    all
}

/// Tells replicas another policy.
#[derive(Debug)]
struct OnPolicy(fn(&mut Policy));

impl Tamper for OnPolicy {
    fn is_active(&self) -> bool {
        false
    }

    fn policy(&mut self, policy: &mut Policy) {
        (self.0)(policy);
    }
}

on_snapshot! {
    HoldIgnored = "holds are not looked at", breaks &["S16"], within 20, |_, snapshot| {
        state(snapshot).waves.values_mut().for_each(|wave| wave.hold = None);
    }

    OneSpeaksForAll = "what one target reports counts for all", breaks &["S15"], within 20, |world, snapshot| {
        let reports: Vec<_> = snapshot.state.targets.iter().map(|(key, said)| (key.clone(), said.clone())).collect();
        for ((wave, _, set), said) in reports {
            for target in world.policy.wave(&wave).into_iter().flat_map(|wave| &wave.targets) {
                let key = (wave.clone(), target.name.clone(), set.clone());
                state(snapshot).targets.entry(key).or_insert_with(|| said.clone());
            }
        }
    }

    FailuresIgnored = "failed deployments count as done", breaks &["S15", "S16"], within 40, |_, snapshot| {
        for said in targets(snapshot) {
            said.newest.status = DeploymentStatus::Succeeded;
            for word in said.by_introduction.values_mut() {
                word.status = DeploymentStatus::Succeeded;
            }
        }
    }

    OldReportsCount = "a report of an older commit replaces a newer one", breaks &["S11", "S15"], within 370,
    |_, snapshot| {
        for said in targets(snapshot) {
            said.newest.revision = None;
        }
    }
}

/// Looks at failures until the promotion is accepted, and not after.
#[derive(Debug)]
struct LaterFailuresIgnored;

impl Tamper for LaterFailuresIgnored {
    fn snapshot(&mut self, _: &World, snapshot: &mut Snapshot) {
        let under_way: Vec<_> = snapshot.state.live().into_iter().filter_map(leaves).collect();
        for said in targets(snapshot) {
            if under_way.contains(&(said.newest.wave.clone(), said.newest.set.clone())) {
                said.newest.status = DeploymentStatus::Succeeded;
            }
        }
    }

    fn effect(&mut self, snapshot: &Snapshot, effect: &mut Effect) {
        let Effect::Write(write) = effect else { return };
        let failed = |record: &Record| match record {
            Record::Reported { report } if report.status == DeploymentStatus::Failed => {
                Some((report.wave.clone(), report.set.clone()))
            }
            _ => None,
        };
        let failing: Vec<Slot> = write.records.iter().filter_map(failed).collect();
        let stays =
            |id| snapshot.state.live_intent(id).and_then(leaves).is_some_and(|slot| failing.contains(&slot));
        let before = write.records.len();
        write.records.retain(|record| !matches!(record, Record::Ended { id, .. } if stays(*id)));
        if write.records.len() < before {
            write.auto = None;
        }
    }
}

/// Returns the wave and set that a promotion leaves.
fn leaves(intent: &Intent) -> Option<Slot> {
    match &intent.action {
        Action::Promote { from, .. } => Some((from.clone(), intent.set.clone())),
        _ => None,
    }
}
