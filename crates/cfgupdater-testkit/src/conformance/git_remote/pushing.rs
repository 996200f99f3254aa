//! Pushing: what moves, and what the outcome says where nothing does.

use cfgupdater_core::{ErrorKind, GitRemote, GitRepo, RefEdit, RefOutcome};

use super::{GitRemoteHarness, LONG, at, begin, branch, push, rivals};
use crate::conformance::git_repo::commit;

/// Under an exact lease a reference goes anywhere.
pub async fn references_are_created_moved_rewound_and_deleted(harness: &impl GitRemoteHarness) {
    let [root, ours, _] = rivals(harness).await;
    let auto = branch("auto");
    for (old, new) in
        [(None, Some(root)), (Some(root), Some(ours)), (Some(ours), Some(root)), (Some(root), None)]
    {
        assert_eq!(push(harness, &[RefEdit::exact(auto.clone(), old, new)]).await, [RefOutcome::Moved]);
        assert_eq!(at(harness, &auto), new);
    }
}

/// A lease that somebody broke moves nothing, and the outcome says what is there.
pub async fn a_lease_on_a_value_that_is_gone_is_stale(harness: &impl GitRemoteHarness) {
    let [root, ours, theirs] = rivals(harness).await;
    harness.set_ref(&branch("auto"), Some(theirs));
    for expected in [None, Some(root)] {
        let outcome = push(harness, &[RefEdit::exact(branch("auto"), expected, Some(ours))]).await;
        assert_eq!(outcome, [RefOutcome::Stale { actual: Some(theirs) }], "{expected:?}");
    }
    assert_eq!(at(harness, &branch("auto")), Some(theirs));
    let deletion = push(harness, &[RefEdit::exact(branch("auto"), Some(root), None)]).await;
    assert_eq!(deletion, [RefOutcome::Stale { actual: Some(theirs) }]);
    let gone = push(harness, &[RefEdit::exact(branch("other"), Some(root), Some(ours))]).await;
    assert_eq!(gone, [RefOutcome::Stale { actual: None }]);
}

/// Somebody else may have made the same commit first.
pub async fn what_is_there_already_has_moved(harness: &impl GitRemoteHarness) {
    let [_, ours, _] = rivals(harness).await;
    let edit = RefEdit::exact(branch("auto"), None, Some(ours));
    for edit in [
        edit.clone(),
        edit,
        RefEdit::exact(branch("auto"), Some(ours), Some(ours)),
        RefEdit::fast_forward(branch("auto"), ours),
        RefEdit::exact(branch("none"), Some(ours), None),
    ] {
        assert_eq!(push(harness, std::slice::from_ref(&edit)).await, [RefOutcome::Moved], "{edit:?}");
    }
}

/// A push without lease never rewinds, whether or not what is there was ever fetched.
pub async fn a_plain_push_only_goes_forward(harness: &impl GitRemoteHarness) {
    let [root, ours, theirs] = rivals(harness).await;
    let forward = [RefEdit::fast_forward(branch("master"), ours)];
    harness.set_ref(&branch("master"), Some(theirs));
    let stale = [RefOutcome::Stale { actual: Some(theirs) }];
    assert_eq!(push(harness, &forward).await, stale, "a commit that was not even fetched");
    harness.remote().fetch(&[branch("master")], LONG).await.unwrap();
    assert_eq!(push(harness, &forward).await, stale, "a commit that ours does not contain");
    assert_eq!(at(harness, &branch("master")), Some(theirs));
    harness.set_ref(&branch("master"), Some(root));
    assert_eq!(push(harness, &forward).await, [RefOutcome::Moved]);
    assert_eq!(at(harness, &branch("master")), Some(ours));
    let fresh = [RefEdit::fast_forward(branch("fresh"), ours)];
    assert_eq!(push(harness, &fresh).await, [RefOutcome::Moved], "nothing is an ancestor of everything");
}

/// Where one edit is stale, the others are not tried.
pub async fn in_one_push_all_move_or_none(harness: &impl GitRemoteHarness) {
    let [root, ours, theirs] = rivals(harness).await;
    let edits = [
        RefEdit::exact(branch("state"), None, Some(ours)),
        RefEdit::exact(branch("auto"), None, Some(ours)),
        RefEdit::fast_forward(branch("master"), ours),
    ];
    harness.set_ref(&branch("auto"), Some(theirs));
    let stale = RefOutcome::Stale { actual: Some(theirs) };
    assert_eq!(push(harness, &edits).await, [RefOutcome::Aborted, stale, RefOutcome::Aborted]);
    assert_eq!((at(harness, &branch("state")), at(harness, &branch("master"))), (None, Some(root)));
    harness.set_ref(&branch("auto"), None);
    assert_eq!(push(harness, &edits).await, [RefOutcome::Moved, RefOutcome::Moved, RefOutcome::Moved]);
    assert_eq!(at(harness, &branch("master")), Some(ours));
}

/// Edits that can't be right fail as a whole, before anything is sent.
pub async fn what_can_not_be_pushed_fails_before_anything_moves(harness: &impl GitRemoteHarness) {
    let [root, ours, theirs] = rivals(harness).await;
    let kind = async |edits: &[RefEdit]| harness.remote().push(edits, LONG).await.unwrap_err().kind();
    let fine = RefEdit::exact(branch("a"), None, Some(ours));
    let absent = RefEdit::exact(branch("b"), None, Some(theirs));
    assert_eq!(kind(&[fine.clone(), absent]).await, ErrorKind::NotFound, "a commit that isn't here");
    assert_eq!(kind(&[fine.clone(), fine.clone()]).await, ErrorKind::Invalid, "one reference twice");
    let head = RefEdit::exact("HEAD".parse().unwrap(), Some(root), Some(ours));
    assert_eq!(kind(&[fine.clone(), head]).await, ErrorKind::Invalid, "no name of a branch");
    let mut deletion = RefEdit::fast_forward(branch("master"), ours);
    deletion.new = None;
    assert_eq!(kind(&[fine.clone(), deletion]).await, ErrorKind::Invalid, "a deletion without lease");
    assert_eq!(at(harness, &branch("a")), None);
    assert!(harness.remote().push(&[], LONG).await.unwrap().is_empty());
}

/// Compare-and-swap: of two clients that believe the same, exactly one moves the reference, and the other learns of it.
pub async fn of_two_clients_one_wins(harness: &impl GitRemoteHarness) {
    let root = begin(harness);
    let auto = branch("auto");
    harness.set_ref(&auto, Some(root));
    let (other, other_local) = harness.other();
    let mut old = root;
    for round in 0..3 {
        let ours = rival(harness.remote(), harness.local(), old, "ours", round).await;
        let theirs = rival(other, other_local, old, "theirs", round).await;
        let edit = |new| [RefEdit::exact(auto.clone(), Some(old), Some(new))];
        let (edits, rivals) = (edit(ours), edit(theirs));
        let (one, two) = tokio::join!(harness.remote().push(&edits, LONG), other.push(&rivals, LONG));
        let outcomes = [one.unwrap().remove(0), two.unwrap().remove(0)];
        old = at(harness, &auto).unwrap();
        let expected = if old == ours {
            [RefOutcome::Moved, RefOutcome::Stale { actual: Some(ours) }]
        } else {
            [RefOutcome::Stale { actual: Some(theirs) }, RefOutcome::Moved]
        };
        assert_eq!(outcomes, expected, "round {round}");
    }
}

async fn rival(
    remote: &dyn GitRemote,
    local: &dyn GitRepo,
    parent: cfgupdater_core::CommitId,
    text: &str,
    round: i64,
) -> cfgupdater_core::CommitId {
    remote.fetch(&[branch("auto")], LONG).await.unwrap();
    commit(local, &[parent], &[("f", &format!("{text} {round}"))], round)
}
