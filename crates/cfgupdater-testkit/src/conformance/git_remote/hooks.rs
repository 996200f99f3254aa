//! What the server has to say, and what others do while it thinks.

use cfgupdater_core::{ErrorKind, RefEdit, RefOutcome, Retry};

use super::{HasHooks, LONG, TakesEditsSingly, at, branch, push, rivals};
use crate::conformance::git_repo::commit;

fn reason(outcome: &RefOutcome) -> &str {
    match outcome {
        RefOutcome::Declined { reason } => reason,
        other => panic!("{other:?} was not declined"),
    }
}

/// What a hook says reaches the reason, without anything that a terminal would obey.
pub async fn a_hook_that_declines_is_quoted(harness: &impl HasHooks) {
    let [root, ours, _] = rivals(harness).await;
    harness.decline_pushes("policy: no images here");
    for edit in
        [RefEdit::fast_forward(branch("master"), ours), RefEdit::exact(branch("auto"), None, Some(ours))]
    {
        let outcome = push(harness, &[edit]).await;
        assert!(reason(&outcome[0]).contains("policy: no images here"), "{outcome:?}");
        assert!(!reason(&outcome[0]).contains(|c: char| c.is_control() && c != '\n'), "{outcome:?}");
    }
    assert_eq!(at(harness, &branch("master")), Some(root));
    assert_eq!(at(harness, &branch("auto")), None);
}

/// In an atomic push, the edits that failed only beside another one say so.
pub async fn a_guilty_edit_is_told_from_its_victims(harness: &impl HasHooks) {
    let [_, ours, _] = rivals(harness).await;
    harness.decline_updates(&branch("auto"), "protected");
    let edits = ["state", "auto"].map(|name| RefEdit::exact(branch(name), None, Some(ours)));
    let outcome = push(harness, &edits).await;
    assert_eq!(outcome[0], RefOutcome::Aborted);
    assert!(reason(&outcome[1]).contains("protected"), "{outcome:?}");
    assert_eq!(at(harness, &branch("state")), None);
}

/// Where all were declined alike, nobody knows which edit is guilty.
pub async fn a_hook_that_declines_all_makes_no_victims(harness: &impl HasHooks) {
    let [_, ours, _] = rivals(harness).await;
    harness.decline_pushes("closed");
    let edits = ["a", "b"].map(|name| RefEdit::exact(branch(name), None, Some(ours)));
    for outcome in push(harness, &edits).await {
        assert!(reason(&outcome).contains("closed"), "{outcome:?}");
    }
}

/// A server may insist on fast-forwards, whatever the lease says.
pub async fn a_server_that_denies_rewinding_declines(harness: &impl HasHooks) {
    let [root, ours, _] = rivals(harness).await;
    harness.deny_rewinding();
    let auto = branch("auto");
    assert_eq!(push(harness, &[RefEdit::exact(auto.clone(), None, Some(ours))]).await, [RefOutcome::Moved]);
    let outcome = push(harness, &[RefEdit::exact(auto.clone(), Some(ours), Some(root))]).await;
    assert!(reason(&outcome[0]).contains("non-fast-forward"), "{outcome:?}");
    assert_eq!(at(harness, &auto), Some(ours));
}

/// A reference that moves between the advertisement and the update belongs to whoever moved it.
pub async fn a_race_lost_at_the_server_is_stale(harness: &impl HasHooks) {
    let [root, ours, theirs] = rivals(harness).await;
    let auto = branch("auto");
    harness.set_ref(&auto, Some(root));
    harness.race(&auto, &theirs);
    let outcome = push(harness, &[RefEdit::exact(auto.clone(), Some(root), Some(ours))]).await;
    assert_eq!(outcome, [RefOutcome::Stale { actual: Some(theirs) }]);
    assert_eq!(at(harness, &auto), Some(theirs));
}

/// Whoever moved the reference a part of the way was quicker: nobody refused anything, and the rest may be pushed again.
pub async fn a_fast_forward_race_lost_to_an_ancestor_is_stale(harness: &impl HasHooks) {
    let [root, _, _] = rivals(harness).await;
    let half = |repo| commit(repo, &[root], &[("f", "half")], 4);
    let halfway = half(harness.local());
    assert_eq!(half(harness.server()), halfway);
    let ours = commit(harness.local(), &[halfway], &[("f", "whole")], 5);
    harness.race(&branch("master"), &halfway);
    let edit = [RefEdit::fast_forward(branch("master"), ours)];
    assert_eq!(push(harness, &edit).await, [RefOutcome::Stale { actual: Some(halfway) }]);
    assert_eq!(at(harness, &branch("master")), Some(halfway));
}

/// Who finds a reference locked was not refused: the call fails, nothing moved, and it is tried again later.
pub async fn a_lock_at_the_server_is_no_refusal(harness: &impl HasHooks) {
    let [root, ours, _] = rivals(harness).await;
    let together = ["state", "auto"].map(|name| RefEdit::exact(branch(name), None, Some(ours)));
    let alone = [RefEdit::exact(branch("auto"), None, Some(ours))];
    harness.lock(&branch("auto"), true);
    for edits in [&together[..], &alone[..]] {
        let error = harness.remote().push(edits, LONG).await.unwrap_err();
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Unavailable, Retry::Backoff), "{error}");
    }
    assert_eq!((at(harness, &branch("state")), at(harness, &branch("master"))), (None, Some(root)));
    harness.lock(&branch("auto"), false);
    assert_eq!(push(harness, &together).await, [RefOutcome::Moved, RefOutcome::Moved]);
}

/// A branch can't be beside a directory of its name.
pub async fn names_that_can_not_exist_together_are_declined(harness: &impl HasHooks) {
    let [root, ours, _] = rivals(harness).await;
    harness.set_ref(&branch("auto"), Some(root));
    let outcome = push(harness, &[RefEdit::exact(branch("auto/1"), None, Some(ours))]).await;
    assert!(!reason(&outcome[0]).is_empty(), "{outcome:?}");
    assert_eq!((at(harness, &branch("auto")), at(harness, &branch("auto/1"))), (Some(root), None));
}

/// Without atomic pushes the edits are sent one after the other, and none after the first that doesn't move.
pub async fn without_atomic_pushes_nothing_moves_after_what_failed(harness: &impl TakesEditsSingly) {
    let [_, ours, theirs] = rivals(harness).await;
    harness.take_edits_singly();
    harness.set_ref(&branch("state"), Some(theirs));
    let edits = ["state", "auto"].map(|name| RefEdit::exact(branch(name), None, Some(ours)));
    let outcome = push(harness, &edits).await;
    assert_eq!(outcome, [RefOutcome::Stale { actual: Some(theirs) }, RefOutcome::Aborted]);
    assert_eq!(at(harness, &branch("auto")), None);
}

/// A server without atomic pushes takes what it is sent; what wasn't sent because of another edit is aborted.
pub async fn without_atomic_pushes_each_edit_has_its_own_outcome(harness: &impl TakesEditsSingly) {
    let [_, ours, theirs] = rivals(harness).await;
    harness.take_edits_singly();
    harness.set_ref(&branch("auto"), Some(theirs));
    let edits = ["state", "auto"].map(|name| RefEdit::exact(branch(name), None, Some(ours)));
    let outcome = push(harness, &edits).await;
    let sent = at(harness, &branch("state")) == Some(ours);
    assert_eq!(outcome[0], if sent { RefOutcome::Moved } else { RefOutcome::Aborted });
    assert_eq!(outcome[1], RefOutcome::Stale { actual: Some(theirs) });
    let edits = ["x", "y"].map(|name| RefEdit::exact(branch(name), None, Some(ours)));
    assert_eq!(push(harness, &edits).await, [RefOutcome::Moved, RefOutcome::Moved]);
}
