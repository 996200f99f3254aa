//! Connections that end too early, and servers that never answer.

use cfgupdater_core::{CommitId, RefEdit, RefName, RefOutcome};

use super::{GitRemoteHarness, HasFaults, LONG, at, branch, push, rivals};

/// What a later listing says of a reference, as a caller settles what it couldn't know.
async fn looked_up(harness: &impl GitRemoteHarness, name: &RefName) -> Option<CommitId> {
    let listed = harness.remote().ls_remote(std::slice::from_ref(name), LONG).await.unwrap();
    listed.get(name).copied()
}

/// A push whose answer never came and that changed nothing may yet change something: only a later look settles it.
pub async fn a_push_cut_before_it_was_taken_is_settled_by_looking(harness: &impl HasFaults) {
    let [_, ours, _] = rivals(harness).await;
    let auto = branch("auto");
    let edit = [RefEdit::exact(auto.clone(), None, Some(ours))];
    harness.cut(false);
    let outcome = push(harness, &edit).await;
    assert!(matches!(outcome[..], [RefOutcome::Indeterminate { .. }]), "{outcome:?}");
    assert_eq!(looked_up(harness, &auto).await, None);
    assert_eq!(push(harness, &edit).await, [RefOutcome::Moved], "the next one is not cut");
}

/// The reference tells that the push was taken, although nobody said so.
pub async fn a_push_cut_after_it_was_taken_has_moved(harness: &impl HasFaults) {
    let [_, ours, _] = rivals(harness).await;
    harness.cut(true);
    let edit = [RefEdit::exact(branch("auto"), None, Some(ours))];
    assert_eq!(push(harness, &edit).await, [RefOutcome::Moved]);
    assert_eq!(at(harness, &branch("auto")), Some(ours));
}

/// A server that thinks longer than the deadline leaves the outcome open.
pub async fn a_push_past_its_deadline_is_indeterminate(harness: &impl HasFaults) {
    let [_, ours, _] = rivals(harness).await;
    harness.stall(false);
    let edit = [RefEdit::exact(branch("auto"), None, Some(ours))];
    let outcome = harness.remote().push(&edit, harness.patience()).await.unwrap();
    assert!(matches!(outcome[..], [RefOutcome::Indeterminate { .. }]), "{outcome:?}");
    assert_eq!(looked_up(harness, &branch("auto")).await, None);
}

/// A server that took the push and then said nothing has taken it.
pub async fn a_push_taken_before_its_deadline_has_moved(harness: &impl HasFaults) {
    let [_, ours, _] = rivals(harness).await;
    harness.stall(true);
    let edit = [RefEdit::exact(branch("auto"), None, Some(ours))];
    let outcome = harness.remote().push(&edit, harness.patience()).await.unwrap();
    assert_eq!(outcome, [RefOutcome::Moved]);
    assert_eq!(at(harness, &branch("auto")), Some(ours));
}
