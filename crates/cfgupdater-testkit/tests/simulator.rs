//! The product keeps its promises in some thousands of schedules, and a broken promise comes with a short replay.

use cfgupdater_testkit::mutations::{self, Mutation};
use cfgupdater_testkit::setup::Setup;
use cfgupdater_testkit::{Schedule, Stats, run, run_with, shrink, simulate};

/// How many schedules are played here; releases play many more with the example `sim`.
const SCHEDULES: u64 = 1000;

#[test]
fn the_product_keeps_its_promises() {
    let mut stats = Stats::default();
    for seed in 0..SCHEDULES {
        match simulate(seed) {
            Ok(played) => stats += played,
            Err(violation) => panic!("{violation}"),
        }
    }
    assert!(
        stats.steps >= 30 * SCHEDULES && stats.landings > SCHEDULES && stats.faults > SCHEDULES,
        "{stats:?}"
    );
}

#[test]
fn a_schedule_plays_the_same_each_time() {
    for seed in 0..50 {
        let schedule = Schedule::from_seed(seed);
        assert_eq!(run(&schedule), run(&schedule));
    }
}

fn mutation(name: &str) -> Mutation {
    mutations::all().into_iter().find(|mutation| mutation.name == name).expect("a seeded bug")
}

#[test]
fn a_violation_is_shortened_to_what_matters() {
    for name in ["a check that has begun passes", "the best attempt counts, not the latest"] {
        let tamper = mutation(name).tamper;
        let found = (0..500)
            .find_map(|seed| run_with(&Schedule::from_seed(seed), tamper()).err())
            .expect("it is caught");
        let (invariant, before) = (found.invariant, found.schedule.steps.len());
        let shortest = shrink(*found, tamper);
        assert_eq!(shortest.invariant, invariant);
        assert!(shortest.schedule.steps.len() <= 8 && shortest.schedule.steps.len() < before, "{shortest}");
        let Setup { replicas, waves, sets, targets, .. } = shortest.schedule.setup;
        assert!((replicas, waves, sets, targets) == (1, 1, 1, 1), "{shortest}");
        // Nothing more can be left out.
        for left_out in 0..shortest.schedule.steps.len() {
            let mut shorter = shortest.schedule.clone();
            shorter.steps.remove(left_out);
            let still = run_with(&shorter, tamper()).err().map(|violation| violation.invariant);
            assert_ne!(still, Some(invariant), "step {} is not needed", left_out + 1);
        }
    }
}
