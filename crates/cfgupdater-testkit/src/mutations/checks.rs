//! Bugs in reading checks.

use std::collections::BTreeMap;
use std::sync::Arc;

use cfgupdater_core::{CheckRun, CheckState, IntentId, Snapshot};

use super::{Mutation, Tamper, on_snapshot};
use crate::world::World;

pub(super) fn all() -> Vec<Mutation> {
    let mut all = on_snapshot();
    all.push(Mutation {
        name: "results of a rebuilt commit count for the new one",
        breaks: &["S1", "S4", "S7", "S8"],
        within: 20,
        tamper: || Box::new(Transfer::default()),
    });
    all
}

fn runs(snapshot: &mut Snapshot) -> impl Iterator<Item = &mut CheckRun> {
    snapshot.checks.values_mut().flat_map(Arc::make_mut)
}

/// Leaves some attempts out.
fn keep(runs: &mut Arc<[CheckRun]>, kept: impl Fn(&&CheckRun) -> bool) {
    *runs = runs.iter().filter(kept).cloned().collect();
}

on_snapshot! {
    /// A retried failure is forgotten, and so is one that came after a success.
    BestAttempt = "the best attempt counts, not the latest", breaks &["S1", "S8"], within 390, |_, snapshot| {
        for runs in snapshot.checks.values_mut() {
            let passed: Vec<(String, String)> = runs
                .iter()
                .filter(|run| run.state == CheckState::Success)
                .map(|run| (run.name.clone(), run.series.clone()))
                .collect();
            let beaten = |run: &CheckRun| passed.iter().any(|(n, s)| *n == run.name && *s == run.series);
            keep(runs, |run| run.state == CheckState::Success || !beaten(run));
        }
    }

    FirstAttempt = "the first attempt counts, not the latest", breaks &["S1", "S7", "S8"], within 330, |_, snapshot| {
        for runs in snapshot.checks.values_mut() {
            keep(runs, |run| run.attempt == 1);
        }
    }

    UnknownPasses = "an unknown conclusion passes", breaks &["S1"], within 540, |_, snapshot| {
        for run in runs(snapshot).filter(|run| matches!(run.state, CheckState::Unknown(_))) {
            run.state = CheckState::Success;
        }
    }

    CancelledPasses = "a cancelled check passes", breaks &["S1", "S8"], within 40, |_, snapshot| {
        for run in runs(snapshot).filter(|run| matches!(run.state, CheckState::Infrastructure(_))) {
            run.state = CheckState::Success;
        }
    }

    CancelledFails = "a cancelled check fails", breaks &["S7"], within 80, |_, snapshot| {
        for run in runs(snapshot).filter(|run| matches!(run.state, CheckState::Infrastructure(_))) {
            run.state = CheckState::Failure;
        }
    }

    RunningPasses = "a check that has begun passes", breaks &["S1"], within 20, |_, snapshot| {
        for run in runs(snapshot).filter(|run| !run.state.is_finished()) {
            run.state = CheckState::Success;
        }
    }

    AnySource = "the right name from any source counts", breaks &["S1", "S8"], within 1360, |_, snapshot| {
        for run in runs(snapshot) {
            run.source = Some(crate::world::ci::TRUSTED.to_owned());
        }
    }

    OneOfAll = "one required check is enough", breaks &["S1", "S7", "S8", "S14"], within 470, |_, snapshot| {
        let first = snapshot.required.checks.first().cloned();
        Arc::make_mut(&mut snapshot.required).checks = first.into_iter().collect();
    }

    EmptySetPasses = "an empty required set passes", breaks &["S3"], within 20, |_, snapshot| {
        Arc::make_mut(&mut snapshot.required).allow_empty = true;
    }

    BlindBlame = "untested commits beneath a red one count as green", breaks &["S8", "S1", "S14"], within 20,
    |_, snapshot| {
        let chain: Vec<_> = snapshot.chain.iter().map(|commit| commit.id).collect();
        let Some((_, beneath)) = chain.split_last() else { return };
        let names: Vec<String> = snapshot.required.checks.iter().map(|check| check.name.clone()).collect();
        for commit in beneath.iter().chain([&snapshot.branches.stable]) {
            let passed = || names.iter().map(|name| CheckRun::new(name, 1, CheckState::Success)).collect();
            snapshot.checks.entry(*commit).or_insert_with(passed);
        }
    }

    ReportedPasses = "only checks that were created are needed", breaks &["S1", "S14"], within 180, |_, snapshot| {
        let names: Vec<String> = snapshot.required.checks.iter().map(|check| check.name.clone()).collect();
        for runs in snapshot.checks.values_mut() {
            let missing = names.iter().filter(|name| !runs.iter().any(|run| run.name == **name));
            let passed = missing.map(|name| CheckRun::new(name, 1, CheckState::Success));
            *runs = runs.iter().cloned().chain(passed).collect();
        }
    }

    StableIsGreen = "stable counts as green whoever pushed it", breaks &["S8"], within 30, |_, snapshot| {
        let names: Vec<String> = snapshot.required.checks.iter().map(|check| check.name.clone()).collect();
        let green = names.iter().map(|name| CheckRun::new(name, 1, CheckState::Success)).collect();
        snapshot.checks.insert(snapshot.branches.stable, green);
    }
}

/// Remembers results by intent.
#[derive(Debug, Default)]
struct Transfer(BTreeMap<IntentId, Arc<[CheckRun]>>);

impl Tamper for Transfer {
    fn snapshot(&mut self, _world: &World, snapshot: &mut Snapshot) {
        for commit in &snapshot.chain {
            let Some(intent) = commit.intent else { continue };
            match snapshot.checks.get(&commit.id) {
                Some(runs) if runs.iter().all(|run| run.state.is_finished()) => {
                    self.0.insert(intent, Arc::clone(runs));
                }
                _ => {
                    if let Some(runs) = self.0.get(&intent) {
                        snapshot.checks.insert(commit.id, Arc::clone(runs));
                    }
                }
            }
        }
    }
}
