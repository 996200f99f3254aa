//! What tests of the engine with backends in memory share.

use std::sync::Arc;
use std::time::Duration;

use cfgupdater::core::{
    Announced, Announcement, Answer, CommitId, End, GitRepo, Image, ImageMap, IntentId, NewCommit,
    ObjectFormat, RefName, Request, Timestamp, TreeEdit, TreeId,
};
use cfgupdater::{Backends, RepoHandle, View};
use cfgupdater_testkit::conformance::forge::Posted;
use cfgupdater_testkit::memory::git::{MemoryGitServer, MemoryRemote, MemoryRepo};
use cfgupdater_testkit::memory::{MemoryForge, MemoryServer};

pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// Connects to a remote and a forge, with local objects of one's own.
pub(crate) fn connect(server: &MemoryGitServer, forge: &MemoryServer) -> (Arc<dyn GitRepo>, Backends) {
    let local = MemoryRepo::new(ObjectFormat::Sha1);
    let objects: Arc<dyn GitRepo> = Arc::new(local.clone());
    let remote = MemoryRemote::new(server.clone(), local);
    let forge = Arc::new(MemoryForge::new(forge));
    (Arc::clone(&objects), Backends::new(objects, Arc::new(remote), forge))
}

/// Commits one file to stable, as a person does.
pub(crate) fn push(server: &MemoryGitServer, path: &str, content: &str, message: &str) -> CommitId {
    let repo = server.repo();
    let master: RefName = "refs/heads/master".parse().unwrap();
    let tip = repo.resolve(&master).unwrap();
    let base: Option<TreeId> = tip.map(|tip| repo.commit(&tip).unwrap().tree);
    let blob = repo.write_blob(content.as_bytes()).unwrap();
    let tree = repo.edit_tree(base.as_ref(), &[TreeEdit::file(path.parse().unwrap(), blob)]).unwrap();
    let commit = NewCommit::new(
        tree,
        tip.into_iter().collect(),
        ("Pat", "pat@example.com"),
        Timestamp::from_millis(1_700_000_000_000),
        message.to_owned(),
    );
    let commit = repo.write_commit(&commit).unwrap();
    repo.set_ref(&master, Some(*commit.object_id()));
    commit
}

/// Announces build `n`.
pub(crate) async fn announce(repo: &RepoHandle, n: u8) -> Announced {
    let (set, app_sha) = ("app".parse().unwrap(), format!("{n:02x}").repeat(20).parse().unwrap());
    let announcement = Announcement { set, app_sha, sequence: None, attempt: 1, images: images(n) };
    match repo.call("ci", Request::Announce(announcement)).await.unwrap() {
        Answer::Announced(announced) => announced,
        answer => panic!("{answer:?}"),
    }
}

/// Reports a commit as green.
pub(crate) fn pass(forge: &MemoryServer, repo: &RepoHandle, commit: CommitId) {
    forge.add(commit, &Posted::new("status", "ci", "success"));
    repo.look();
}

/// Waits until a view satisfies `done`.
pub(crate) async fn wait_for(repo: &RepoHandle, what: &str, done: impl Fn(&View) -> bool) -> Arc<View> {
    let view = repo.wait_for(PATIENCE, |view| done(view)).await;
    assert!(done(&view), "waited in vain for {what}: {:?}", view.why);
    view
}

/// Announces build `n` and waits until it has landed.
pub(crate) async fn land(forge: &MemoryServer, repo: &RepoHandle, n: u8) -> Announced {
    let announced = announce(repo, n).await;
    pass(forge, repo, announced.commit.unwrap());
    let landed = |view: &View| matches!(end(view, announced.intent), Some(End::Landed { .. }));
    wait_for(repo, "its landing", landed).await;
    announced
}

/// Returns how an intent ended, as far as a view tells.
pub(crate) fn end(view: &View, id: IntentId) -> Option<End> {
    view.snapshot.as_ref()?.state.end_of(id).cloned()
}

fn images(n: u8) -> ImageMap {
    let image = Image {
        digest: format!("r.example.com/web@sha256:{}", format!("{n:02x}").repeat(32)),
        tag: format!("r.example.com/web:v{n}"),
    };
    ImageMap::new([("web".parse().unwrap(), image)].into())
}
