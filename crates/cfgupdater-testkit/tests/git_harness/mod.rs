//! A server in memory with two clients, right or wrong ones, as the suite of remotes asks for it.

use std::time::Duration;

use cfgupdater_core::{CommitId, GitRemote, GitRepo, ObjectFormat, RefName};
use cfgupdater_testkit::conformance::git_remote::{GitRemoteHarness, HasFaults, HasHooks, TakesEditsSingly};
use cfgupdater_testkit::memory::git::{Fault, MemoryGitServer, MemoryRemote, MemoryRepo};

pub(crate) struct Harness<R> {
    pub(crate) server: MemoryGitServer,
    pub(crate) clients: [(R, MemoryRepo); 2],
}

impl<R> Harness<R> {
    /// Makes an empty server, and clients of it by way of the right one.
    pub(crate) fn new(format: ObjectFormat, client: impl Fn(MemoryRemote, &MemoryGitServer) -> R) -> Self {
        let server = MemoryGitServer::new(format);
        let make = || {
            let local = MemoryRepo::new(format);
            (client(MemoryRemote::new(server.clone(), local.clone()), &server), local)
        };
        Self { clients: [make(), make()], server }
    }
}

impl<R: GitRemote> GitRemoteHarness for Harness<R> {
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

impl<R: GitRemote> HasHooks for Harness<R> {
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

impl<R: GitRemote> TakesEditsSingly for Harness<R> {
    fn take_edits_singly(&self) {
        self.server.take_edits_singly();
    }
}

impl<R: GitRemote> HasFaults for Harness<R> {
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
