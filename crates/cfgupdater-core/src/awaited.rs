//! Whose word something waits for: the targets that deploy tools are asked about.

use std::collections::BTreeSet;

use crate::deployments::Place;
use crate::policy::Policy;
use crate::promote::{Progress, Step};
use crate::snapshot::Snapshot;

/// Lists the targets of every wave in which something waits to be promoted, or whose promotion has not landed. All of
/// them, not only those that are silent: a tool's success may have been early, and its later failure lost.
pub fn awaited(snapshot: &Snapshot, policy: &Policy) -> BTreeSet<Place> {
    if !snapshot.faults.is_empty() {
        return BTreeSet::new();
    }
    let mut places = BTreeSet::new();
    for (set, from, to) in policy.steps() {
        let (state, history, now) = (&snapshot.state, &*snapshot.history, snapshot.now);
        let step = Step { set, from, to, state, history, now };
        let waits = matches!(step.progress(), Progress::Wait(_));
        if waits || step.is_under_way() {
            places.extend(step.waited_for().map(|target| (from.name.clone(), target.clone())));
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::DeploymentStatus::{Failed, Succeeded};
    use crate::snapshot::Fault;
    use crate::testing::{self, Scene};

    fn places(scene: &Scene) -> Vec<String> {
        awaited(&scene.snapshot(), &scene.policy).into_iter().map(|(_, target)| target.to_string()).collect()
    }

    #[test]
    fn targets_are_asked_about_only_while_something_waits_for_them() {
        let mut scene = Scene::new();
        assert_eq!(places(&scene), [""; 0]);
        scene.land(1, &testing::introduce("app", "staging", 1), 1);
        assert_eq!(places(&scene), ["staging-1", "staging-2"]);
        for target in ["staging-1", "staging-2"] {
            scene.report("staging", target, 1, 1, Succeeded);
        }
        scene.land(2, &testing::promote("app", "staging", "internal", 1), 1);
        assert_eq!(places(&scene), ["internal-1"]);
    }

    #[test]
    fn a_proven_release_that_soaks_is_still_watched() {
        let mut scene = Scene::new();
        scene.land(1, &testing::introduce("app", "staging", 1), 1);
        scene.policy.waves[0].soak = std::time::Duration::from_mins(30);
        scene.report("staging", "staging-1", 1, 1, Succeeded);
        scene.report("staging", "staging-2", 1, 1, Succeeded);
        assert_eq!(places(&scene), ["staging-1", "staging-2"]);
        scene.report("staging", "staging-2", 1, 1, Failed);
        assert_eq!(places(&scene), ["staging-1", "staging-2"]);
    }

    #[test]
    fn a_promotion_that_has_not_landed_is_still_watched() {
        let mut scene = Scene::new();
        scene.land(1, &testing::introduce("app", "staging", 1), 1);
        for target in ["staging-1", "staging-2"] {
            scene.report("staging", target, 1, 1, Succeeded);
        }
        scene.on_auto(2, testing::promote("app", "staging", "internal", 1));
        assert_eq!(places(&scene), ["staging-1", "staging-2"]);
    }

    #[test]
    fn waived_targets_and_faulty_repositories_are_left_alone() {
        let mut scene = Scene::new();
        scene.land(1, &testing::introduce("app", "staging", 1), 1);
        let note = crate::plan::note("ops", "cluster is gone", scene.now);
        let (wave, target) = ("staging".parse().unwrap(), "staging-2".parse().unwrap());
        scene.state.apply(&crate::record::Record::Waived { wave, target, until: None, note }, scene.now);
        assert_eq!(places(&scene), ["staging-1"]);
        scene.faults.push(Fault::StableRewound { seen: testing::commit(9) });
        assert_eq!(places(&scene), [""; 0]);
    }
}
