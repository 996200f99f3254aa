//! The engine with a renderer in memory: what is rendered again, and who is blamed where nothing can be.
#![allow(clippy::unwrap_used, reason = "helpers of tests are not seen as tests by the lint")]

mod in_memory;

use std::sync::Arc;
use std::time::Duration;

use cfgupdater::core::{
    Announced, CommitId, End, GitRepo, NewCommit, ObjectFormat, PathSet, Policy, Relation, RenderFailure,
    RenderFailureKind, RequiredChecks, SetPolicy, TargetPolicy, TreeEdit, WavePolicy,
};
use cfgupdater::{Engine, RepoHandle, View};
use cfgupdater_testkit::memory::git::MemoryGitServer;
use cfgupdater_testkit::memory::{MemoryRenderer, MemoryServer};

use in_memory::{announce, connect, end, land, pass, push, wait_for};

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
    let (objects, backends) = connect(server, forge);
    let path = |path: &str| path.parse().unwrap();
    let renderer =
        MemoryRenderer::new(objects, path("images/staging/tags.json"), path("generated/images.json"));
    renderer.fail(failure);
    let backends = backends.with_renderer(Arc::new(renderer.clone()));
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
        announce(&self.repo, n).await
    }

    async fn wait_for(&self, what: &str, done: impl Fn(&View) -> bool) -> Arc<View> {
        wait_for(&self.repo, what, done).await
    }

    fn pass(&self, commit: CommitId) {
        pass(&self.forge, &self.repo, commit);
    }

    async fn land(&self, n: u8) -> Announced {
        land(&self.forge, &self.repo, n).await
    }
}

fn says(view: &View, text: &str) -> bool {
    view.why.iter().any(|reason| reason.text.contains(text))
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
