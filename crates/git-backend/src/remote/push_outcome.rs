//! What became of each edit of a push: git's report, and the references as read again.

use cfgupdater_core::{CommitId, Expected, RefEdit, RefMap, RefOutcome};

use super::push_refusal::{Refusal, refusal};
use super::push_report::{PushReport, RefReport};

/// Where a reference stands after a push that did not report success for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Position {
    AtNew,
    AtOld,
    Elsewhere(Option<CommitId>),
}

/// Everything known after a push.
pub(crate) struct Aftermath<'a> {
    pub(crate) report: &'a PushReport,
    /// The references as read again, or why they couldn't be.
    pub(crate) actual: Result<&'a RefMap, &'a str>,
    /// What the remote said, or how the push was interrupted.
    pub(crate) said: &'a str,
}

/// Tells whether the report alone settles every edit.
pub(crate) fn all_accepted(edits: &[RefEdit], report: &PushReport) -> bool {
    edits.iter().all(|edit| report.get(&edit.name) == Some(&RefReport::Accepted))
}

/// Tells whether nothing moved because somebody holds a lock at the remote: no refusal, and over by itself or by an
/// administrator.
pub(crate) fn is_locked(edits: &[RefEdit], report: &PushReport, said: &str, outcomes: &[RefOutcome]) -> bool {
    let nothing_moved =
        outcomes.iter().all(|outcome| matches!(outcome, RefOutcome::Declined { .. } | RefOutcome::Aborted));
    nothing_moved
        && edits.iter().any(|edit| match report.get(&edit.name) {
            Some(RefReport::Rejected(reason)) => refusal(&edit.name, reason, said) == Refusal::Locked,
            _ => false,
        })
}

/// Settles every edit. `is_ancestor` tells whether a value found may be fast-forwarded to the new one.
pub(crate) fn settle(
    edits: &[RefEdit],
    aftermath: &Aftermath<'_>,
    is_ancestor: impl Fn(&CommitId, &CommitId) -> bool,
) -> Vec<RefOutcome> {
    let outcomes = edits.iter().map(|edit| settle_one(edit, aftermath, &is_ancestor)).collect();
    tell_aborted(edits, aftermath.report, outcomes)
}

fn settle_one(
    edit: &RefEdit,
    aftermath: &Aftermath<'_>,
    is_ancestor: &impl Fn(&CommitId, &CommitId) -> bool,
) -> RefOutcome {
    let report = aftermath.report.get(&edit.name);
    if report == Some(&RefReport::Accepted) {
        return RefOutcome::Moved;
    }
    let actual = match aftermath.actual {
        Ok(refs) => refs.get(&edit.name).copied(),
        Err(why) => return RefOutcome::Indeterminate { reason: join(why, aftermath.said) },
    };
    match (position(edit, actual, is_ancestor), report) {
        (Position::AtNew, _) => RefOutcome::Moved,
        (Position::Elsewhere(actual), _) => RefOutcome::Stale { actual },
        (Position::AtOld, Some(RefReport::Rejected(reason))) => {
            match refusal(&edit.name, reason, aftermath.said) {
                Refusal::Raced => RefOutcome::Stale { actual },
                Refusal::Locked | Refusal::Meant => {
                    RefOutcome::Declined { reason: join(reason, aftermath.said) }
                }
            }
        }
        // The remote may still be at it.
        (Position::AtOld, Some(RefReport::Unknown(reason))) => {
            RefOutcome::Indeterminate { reason: join(reason, aftermath.said) }
        }
        (Position::AtOld, _) => RefOutcome::Indeterminate { reason: aftermath.said.to_owned() },
    }
}

fn position(
    edit: &RefEdit,
    actual: Option<CommitId>,
    is_ancestor: &impl Fn(&CommitId, &CommitId) -> bool,
) -> Position {
    if actual == edit.new {
        return Position::AtNew;
    }
    let unchanged = match (edit.expected, actual, edit.new) {
        (Expected::Exactly(old), ..) => actual == old,
        (Expected::Ancestor, Some(actual), Some(new)) => is_ancestor(&actual, &new),
        (Expected::Ancestor, ..) => true,
    };
    if unchanged { Position::AtOld } else { Position::Elsewhere(actual) }
}

/// In an atomic push one bad edit fails all. The others were not tried: those beside a stale one, and those that git
/// or the remote reports as victims where some edit isn't.
fn tell_aborted(edits: &[RefEdit], report: &PushReport, outcomes: Vec<RefOutcome>) -> Vec<RefOutcome> {
    let is_victim = |edit: &RefEdit| matches!(report.get(&edit.name), Some(RefReport::Rejected(reason)) if reason.contains("atomic"));
    let any_stale = outcomes.iter().any(|outcome| matches!(outcome, RefOutcome::Stale { .. }));
    let any_culprit = edits.iter().any(|edit| !is_victim(edit));
    let settle = |(edit, outcome)| match outcome {
        RefOutcome::Declined { .. } if any_stale || (any_culprit && is_victim(edit)) => RefOutcome::Aborted,
        outcome => outcome,
    };
    edits.iter().zip(outcomes).map(settle).collect()
}

fn join(reason: &str, said: &str) -> String {
    if said.is_empty() { reason.to_owned() } else { format!("{reason}: {said}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cfgupdater_core::RefName;

    fn id(digit: char) -> CommitId {
        digit.to_string().repeat(40).parse().unwrap()
    }

    fn name(text: &str) -> RefName {
        format!("refs/heads/{text}").parse().unwrap()
    }

    fn outcome(
        edit: &RefEdit,
        report: Option<RefReport>,
        actual: Result<Option<CommitId>, &str>,
    ) -> RefOutcome {
        let report = report.map(|report| (edit.name.clone(), report)).into_iter().collect();
        let refs = actual.map(|id| id.map(|id| (edit.name.clone(), id)).into_iter().collect::<RefMap>());
        let aftermath = Aftermath { report: &report, actual: refs.as_ref().map_err(|why| *why), said: "x" };
        settle(std::slice::from_ref(edit), &aftermath, |old, _| *old == id('1')).remove(0)
    }

    #[test]
    fn the_reference_decides_not_the_wording() {
        let edit = RefEdit::exact(name("a"), Some(id('1')), Some(id('2')));
        let rejected = || Some(RefReport::Rejected("stale info".into()));
        assert_eq!(
            outcome(&edit, rejected(), Ok(Some(id('3')))),
            RefOutcome::Stale { actual: Some(id('3')) }
        );
        assert_eq!(outcome(&edit, rejected(), Ok(None)), RefOutcome::Stale { actual: None });
        assert_eq!(outcome(&edit, rejected(), Ok(Some(id('2')))), RefOutcome::Moved);
        assert!(matches!(outcome(&edit, rejected(), Ok(Some(id('1')))), RefOutcome::Declined { .. }));
    }

    #[test]
    fn a_race_that_was_lost_to_an_ancestor_is_stale() {
        let edit = RefEdit::fast_forward(name("a"), id('2'));
        let rejected = RefReport::Rejected(format!("cannot lock ref: is at {} but expected 0", id('1')));
        assert_eq!(
            outcome(&edit, Some(rejected), Ok(Some(id('1')))),
            RefOutcome::Stale { actual: Some(id('1')) }
        );
    }

    #[test]
    fn a_lock_is_no_refusal_unless_something_else_decided() {
        let edits = ["a", "b"].map(|text| RefEdit::exact(name(text), None, Some(id('2'))));
        let rejected = || RefReport::Rejected("atomic transaction failed".into());
        let report: PushReport = edits.iter().map(|edit| (edit.name.clone(), rejected())).collect();
        let declined = || RefOutcome::Declined { reason: String::new() };
        let said = "error: Unable to create '/srv/x.git/refs/heads/a.lock': File exists.";
        assert!(is_locked(&edits, &report, said, &[declined(), RefOutcome::Aborted]));
        assert!(!is_locked(&edits, &report, "hook declined", &[declined(), declined()]));
        let stale = RefOutcome::Stale { actual: None };
        assert!(!is_locked(&edits, &report, said, &[stale, RefOutcome::Aborted]));
    }

    #[test]
    fn an_interrupted_push_that_changed_nothing_may_yet_change_it() {
        let edit = RefEdit::exact(name("a"), Some(id('1')), Some(id('2')));
        assert!(matches!(outcome(&edit, None, Ok(Some(id('1')))), RefOutcome::Indeterminate { .. }));
        assert!(matches!(outcome(&edit, None, Err("down")), RefOutcome::Indeterminate { .. }));
        assert_eq!(outcome(&edit, None, Ok(Some(id('2')))), RefOutcome::Moved);
    }

    #[test]
    fn a_fast_forward_is_stale_once_the_remote_left_its_line() {
        let edit = RefEdit::fast_forward(name("a"), id('2'));
        let rejected = || Some(RefReport::Rejected("hook declined".into()));
        assert!(matches!(outcome(&edit, rejected(), Ok(Some(id('1')))), RefOutcome::Declined { .. }));
        assert_eq!(
            outcome(&edit, rejected(), Ok(Some(id('9')))),
            RefOutcome::Stale { actual: Some(id('9')) }
        );
    }
}
