//! The engine with a renderer in memory: what is rendered again, and who is blamed where nothing can be.
#![allow(clippy::unwrap_used, reason = "helpers of tests are not seen as tests by the lint")]

use std::sync::Arc;
use std::time::Duration;

use cfgupdater::core::{
    Announced, Announcement, Answer, CommitId, End, GitRepo, Image, ImageMap, IntentId, NewCommit,
    ObjectFormat, PathSet, Policy, RefName, Relation, RenderFailure, RenderFailureKind, Request,
    RequiredChecks, SetPolicy, TargetPolicy, Timestamp, TreeEdit, TreeId, WavePolicy,
};
use cfgupdater::{Backends, Engine, RepoHandle, View};
use cfgupdater_testkit::conformance::forge::Posted;
use cfgupdater_testkit::memory::git::{MemoryGitServer, MemoryRemote, MemoryRepo};
use cfgupdater_testkit::memory::{MemoryForge, MemoryRenderer, MemoryServer};

const PATIENCE: Duration = Duration::from_mins(1);

/// One repository with an engine, all of it in memory.
struct Place {
    server: MemoryGitServer,
    forge: MemoryServer,
    renderer: MemoryRenderer,
    policy: Policy,
    engine: Engine,
    repo: RepoHandle,
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
    failure: Option<RenderFailure>,
) -> (Engine, RepoHandle, MemoryRenderer) {
    let local = MemoryRepo::new(ObjectFormat::Sha1);
    let path = |path: &str| path.parse().unwrap();
    let objects: Arc<dyn GitRepo> = Arc::new(local.clone());
    let renderer = MemoryRenderer::new(
        Arc::clone(&objects),
        path("images/staging/tags.json"),
        path("generated/images.json"),
    );
    renderer.fail(failure);
    let remote = MemoryRemote::new(server.clone(), local);
    let backends = Backends::new(objects, Arc::new(remote), Arc::new(MemoryForge::new(forge)))
        .with_renderer(Arc::new(renderer.clone()));
    let mut engine = Engine::new();
    let repo = engine.start("cfg-app".parse().unwrap(), policy.clone(), backends).unwrap();
    (engine, repo, renderer)
}

impl Place {
    fn new(verify: bool) -> Self {
        let (server, forge) = (MemoryGitServer::new(ObjectFormat::Sha1), MemoryServer::new());
        push(&server, "README", "hello\n", "feat: begin");
        let policy = policy(verify);
        let (engine, repo, renderer) = start(&server, &forge, &policy, None);
        Self { server, forge, renderer, policy, engine, repo }
    }

    /// Starts the service again, with nothing but what git holds and with a renderer that fails.
    async fn restart(self, failure: RenderFailure) -> Self {
        self.engine.stop().await;
        let (engine, repo, renderer) = start(&self.server, &self.forge, &self.policy, Some(failure));
        Self { renderer, engine, repo, ..self }
    }

    async fn announce(&self, n: u8) -> Announced {
        let (set, app_sha) = ("app".parse().unwrap(), format!("{n:02x}").repeat(20).parse().unwrap());
        let announcement = Announcement { set, app_sha, sequence: None, attempt: 1, images: images(n) };
        match self.repo.call("ci", Request::Announce(announcement)).await.unwrap() {
            Answer::Announced(announced) => announced,
            answer => panic!("{answer:?}"),
        }
    }

    async fn wait_for(&self, what: &str, done: impl Fn(&View) -> bool) -> Arc<View> {
        let view = self.repo.wait_for(PATIENCE, |view| done(view)).await;
        assert!(done(&view), "waited in vain for {what}: {:?}", view.why);
        view
    }

    fn pass(&self, commit: CommitId) {
        self.forge.add(commit, &Posted::new("status", "ci", "success"));
        self.repo.look();
    }

    async fn land(&self, n: u8) -> Announced {
        let announced = self.announce(n).await;
        self.pass(announced.commit.unwrap());
        let landed = |view: &View| matches!(end(view, announced.intent), Some(End::Landed { .. }));
        self.wait_for("its landing", landed).await;
        announced
    }
}

fn end(view: &View, id: IntentId) -> Option<End> {
    view.snapshot.as_ref()?.state.end_of(id).cloned()
}

fn says(view: &View, text: &str) -> bool {
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
fn push(server: &MemoryGitServer, path: &str, content: &str, message: &str) -> CommitId {
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

#[tokio::test]
async fn a_tool_that_vanished_blames_no_intent_although_the_base_was_rendered_before() {
    let place = Place::new(false);
    place.land(1).await;
    // What a make target says of a tool that isn't there can't be told from what it says of a bad tree.
    place.renderer.fail(Some(RenderFailure::new(RenderFailureKind::Tree, "jsonnet: not found")));
    let second = place.announce(2).await;
    assert_eq!((second.commit, second.end), (None, None));
    let view = place.wait_for("why it waits", |view| says(view, "jsonnet: not found")).await;
    assert_eq!(end(&view, second.intent), None);
    let third = place.announce(3).await;
    assert_eq!((third.commit, third.end), (None, None));
    // Once the tool is back, both get onto auto.
    place.renderer.fail(None);
    push(&place.server, "README", "the tool is back\n", "docs: it is back");
    let on_auto = |view: &View| view.snapshot.as_ref().is_some_and(|snapshot| snapshot.chain.len() == 2);
    place.wait_for("both on auto", on_auto).await;
    place.engine.stop().await;
}

#[tokio::test]
async fn what_was_rendered_before_is_not_rendered_again() {
    let place = Place::new(false);
    place.land(1).await;
    let second = place.announce(2).await;
    place.announce(3).await;
    let asked = place.renderer.asked();
    // A person removes what is generated: auto is rebuilt, and nothing else that rendering depends on has changed.
    push(&place.server, "generated/images.json", "by hand\n", "oops");
    let rebuilt = |view: &View| {
        let snapshot = view.snapshot.as_ref().unwrap();
        snapshot.relation == Relation::Ahead
            && snapshot.chain.len() == 2
            && snapshot.chain[0].id != second.commit.unwrap()
    };
    let view = place.wait_for("a rebuilt chain", rebuilt).await;
    assert_eq!(place.renderer.asked(), asked);
    assert!(view.counters.renders_reused >= 2, "{:?}", view.counters);
    // An input that changed is rendered: once for each intent.
    let before = view.snapshot.as_ref().unwrap().chain[0].id;
    push(&place.server, "README", "changed\n", "docs: more");
    let rebuilt = |view: &View| {
        let snapshot = view.snapshot.as_ref().unwrap();
        snapshot.relation == Relation::Ahead && snapshot.chain.len() == 2 && snapshot.chain[0].id != before
    };
    place.wait_for("a chain on the changed input", rebuilt).await;
    assert_eq!(place.renderer.asked(), asked + 2);
    place.engine.stop().await;
}

#[tokio::test]
async fn what_a_rendering_found_is_told_also_where_its_result_is_reused() {
    let place = Place::new(false);
    place.renderer.find(vec!["a stray file".to_owned()]);
    place.announce(1).await;
    place.wait_for("the finding", |view| says(view, "a stray file")).await;
    place.renderer.find(Vec::new());
    let asked = place.renderer.asked();
    push(&place.server, "generated/images.json", "by hand\n", "oops");
    let rebuilt = |view: &View| view.counters.renders_reused > 0 && says(view, "a stray file");
    place.wait_for("the finding once more", rebuilt).await;
    assert_eq!(place.renderer.asked(), asked);
    place.engine.stop().await;
}

#[tokio::test]
async fn a_tool_that_is_missing_after_a_restart_makes_no_commit_red() {
    let place = Place::new(true);
    let told = place.announce(1).await;
    let place = place.restart(RenderFailure::new(RenderFailureKind::Tree, "jsonnet: not found")).await;
    place.wait_for("why it waits", |view| says(view, "nobody is blamed")).await;
    place.pass(told.commit.unwrap());
    let view = place.repo.fresh_view(PATIENCE).await;
    assert_eq!(end(&view, told.intent), None);
    assert_eq!(view.snapshot.as_ref().unwrap().chain.len(), 1);
    place.renderer.fail(None);
    let landed = |view: &View| matches!(end(view, told.intent), Some(End::Landed { .. }));
    place.wait_for("its landing once the tool is back", landed).await;
    place.engine.stop().await;
}

#[tokio::test]
async fn a_commit_that_holds_something_else_is_red_where_stable_proves_the_renderer() {
    let place = Place::new(true);
    let told = place.announce(1).await;
    let repo = place.server.repo();
    let ours = repo.commit(&told.commit.unwrap()).unwrap();
    let blob = repo.write_blob(b"forged\n").unwrap();
    let edit = TreeEdit::file("generated/images.json".parse().unwrap(), blob);
    let identity = &place.policy.identity;
    let forged = NewCommit::new(
        repo.edit_tree(Some(&ours.tree), &[edit]).unwrap(),
        ours.parents.clone(),
        (&identity.name, &identity.email),
        ours.committed_at,
        ours.message.clone(),
    );
    let forged = repo.write_commit(&forged).unwrap();
    repo.set_ref(&place.policy.auto.to_ref(), Some(*forged.object_id()));
    for commit in [ours.parents[0], forged] {
        place.pass(commit);
    }
    let evicted = |view: &View| matches!(end(view, told.intent), Some(End::Evicted { evidence }) if evidence.commit == forged);
    place.wait_for("its eviction", evicted).await;
    place.engine.stop().await;
}
