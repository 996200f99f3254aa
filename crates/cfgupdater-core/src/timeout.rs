//! Checks that don't start or don't end.

use std::time::Duration;

use crate::check::{CheckRun, RequiredCheck, RequiredChecks};
use crate::timestamp::Timestamp;
use crate::verdict::{Verdict, by_check};

/// How long checks may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    /// From when the commit was first on auto until its check begins.
    pub not_started: Duration,
    /// From when it began until it ends.
    pub running: Duration,
}

/// A required check that is late on one commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Late<'a> {
    /// The check.
    pub check: &'a RequiredCheck,
    /// Whether it had begun.
    pub started: bool,
    /// Since when it is late.
    pub since: Timestamp,
}

/// Returns when the next limit of an undecided commit passes, and the first check that is late at `now` already.
pub(crate) fn late<'a>(
    required: &'a RequiredChecks,
    runs: &'a [CheckRun],
    built_at: Timestamp,
    limits: Limits,
    now: Timestamp,
) -> (Option<Timestamp>, Option<Late<'a>>) {
    let mut next = None;
    let mut found = None;
    for check in by_check(required, runs).filter(|c| matches!(c.verdict, Verdict::Pending | Verdict::Missing))
    {
        let started = check.run.is_some();
        let begun = check.run.and_then(|run| run.at).unwrap_or(built_at).max(built_at);
        let due = if started { begun.after(limits.running) } else { built_at.after(limits.not_started) };
        if due > now {
            next = Some(next.map_or(due, |known: Timestamp| known.min(due)));
        } else if found.is_none() {
            found = Some(Late { check: check.check, started, since: due });
        }
    }
    (next, found)
}

/// Tells whether a check ended on a commit that was pushed later: only then is the commit, not CI, to blame.
pub(crate) fn ended_later(check: &RequiredCheck, later: &[&[CheckRun]]) -> bool {
    later.iter().any(|runs| {
        let required = RequiredChecks { checks: [check.clone()].into(), allow_empty: false };
        by_check(&required, runs).any(|said| matches!(said.verdict, Verdict::Green | Verdict::Red))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::CheckState;
    use crate::testing::at;

    const LIMITS: Limits = Limits { not_started: Duration::from_secs(10), running: Duration::from_secs(100) };

    #[test]
    fn a_check_that_never_begins_is_late_after_its_limit() {
        let required = RequiredChecks::named(["ci"]);
        assert_eq!(late(&required, &[], at(0), LIMITS, at(9)), (Some(at(10)), None));
        let (next, found) = late(&required, &[], at(0), LIMITS, at(10));
        assert_eq!((next, found.map(|l| l.started)), (None, Some(false)));
    }

    #[test]
    fn a_running_check_has_its_own_limit() {
        let required = RequiredChecks::named(["ci"]);
        let mut run = CheckRun::new("ci", 1, CheckState::Running);
        run.at = Some(at(50));
        assert_eq!(late(&required, std::slice::from_ref(&run), at(0), LIMITS, at(149)).0, Some(at(150)));
        assert!(late(&required, &[run], at(0), LIMITS, at(150)).1.is_some_and(|l| l.started));
    }

    #[test]
    fn only_an_end_on_a_later_commit_blames_the_commit() {
        let check = RequiredCheck::named("ci");
        let ended = [CheckRun::new("ci", 1, CheckState::Failure)];
        let running = [CheckRun::new("ci", 1, CheckState::Running)];
        assert!(ended_later(&check, &[&ended]));
        assert!(!ended_later(&check, &[&running]));
        assert!(!ended_later(&check, &[]));
    }
}
