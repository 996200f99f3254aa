//! The remote in memory passes the suite that real ones pass, and is stricter where git is lenient.
#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod git_harness;

use cfgupdater_core::{
    CommitId, ErrorKind, GitRemote, GitRepo, NewCommit, ObjectFormat, RefEdit, RefName, RefOutcome, Timestamp,
};
use cfgupdater_testkit::conformance::git_remote::{GitRemoteHarness, LONG};
use cfgupdater_testkit::git_remote_conformance;
use cfgupdater_testkit::memory::git::{Fault, MemoryRemote, MemoryRepo};

use git_harness::Harness;

fn harness(format: ObjectFormat) -> Harness<MemoryRemote> {
    Harness::new(format, |remote, _| remote)
}

git_remote_conformance!(sha1, harness(ObjectFormat::Sha1), hooks, single_edits, faults);
git_remote_conformance!(sha256, harness(ObjectFormat::Sha256), hooks, single_edits, faults);

fn auto() -> RefName {
    "refs/heads/auto".parse().unwrap()
}

fn commit(repo: &MemoryRepo, message: &str) -> CommitId {
    let tree = repo.edit_tree(None, &[]).unwrap();
    let who = ("T", "t@example.org");
    repo.write_commit(&NewCommit::new(tree, vec![], who, Timestamp::default(), message.to_owned())).unwrap()
}

#[tokio::test]
async fn what_git_would_let_pass_fails() {
    let harness = harness(ObjectFormat::Sha1);
    let (remote, local) = &harness.clients[0];
    let twice = remote.ls_remote(&[auto(), auto()], LONG).await.unwrap_err();
    assert_eq!(twice.kind(), ErrorKind::Invalid);

    let (ours, never_seen) = (commit(local, "ours"), commit(harness.server.repo(), "theirs"));
    harness.set_ref(&auto(), Some(never_seen));
    let blind = [RefEdit::exact(auto(), Some(never_seen), Some(ours))];
    assert_eq!(remote.push(&blind, LONG).await.unwrap_err().kind(), ErrorKind::Invalid);
    remote.ls_remote(&[auto()], LONG).await.unwrap();
    assert_eq!(remote.push(&blind, LONG).await.unwrap(), [RefOutcome::Moved]);

    let parent = commit(local, "parent");
    let tree = local.commit(&parent).unwrap().tree;
    let who = ("T", "t@example.org");
    let child = NewCommit::new(tree, vec![parent], who, Timestamp::default(), "child".to_owned());
    let child = local.write_commit(&child).unwrap();
    local.lose(parent.object_id());
    let torn = [RefEdit::exact("refs/heads/torn".parse().unwrap(), None, Some(child))];
    assert_eq!(remote.push(&torn, LONG).await.unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn faults_happen_once_and_in_order() {
    let harness = harness(ObjectFormat::Sha1);
    let (remote, local) = &harness.clients[0];
    for fault in [Fault::Unreachable, Fault::Blind { taken: true }, Fault::Silent] {
        harness.server.inject(fault);
    }
    let names = [auto()];
    assert_eq!(remote.fetch(&names, LONG).await.unwrap_err().kind(), ErrorKind::Unavailable);
    let edit = [RefEdit::exact(auto(), None, Some(commit(local, "ours")))];
    let outcome = remote.push(&edit, LONG).await.unwrap();
    assert!(matches!(outcome[..], [RefOutcome::Indeterminate { .. }]), "{outcome:?}");
    assert_eq!(remote.ls_remote(&names, LONG).await.unwrap_err().kind(), ErrorKind::TimedOut);
    assert_eq!(remote.ls_remote(&names, LONG).await.unwrap().len(), 1, "the push was taken");
}
