//! One repository with an engine, all of it in memory.

use std::sync::Arc;
use std::time::Duration;

use cfgupdater::core::{
    Announced, Announcement, Answer, CommitId, End, GitRepo, Image, ImageMap, IntentId, NewCommit,
    ObjectFormat, PathSet, Policy, RefName, Request, RequiredChecks, SetPolicy, TargetPolicy, Timestamp,
    TreeEdit, TreeId, WavePolicy,
};
use cfgupdater::{Backends, Engine, RepoHandle, View};
use cfgupdater_testkit::conformance::forge::Posted;
use cfgupdater_testkit::memory::git::{MemoryGitServer, MemoryRemote, MemoryRepo};
use cfgupdater_testkit::memory::{MemoryForge, MemoryRenderer, MemoryServer};

pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// One repository with an engine, all of it in memory.
pub(crate) struct Place {
    pub(crate) server: MemoryGitServer,
    pub(crate) forge: MemoryServer,
    pub(crate) renderer: MemoryRenderer,
    pub(crate) policy: Policy,
    pub(crate) engine: Engine,
    pub(crate) repo: RepoHandle,
}

fn policy(verify: bool) -> Policy {
    let wave = WavePolicy::new("staging".parse().unwrap(), vec![TargetPolicy::new("one".parse().unwrap())]);
    let sets = vec![SetPolicy::new("app".parse().unwrap())];
    let mut policy = Policy::new("master".parse().unwrap(), sets, vec![wave]);
    policy.generated = PathSet::new(vec!["generated/**".parse().unwrap()]);
    policy.verify_generated = verify;
    policy.required = Some(RequiredChecks::named(["ci"]));
    policy.batch_window = Duration::ZERO;
    policy.resync = Duration::from_millis(200);
    policy
}

fn start(
    server: &MemoryGitServer,
    forge: &MemoryServer,
    policy: &Policy,
    prepare: impl FnOnce(&MemoryRenderer),
) -> (Engine, RepoHandle, MemoryRenderer) {
    let local = MemoryRepo::new(ObjectFormat::Sha1);
    let path = |path: &str| path.parse().unwrap();
    let objects: Arc<dyn GitRepo> = Arc::new(local.clone());
    let renderer = MemoryRenderer::new(
        Arc::clone(&objects),
        path("images/staging/tags.json"),
        path("generated/images.json"),
    );
    prepare(&renderer);
    let remote = MemoryRemote::new(server.clone(), local);
    let backends = Backends::new(objects, Arc::new(remote), Arc::new(MemoryForge::new(forge)))
        .with_renderer(Arc::new(renderer.clone()));
    let mut engine = Engine::new();
    let repo = engine.start("cfg-app".parse().unwrap(), policy.clone(), backends).unwrap();
    (engine, repo, renderer)
}

impl Place {
    pub(crate) fn new(verify: bool) -> Self {
        let (server, forge) = (MemoryGitServer::new(ObjectFormat::Sha1), MemoryServer::new());
        push(&server, "README", "hello\n", "feat: begin");
        let policy = policy(verify);
        let (engine, repo, renderer) = start(&server, &forge, &policy, |_| ());
        Self { server, forge, renderer, policy, engine, repo }
    }

    /// Starts the service again, with nothing but what git holds and with a renderer that was prepared.
    pub(crate) async fn restart(self, prepare: impl FnOnce(&MemoryRenderer)) -> Self {
        self.engine.stop().await;
        let (engine, repo, renderer) = start(&self.server, &self.forge, &self.policy, prepare);
        Self { renderer, engine, repo, ..self }
    }

    pub(crate) async fn announce(&self, n: u8) -> Announced {
        let (set, app_sha) = ("app".parse().unwrap(), format!("{n:02x}").repeat(20).parse().unwrap());
        let announcement = Announcement { set, app_sha, sequence: None, attempt: 1, images: images(n) };
        match self.repo.call("ci", Request::Announce(announcement)).await.unwrap() {
            Answer::Announced(announced) => announced,
            answer => panic!("{answer:?}"),
        }
    }

    pub(crate) async fn wait_for(&self, what: &str, done: impl Fn(&View) -> bool) -> Arc<View> {
        let view = self.repo.wait_for(PATIENCE, |view| done(view)).await;
        assert!(done(&view), "waited in vain for {what}: {:?}", view.why);
        view
    }

    pub(crate) fn pass(&self, commit: CommitId) {
        self.forge.add(commit, &Posted::new("status", "ci", "success"));
        self.repo.look();
    }

    pub(crate) async fn land(&self, n: u8) -> Announced {
        let announced = self.announce(n).await;
        self.pass(announced.commit.unwrap());
        let landed = |view: &View| matches!(end(view, announced.intent), Some(End::Landed { .. }));
        self.wait_for("its landing", landed).await;
        announced
    }
}

pub(crate) fn end(view: &View, id: IntentId) -> Option<End> {
    view.snapshot.as_ref()?.state.end_of(id).cloned()
}

pub(crate) fn says(view: &View, text: &str) -> bool {
    view.why.iter().any(|reason| reason.text.contains(text))
}

fn images(n: u8) -> ImageMap {
    let image = Image {
        digest: format!("r.example.com/web@sha256:{}", format!("{n:02x}").repeat(32)),
        tag: format!("r.example.com/web:v{n}"),
    };
    ImageMap::new([("web".parse().unwrap(), image)].into())
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
