//! Opens the configured repositories: at once where that works, again and again where it doesn't.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use cfgupdater::Engine;
use cfgupdater::core::{RepoName, explain};
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tracing::{info, warn};

use crate::config::{Config, Repo};
use crate::examining::examining;
use crate::renderers::Slots;
use crate::service::StartError;
use crate::slot::Slot;
use crate::wiring;

/// How long the start of the service waits for repositories that can't be opened.
const FIRST_ATTEMPTS: Duration = Duration::from_secs(5);

/// Longest pause between attempts.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// The repositories of a service, and the tasks that still try to open some of them.
#[derive(Debug)]
pub(crate) struct Opening {
    pub(crate) slots: BTreeMap<RepoName, Slot>,
    engine: Arc<Mutex<Engine>>,
    attempts: JoinSet<()>,
}

impl Opening {
    /// Begins to open every repository. A remote that is away keeps nobody from being served: its repository answers
    /// 503 until it is back.
    pub(crate) async fn start(config: Arc<Config>, address: SocketAddr) -> Result<Self, StartError> {
        let place = Arc::new(Place::prepare(&config, address)?);
        let mut opening = Self {
            slots: BTreeMap::new(),
            engine: Arc::new(Mutex::new(Engine::new())),
            attempts: JoinSet::new(),
        };
        for (index, repo) in config.file.repo.iter().enumerate() {
            let slot = Slot::default();
            opening.slots.insert(repo.name.get_ref().clone(), slot.clone());
            let (config, place, engine) = (config.clone(), place.clone(), opening.engine.clone());
            opening.attempts.spawn(async move {
                open(&config.file.repo[index], &config, &place, &engine, &slot).await;
            });
        }
        let all = async { while opening.attempts.join_next().await.is_some() {} };
        if tokio::time::timeout(FIRST_ATTEMPTS, all).await.is_err() {
            warn!("not every repository could be opened; the rest is served meanwhile");
        }
        Ok(opening)
    }

    /// Ends all attempts, and then the repositories that are open.
    pub(crate) async fn stop(mut self) {
        self.attempts.shutdown().await;
        std::mem::take(&mut *self.engine.lock().await).stop().await;
    }
}

/// What opening needs besides the configuration.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) data: PathBuf,
    /// What links in evidence start with.
    pub(crate) public_url: String,
    pub(crate) slots: Slots,
}

impl Place {
    fn prepare(config: &Config, address: SocketAddr) -> Result<Self, StartError> {
        let data = config.data_directory();
        let unusable = |source| StartError::DataDirectory { path: data.clone(), source };
        std::fs::create_dir_all(&data).map_err(unusable)?;
        // git runs in directories of its own, so every path it is given must be absolute.
        let absolute = data.canonicalize().map_err(unusable)?;
        let server = &config.file.server;
        let public_url = server.public_url.clone().unwrap_or_else(|| own_url(config, address));
        Ok(Self { data: absolute, public_url, slots: Slots::of(server) })
    }
}

/// Returns the URL of a service that no proxy stands before.
pub(crate) fn own_url(config: &Config, address: SocketAddr) -> String {
    let scheme = if config.tls().is_some() { "https" } else { "http" };
    format!("{scheme}://{address}")
}

async fn open(repo: &Repo, config: &Config, place: &Place, engine: &Mutex<Engine>, slot: &Slot) {
    let name = repo.name.get_ref();
    let mut pause = Duration::from_secs(1);
    loop {
        let opened = match wiring::open(config, repo, place, slot).await {
            Ok(opened) => opened.start(&mut *engine.lock().await),
            Err(error) => Err(error),
        };
        match opened {
            Ok(handle) => {
                tokio::spawn(examining(name.clone(), handle.clone(), slot.clone()));
                slot.fill(handle);
                info!(repo = %name, "open");
                return;
            }
            Err(error) => {
                let why = explain(&error);
                warn!(repo = %name, "can't be opened, trying again in {} s: {why}", pause.as_secs());
                slot.failed(why);
            }
        }
        tokio::time::sleep(pause).await;
        pause = (2 * pause).min(LONGEST_PAUSE);
    }
}
