//! An embedding service whose process dies at a push of its choice: `crashing URL DIRECTORY [before|after N]`. With
//! `libgit2` in place of that it lives, on the other git engine.
//!
//! It announces two builds, plays CI and the deploy tool, and ends with status 0 once both waves have build 2. The death
//! is injected in the remote that the engine is given, not in the product.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use cfgupdater::core::{
    Announcement, AppSha, CheckState, Claim, DeploymentReport, DeploymentStatus, Error, ForgeAction,
    GitRemote, ImageMap, Policy, RefEdit, RefMap, RefName, RefOutcome, Release, Request, RequiredChecks,
    SetPolicy, TargetPolicy, Verdict, WavePolicy,
};
use cfgupdater::{Backends, Engine, RepoHandle};
use cfgupdater_forge_local::{LocalForge, LocalForgeSettings};
use cfgupdater_git_backend::{self as git_backend, Mirror, MirrorSettings, RemoteSettings};
use cfgupdater_tests::{app_sha, images};

const MINUTE: Duration = Duration::from_mins(1);

/// When to die.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Death {
    Never,
    Before(usize),
    After(usize),
}

/// A remote that ends the process at a push.
#[derive(Debug)]
struct Deadly {
    mirror: Arc<Mirror>,
    pushes: AtomicUsize,
    death: Death,
}

#[async_trait::async_trait]
impl GitRemote for Deadly {
    async fn ls_remote(&self, names: &[RefName], deadline: Duration) -> Result<RefMap, Error> {
        self.mirror.ls_remote(names, deadline).await
    }

    async fn fetch(&self, names: &[RefName], deadline: Duration) -> Result<RefMap, Error> {
        self.mirror.fetch(names, deadline).await
    }

    async fn push(&self, edits: &[RefEdit], deadline: Duration) -> Result<Vec<RefOutcome>, Error> {
        let number = self.pushes.fetch_add(1, Ordering::SeqCst);
        if self.death == Death::Before(number) {
            std::process::abort();
        }
        let outcomes = self.mirror.push(edits, deadline).await;
        if self.death == Death::After(number) {
            std::process::abort();
        }
        outcomes
    }

    async fn head_branch(&self, deadline: Duration) -> Result<Option<RefName>, Error> {
        self.mirror.head_branch(deadline).await
    }
}

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, directory, rest @ ..] = arguments.as_slice() else {
        panic!("crashing URL DIRECTORY [WHEN N | libgit2]")
    };
    let death = match rest {
        [when, number] => {
            let number = number.parse().expect("a number");
            if when == "before" { Death::Before(number) } else { Death::After(number) }
        }
        _ => Death::Never,
    };
    let objects = if rest == ["libgit2"] { git_backend::Engine::Libgit2 } else { git_backend::Engine::Gix };
    let mut engine = Engine::new();
    let repo = start(&mut engine, url, (Path::new(directory), objects), death).await;
    for n in [1, 2] {
        announce(&repo, n).await;
    }
    play(&repo, release(2)).await;
    engine.stop().await;
}

async fn start(
    engine: &mut Engine,
    url: &str,
    (directory, objects): (&Path, git_backend::Engine),
    death: Death,
) -> RepoHandle {
    let settings =
        MirrorSettings::new(directory.join("mirror.git"), RemoteSettings::new(url.parse().expect("a URL")))
            .with_engine(objects);
    let mirror = Arc::new(Mirror::open(settings, MINUTE).await.expect("the remote is there"));
    let remote = Arc::new(Deadly { mirror: mirror.clone(), pushes: AtomicUsize::new(0), death });
    let settings =
        LocalForgeSettings::new(directory.join("scratch"), "https://checks.example.com", "crashing");
    let forge = Arc::new(LocalForge::new(mirror.clone(), remote.clone(), settings, Arc::new(|| ())));
    let backends = Backends::new(mirror, remote, forge);
    engine.start("cfg-app".parse().expect("a name"), policy(), backends).expect("a policy to work by")
}

fn policy() -> Policy {
    let wave = |name: &str, target: &str| {
        let target = TargetPolicy::new(target.parse().expect("a name"));
        WavePolicy::new(name.parse().expect("a name"), vec![target])
    };
    let waves = vec![wave("staging", "staging-1"), wave("production", "prod-1")];
    let sets = vec![SetPolicy::new("app".parse().expect("a name"))];
    let mut policy = Policy::new("master".parse().expect("a name"), sets, waves);
    policy.required = Some(RequiredChecks::named(["ci"]));
    policy.batch_window = Duration::from_millis(5);
    policy
}

fn image_map(n: u32) -> ImageMap {
    serde_json::from_value(images(&["Service1"], n)).expect("images")
}

fn release(n: u32) -> Release {
    image_map(n).release()
}

/// Announces a build as CI does: again and again until it is taken.
async fn announce(repo: &RepoHandle, n: u32) {
    let app_sha: AppSha = app_sha(n).parse().expect("a SHA");
    let (set, images) = ("app".parse().expect("a name"), image_map(n));
    let announced = Announcement { set, app_sha, sequence: None, attempt: 1, images };
    while repo.call("ci", Request::Announce(announced.clone())).await.is_err() {}
}

/// Plays CI and the deploy tool until every wave has a release.
async fn play(repo: &RepoHandle, goal: Release) {
    loop {
        let view = repo.fresh_view(MINUTE).await;
        let Some(read) = view.snapshot.clone() else { continue };
        for commit in read.chain.iter().map(|commit| commit.id).chain([read.branches.stable]) {
            if read.verdict_of(&commit) != Verdict::Green {
                pass(repo, commit).await;
            }
        }
        let has = |wave: &WavePolicy| {
            let slot = (wave.name.clone(), "app".parse().expect("a name"));
            read.history.latest(&slot).and_then(|latest| latest.release) == Some(goal)
        };
        if view.policy.waves.iter().all(has) && read.state.live().is_empty() {
            return;
        }
        for wave in view.policy.waves.iter().filter(|wave| has(wave)) {
            report(repo, wave, goal).await;
        }
    }
}

async fn pass(repo: &RepoHandle, commit: cfgupdater::core::CommitId) {
    let (context, source) = ("ci".to_owned(), "test".to_owned());
    let state = CheckState::Success;
    let report = ForgeAction::ReportCheck { commit, context, state, source, link: None, summary: None };
    repo.forge().perform(report).await.expect("results are taken");
}

async fn report(repo: &RepoHandle, wave: &WavePolicy, release: Release) {
    let report = DeploymentReport {
        wave: wave.name.clone(),
        target: wave.targets[0].name.clone(),
        status: DeploymentStatus::Succeeded,
        claim: Claim::Release(release),
        set: None,
        observed_at: None,
    };
    // A report that is refused now is made again in the next round.
    let _ = repo.call("deployer", Request::Report(report)).await;
}
