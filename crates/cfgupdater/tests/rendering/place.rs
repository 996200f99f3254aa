//! One repository with an engine, all of it in memory.

use std::sync::Arc;
use std::time::Duration;

use cfgupdater::core::{
    Announced, CommitId, ObjectFormat, PathSet, Policy, RequiredChecks, SetPolicy, TargetPolicy, WavePolicy,
};
use cfgupdater::{Engine, RepoHandle, View};
use cfgupdater_testkit::memory::git::MemoryGitServer;
use cfgupdater_testkit::memory::{MemoryRenderer, MemoryServer};

use crate::in_memory::{self, connect, push};

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
    let (objects, backends) = connect(server, forge);
    let path = |path: &str| path.parse().unwrap();
    let renderer =
        MemoryRenderer::new(objects, path("images/staging/tags.json"), path("generated/images.json"));
    prepare(&renderer);
    let backends = backends.with_renderer(Arc::new(renderer.clone()));
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
        in_memory::announce(&self.repo, n).await
    }

    pub(crate) async fn wait_for(&self, what: &str, done: impl Fn(&View) -> bool) -> Arc<View> {
        in_memory::wait_for(&self.repo, what, done).await
    }

    pub(crate) fn pass(&self, commit: CommitId) {
        in_memory::pass(&self.forge, &self.repo, commit);
    }

    pub(crate) async fn land(&self, n: u8) -> Announced {
        in_memory::land(&self.forge, &self.repo, n).await
    }
}

pub(crate) fn says(view: &View, text: &str) -> bool {
    view.why.iter().any(|reason| reason.text.contains(text))
}
