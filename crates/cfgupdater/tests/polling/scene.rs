//! A repository of two waves and the deploy tool of the first.

use std::sync::Arc;
use std::time::Duration;

use cfgupdater::core::{
    Answer, Claim, CommitId, DeploymentReport, DeploymentStatus, Deployments, Mode, ObjectFormat, Pace,
    Place, Policy, ReportAnswer, Request, RequiredChecks, SetPolicy, TargetPolicy, WavePolicy,
};
use cfgupdater::{Engine, RepoHandle, View};
use cfgupdater_testkit::conformance::deployments::Deployed;
use cfgupdater_testkit::memory::git::MemoryGitServer;
use cfgupdater_testkit::memory::{MemoryDeployments, MemoryServer};

use crate::in_memory::{connect, land, pass, push, wait_for};

/// The repository, its deploy tool and the engine that owns it, all of it in memory.
pub(crate) struct Scene {
    server: MemoryGitServer,
    forge: MemoryServer,
    policy: Policy,
    pub(crate) tool: MemoryDeployments,
    pub(crate) engine: Engine,
    pub(crate) repo: RepoHandle,
}

fn policy(targets: &[&str]) -> Policy {
    let wave = |name: &str, targets: &[&str]| {
        let targets = targets.iter().map(|name| TargetPolicy::new(name.parse().unwrap()));
        WavePolicy::new(name.parse().unwrap(), targets.collect())
    };
    let waves = vec![wave("staging", targets), wave("production", &["prod"])];
    let sets = vec![SetPolicy::new("app".parse().unwrap())];
    let mut policy = Policy::new("master".parse().unwrap(), sets, waves);
    policy.required = Some(RequiredChecks::named(["ci"]));
    policy.batch_window = Duration::ZERO;
    policy.resync = Duration::from_millis(50);
    policy
}

/// Returns a target of the first wave.
pub(crate) fn place(target: &str) -> Place {
    ("staging".parse().unwrap(), target.parse().unwrap())
}

impl Scene {
    /// Starts with a tool of some pace that knows the targets of both waves, none of which runs anything.
    pub(crate) fn start(pace: Pace, targets: &[&str]) -> Self {
        let tool = MemoryDeployments::new(pace);
        let production = ("production".parse().unwrap(), "prod".parse().unwrap());
        for place in targets.iter().map(|target| place(target)).chain([production]) {
            tool.deploy(&place, Deployed::UnderWay("ee".repeat(20).parse().unwrap()));
        }
        Self::with(tool.clone(), Arc::new(tool), targets)
    }

    /// Starts with an adapter of one's own.
    pub(crate) fn with(tool: MemoryDeployments, adapter: Arc<dyn Deployments>, targets: &[&str]) -> Self {
        let (server, forge) = (MemoryGitServer::new(ObjectFormat::Sha1), MemoryServer::new());
        push(&server, "README", "hello\n", "feat: begin");
        let policy = policy(targets);
        let (engine, repo) = run(&server, &forge, &policy, adapter);
        Self { server, forge, policy, tool, engine, repo }
    }

    /// Starts the service again, with nothing but what git holds.
    pub(crate) async fn restart(self, mode: Mode) -> Self {
        self.engine.stop().await;
        let policy = Policy { mode, ..self.policy };
        let (engine, repo) = run(&self.server, &self.forge, &policy, Arc::new(self.tool.clone()));
        Self { policy, engine, repo, ..self }
    }

    /// Lands build `n` in the first wave and returns its commit.
    pub(crate) async fn introduce(&self, n: u8) -> CommitId {
        land(&self.forge, &self.repo, n).await.commit.unwrap()
    }

    /// Lets a target of the first wave run a commit.
    pub(crate) fn runs(&self, target: &str, commit: CommitId) {
        self.tool.deploy(&place(target), Deployed::Runs(commit));
    }

    /// Reports by itself that a target of the first wave runs a commit, as a hook does.
    pub(crate) async fn push(&self, target: &str, commit: CommitId) -> ReportAnswer {
        let (wave, target) = place(target);
        let (status, claim) = (DeploymentStatus::Succeeded, Claim::Revision(commit));
        let report = DeploymentReport { wave, target, status, claim, set: None, observed_at: None };
        match self.repo.call("hook", Request::Report(report)).await.unwrap() {
            Answer::Reported(answer) => answer,
            answer => panic!("{answer:?}"),
        }
    }

    /// Waits for a promotion on auto and lands it.
    pub(crate) async fn promoted(&self) {
        let view = wait_for(&self.repo, "a promotion", |view| !chain(view).is_empty()).await;
        let commit = chain(&view)[0];
        pass(&self.forge, &self.repo, commit);
        let landed = |view: &View| view.snapshot.as_ref().unwrap().history.position(&commit).is_some();
        wait_for(&self.repo, "its landing", landed).await;
    }

    /// Waits until the repository was read some times more: whatever follows from what is known has been done.
    pub(crate) async fn quiet(&self) -> Arc<View> {
        let before = self.repo.view().counters.observations;
        wait_for(&self.repo, "more readings", |view| view.counters.observations > before + 4).await
    }

    /// Waits until something is so; looked at whenever the repository was read.
    pub(crate) async fn until(&self, what: &str, done: impl Fn() -> bool) {
        wait_for(&self.repo, what, |_| done()).await;
    }
}

fn run(
    server: &MemoryGitServer,
    forge: &MemoryServer,
    policy: &Policy,
    adapter: Arc<dyn Deployments>,
) -> (Engine, RepoHandle) {
    let (_, backends) = connect(server, forge);
    let mut engine = Engine::new();
    let backends = backends.with_deployments(vec![adapter]);
    let repo = engine.start("cfg-app".parse().unwrap(), policy.clone(), backends).unwrap();
    (engine, repo)
}

/// Lists what is on auto and has not landed.
pub(crate) fn chain(view: &View) -> Vec<CommitId> {
    let snapshot = view.snapshot.as_ref();
    snapshot.map(|snapshot| snapshot.chain.iter().map(|commit| commit.id).collect()).unwrap_or_default()
}
