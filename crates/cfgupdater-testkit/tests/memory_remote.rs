//! The remote in memory passes the suite that real ones pass, and is stricter where git is lenient.
#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

use std::time::Duration;

use cfgupdater_core::{
    CommitId, ErrorKind, GitRemote, GitRepo, NewCommit, ObjectFormat, RefEdit, RefName, RefOutcome, Timestamp,
};
use cfgupdater_testkit::conformance::git_remote::{
    GitRemoteHarness, HasFaults, HasHooks, LONG, TakesEditsSingly,
};
use cfgupdater_testkit::git_remote_conformance;
use cfgupdater_testkit::memory::git::{Fault, MemoryGitServer, MemoryRemote, MemoryRepo};

struct Harness {
    server: MemoryGitServer,
    clients: [(MemoryRemote, MemoryRepo); 2],
}

impl Harness {
    fn new(format: ObjectFormat) -> Self {
        let server = MemoryGitServer::new(format);
        let client = || {
            let local = MemoryRepo::new(format);
            (MemoryRemote::new(server.clone(), local.clone()), local)
        };
        Self { clients: [client(), client()], server }
    }
}

impl GitRemoteHarness for Harness {
    fn remote(&self) -> &dyn GitRemote {
        &self.clients[0].0
    }

    fn local(&self) -> &dyn GitRepo {
        &self.clients[0].1
    }

    fn other(&self) -> (&dyn GitRemote, &dyn GitRepo) {
        (&self.clients[1].0, &self.clients[1].1)
    }

    fn server(&self) -> &dyn GitRepo {
        self.server.repo()
    }

    fn set_ref(&self, name: &RefName, to: Option<CommitId>) {
        self.server.repo().set_ref(name, to.map(|id| *id.object_id()));
    }

    fn set_head(&self, branch: &RefName) {
        self.server.repo().set_head(branch.clone());
    }

    fn detach_head(&self, commit: &CommitId) {
        self.server.repo().detach_head(*commit);
    }
}

impl HasHooks for Harness {
    fn decline_pushes(&self, words: &str) {
        let words = words.to_owned();
        self.server.before_receiving(move |_| Err(words.clone()));
    }

    fn decline_updates(&self, name: &RefName, words: &str) {
        let (name, words) = (name.clone(), words.to_owned());
        self.server.before_updating(move |edit| if edit.name == name { Err(words.clone()) } else { Ok(()) });
    }

    fn deny_rewinding(&self) {
        self.server.deny_rewinding();
    }

    fn race(&self, name: &RefName, to: &CommitId) {
        self.server.inject(Fault::Race { name: name.clone(), to: Some(*to) });
    }

    fn lock(&self, name: &RefName, held: bool) {
        self.server.lock(name, held);
    }
}

impl TakesEditsSingly for Harness {
    fn take_edits_singly(&self) {
        self.server.take_edits_singly();
    }
}

impl HasFaults for Harness {
    fn cut(&self, taken: bool) {
        self.server.inject(Fault::Cut { taken });
    }

    fn stall(&self, taken: bool) {
        self.server.inject(if taken { Fault::Cut { taken } } else { Fault::Silent });
    }

    fn patience(&self) -> Duration {
        Duration::from_secs(1)
    }
}

git_remote_conformance!(sha1, Harness::new(ObjectFormat::Sha1), hooks, single_edits, faults);
git_remote_conformance!(sha256, Harness::new(ObjectFormat::Sha256), hooks, single_edits, faults);

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
    let harness = Harness::new(ObjectFormat::Sha1);
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
    let harness = Harness::new(ObjectFormat::Sha1);
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
