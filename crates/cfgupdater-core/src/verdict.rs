//! The verdict of a commit: the fold of the latest attempt of each required check at that very SHA.

use serde::{Deserialize, Serialize};

use crate::check::{CheckRun, CheckState, RequiredCheck, RequiredChecks};

/// What the required checks of one commit say together (invariants S3 and S4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Every required check passed.
    Green,
    /// At least one failed.
    Red,
    /// None failed, and at least one has begun but not passed.
    Pending,
    /// None failed, and no check that is still needed has begun.
    Missing,
}

/// What one required check says of one commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckVerdict<'a> {
    /// The check.
    pub check: &'a RequiredCheck,
    /// Its verdict.
    pub verdict: Verdict,
    /// The attempt it rests on, `None` where there is none.
    pub run: Option<&'a CheckRun>,
}

/// Folds all required checks. An empty required set is [`Verdict::Missing`] unless the operator allowed it.
pub fn verdict(required: &RequiredChecks, runs: &[CheckRun]) -> Verdict {
    let verdicts: Vec<Verdict> = by_check(required, runs).map(|check| check.verdict).collect();
    if verdicts.contains(&Verdict::Red) {
        Verdict::Red
    } else if verdicts.is_empty() {
        if required.allow_empty { Verdict::Green } else { Verdict::Missing }
    } else if verdicts.iter().all(|v| *v == Verdict::Green) {
        Verdict::Green
    } else if verdicts.contains(&Verdict::Pending) {
        Verdict::Pending
    } else {
        Verdict::Missing
    }
}

/// Judges each required check by itself.
pub fn by_check<'a>(
    required: &'a RequiredChecks,
    runs: &'a [CheckRun],
) -> impl Iterator<Item = CheckVerdict<'a>> {
    required.checks.iter().map(move |check| {
        let latest = latest_of_each_series(check, runs);
        // A name that appears in several series must pass in each: the worst of them speaks.
        let worst =
            latest.into_iter().map(|run| (of_run(run), run)).max_by_key(|(verdict, _)| badness(*verdict));
        match worst {
            Some((verdict, run)) => CheckVerdict { check, verdict, run: Some(run) },
            None => CheckVerdict { check, verdict: Verdict::Missing, run: None },
        }
    })
}

fn latest_of_each_series<'a>(check: &RequiredCheck, runs: &'a [CheckRun]) -> Vec<&'a CheckRun> {
    let mut latest: Vec<&CheckRun> = Vec::new();
    for run in runs.iter().filter(|run| check.accepts(run)) {
        match latest.iter_mut().find(|known| known.series == run.series) {
            Some(known) if known.attempt <= run.attempt => *known = run,
            Some(_) => {}
            None => latest.push(run),
        }
    }
    latest
}

/// An unknown conclusion is not green, and it is not red either: it never lands and never evicts.
fn of_run(run: &CheckRun) -> Verdict {
    match run.state {
        CheckState::Success => Verdict::Green,
        CheckState::Failure => Verdict::Red,
        CheckState::Queued | CheckState::Running | CheckState::Infrastructure(_) | CheckState::Unknown(_) => {
            Verdict::Pending
        }
    }
}

fn badness(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Green => 0,
        Verdict::Missing => 1,
        Verdict::Pending => 2,
        Verdict::Red => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(name: &str, attempt: u64, state: CheckState) -> CheckRun {
        CheckRun::new(name, attempt, state)
    }

    #[test]
    fn all_required_must_pass() {
        let required = RequiredChecks::named(["ci", "lint"]);
        let ci = run("ci", 1, CheckState::Success);
        assert_eq!(verdict(&required, std::slice::from_ref(&ci)), Verdict::Missing);
        assert_eq!(verdict(&required, &[ci.clone(), run("lint", 1, CheckState::Running)]), Verdict::Pending);
        assert_eq!(verdict(&required, &[ci.clone(), run("lint", 1, CheckState::Success)]), Verdict::Green);
        assert_eq!(verdict(&required, &[ci, run("lint", 1, CheckState::Failure)]), Verdict::Red);
    }

    #[test]
    fn the_latest_attempt_counts_not_the_best() {
        let required = RequiredChecks::named(["ci"]);
        let flip = [run("ci", 2, CheckState::Failure), run("ci", 1, CheckState::Success)];
        assert_eq!(verdict(&required, &flip), Verdict::Red);
        let rerun = [run("ci", 1, CheckState::Failure), run("ci", 2, CheckState::Queued)];
        assert_eq!(verdict(&required, &rerun), Verdict::Pending);
    }

    #[test]
    fn a_name_required_as_status_and_check_run_must_pass_as_both() {
        let required = RequiredChecks::named(["ci"]);
        let mut status = run("ci", 1, CheckState::Failure);
        status.series = "status".to_owned();
        let mut check_run = run("ci", 9, CheckState::Success);
        check_run.series = "check_run".to_owned();
        assert_eq!(verdict(&required, &[status, check_run]), Verdict::Red);
    }

    #[test]
    fn the_right_name_from_another_source_is_not_it() {
        let mut required = RequiredChecks::default();
        required.checks.insert(RequiredCheck { name: "ci".to_owned(), source: Some("app-1".to_owned()) });
        let mut imitation = run("ci", 1, CheckState::Success);
        imitation.source = Some("somebody".to_owned());
        assert_eq!(verdict(&required, &[imitation]), Verdict::Missing);
    }

    #[test]
    fn unknown_conclusions_and_an_empty_required_set_are_not_green() {
        let required = RequiredChecks::named(["ci"]);
        assert_eq!(
            verdict(&required, &[run("ci", 1, CheckState::Unknown("neat".to_owned()))]),
            Verdict::Pending
        );
        assert_eq!(verdict(&RequiredChecks::default(), &[]), Verdict::Missing);
        let allowed = RequiredChecks { allow_empty: true, ..RequiredChecks::default() };
        assert_eq!(verdict(&allowed, &[]), Verdict::Green);
    }
}
