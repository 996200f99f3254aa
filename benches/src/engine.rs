//! The contender that is the product: the engine on its real backends, wired as the service wires them.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use cfgupdater::core::{
    Answer, Forge, GitRepo, IntentId, Operation, Outcome, PathSet, Policy, Renderer, Request, RequiredChecks,
    SetPolicy, TargetPolicy, WavePolicy,
};
use cfgupdater::{Backends, Counters, Engine, RepoHandle};
use cfgupdater_forge_local::{LocalForge, LocalForgeSettings};
use cfgupdater_git_backend::{Mirror, MirrorSettings, RemoteSettings, RemoteUrl};

use crate::Result;
use crate::announcements::Build;
use crate::config_repository::{WAVES, url};
use crate::cpu::Cpu;
use crate::shell::Took;

/// How long anything may take before the benchmark gives up.
const PATIENCE: Duration = Duration::from_mins(1);

/// How long nothing must have happened for the engine to be quiet.
const QUIET: Duration = Duration::from_millis(60);

/// A running engine with its remote.
#[derive(Debug)]
pub struct Contender {
    engine: Engine,
    handle: RepoHandle,
    remote: PathBuf,
}

/// What one announcement took, and what the engine did for it.
#[derive(Debug, Clone, Copy)]
pub struct Introduced {
    /// Until the answer, and until the engine was quiet again.
    pub took: Took,
    /// Processor time until the answer alone.
    pub cpu_until_answer: Duration,
    /// Readings of the repository.
    pub observations: u64,
    /// Writes of the state branch.
    pub writes: u64,
}

impl Contender {
    /// Starts the engine with its files in `directory`.
    ///
    /// # Errors
    /// Fails where a backend can't be opened.
    pub async fn start(remote: PathBuf, directory: &Path, batch_window: Duration) -> Result<Self> {
        let policy = policy(batch_window)?;
        Self::start_on(remote, directory, policy, |_| Ok(None)).await
    }

    /// Starts the engine with a renderer.
    ///
    /// # Errors
    /// Fails where a backend can't be opened.
    pub async fn start_rendering(
        remote: PathBuf,
        directory: &Path,
        generated: PathSet,
        renderer: impl FnOnce(Arc<dyn GitRepo>) -> Result<Arc<dyn Renderer>>,
    ) -> Result<Self> {
        let mut policy = policy(Duration::ZERO)?;
        policy.generated = generated;
        Self::start_on(remote, directory, policy, |objects| renderer(objects).map(Some)).await
    }

    async fn start_on(
        remote: PathBuf,
        directory: &Path,
        policy: Policy,
        renderer: impl FnOnce(Arc<dyn GitRepo>) -> Result<Option<Arc<dyn Renderer>>>,
    ) -> Result<Self> {
        let address: RemoteUrl = url(&remote).parse()?;
        let settings = MirrorSettings::new(directory.join("mirror.git"), RemoteSettings::new(address));
        let mirror = Arc::new(Mirror::open(settings, PATIENCE).await?);
        let told: Arc<OnceLock<RepoHandle>> = Arc::default();
        let look = Arc::clone(&told);
        let on_change = Arc::new(move || look.get().into_iter().for_each(RepoHandle::look));
        let settings = LocalForgeSettings::new(directory.join("scratch"), "http://127.0.0.1", "bench");
        let forge: Arc<dyn Forge> =
            Arc::new(LocalForge::new(mirror.clone(), mirror.clone(), settings, on_change));
        let mut engine = Engine::new();
        let renderer = renderer(mirror.clone())?;
        let mut backends = Backends::new(mirror.clone(), mirror, forge);
        backends.renderer = renderer;
        let handle = engine.start("cfg-app".parse()?, policy, backends)?;
        Ok(Self { engine, handle: told.get_or_init(|| handle).clone(), remote })
    }

    /// Announces a build, waits for `committed`, then until nothing is going on any more.
    ///
    /// # Errors
    /// Fails on any other answer.
    pub async fn introduce(&self, build: Build) -> Result<Introduced> {
        let request = Request::Announce(build.announcement()?);
        let before = self.counters();
        let (cpu, start) = (Cpu::spent()?, Instant::now());
        let answer = self.handle.call("bench", request).await?;
        let (latency, cpu_until_answer) = (start.elapsed(), Cpu::spent()? - cpu);
        // The reading that follows each write is still under way.
        let read = self.counters().observations;
        let Answer::Announced(told) = answer else { return Err("an unexpected kind of answer".into()) };
        if told.outcome != Outcome::Committed {
            return Err(format!("the announcement ended as {:?}", told.outcome).into());
        }
        let after = self.quiet(read + 1).await;
        Ok(Introduced {
            took: Took { latency, cpu: Cpu::spent()? - cpu },
            cpu_until_answer,
            observations: after.observations - before.observations,
            writes: after.writes - before.writes,
        })
    }

    /// Announces a build and returns its intent once it is on auto.
    ///
    /// # Errors
    /// Fails on any other answer.
    pub async fn announce(&self, build: Build) -> Result<IntentId> {
        match self.handle.call("bench", Request::Announce(build.announcement()?)).await? {
            Answer::Announced(told) if told.outcome == Outcome::Committed => Ok(told.intent),
            answer => Err(format!("the announcement ended as {answer:?}").into()),
        }
    }

    /// Takes an intent back.
    ///
    /// # Errors
    /// Fails where it is refused.
    pub async fn withdraw(&self, intent: IntentId) -> Result<()> {
        let operation = Operation::Withdraw { intent, reason: "the benchmark takes it back".to_owned() };
        self.handle.call("bench", Request::Operate(operation)).await?;
        Ok(())
    }

    /// Waits until the engine has done all that there is to do, and at least this many readings.
    pub async fn quiet(&self, observations: u64) -> Counters {
        self.handle.wait_for(PATIENCE, |view| view.counters.observations >= observations).await;
        loop {
            let before = self.counters();
            tokio::time::sleep(QUIET).await;
            if self.counters() == before {
                return before;
            }
        }
    }

    /// Returns the remote.
    pub fn remote(&self) -> &Path {
        &self.remote
    }

    /// Stops the engine.
    pub async fn stop(self) {
        self.engine.stop().await;
    }

    fn counters(&self) -> Counters {
        self.handle.view().counters
    }
}

/// Three waves and one required check, which never reports: what is introduced stays on auto, as in the shell flows.
fn policy(batch_window: Duration) -> Result<Policy> {
    let mut waves = Vec::new();
    for wave in WAVES {
        waves.push(WavePolicy::new(wave.parse()?, vec![TargetPolicy::new(format!("{wave}-1").parse()?)]));
    }
    let mut policy = Policy::new("master".parse()?, vec![SetPolicy::new("app".parse()?)], waves);
    policy.required = Some(RequiredChecks::named(["ci"]));
    policy.batch_window = batch_window;
    Ok(policy)
}
