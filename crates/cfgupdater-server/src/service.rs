//! [`Service`]: the configured repositories and the API, running.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use cfgupdater::ImageVerifier;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tracing::info;

use crate::config::Config;
use crate::deploy::Hooks;
use crate::opening::{Opening, own_url};
use crate::registries::Registries;
use crate::routes::router;
use crate::state::AppState;
use crate::tls::TlsListener;
use crate::tokens::Tokens;

/// Why a service could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// Tokens whose secret can't be had.
    #[error("{}", .0.join("; "))]
    Secrets(Vec<String>),
    /// The data directory can't be used.
    #[error("the data directory {} can't be used: create it, or name another as server.data_dir", path.display())]
    DataDirectory {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The certificate can't be used.
    #[error("TLS can't be served: {0}")]
    Tls(String),
    /// The listening address can't be told.
    #[error("the listening socket is not usable")]
    Socket(#[from] std::io::Error),
}

/// A running service. Dropping it stops it without waiting.
#[derive(Debug)]
pub struct Service {
    address: SocketAddr,
    url: String,
    stop: watch::Sender<bool>,
    server: JoinHandle<std::io::Result<()>>,
    repos: Opening,
}

impl Service {
    /// Starts what the configuration says on a socket that listens already.
    ///
    /// # Errors
    /// Fails where a secret is missing or the data directory can't be used. A repository that can't be opened yet is no
    /// error: it is tried again, and answers 503 meanwhile.
    pub async fn start(config: Config, listener: TcpListener) -> Result<Self, StartError> {
        let address = listener.local_addr()?;
        let tokens = Tokens::of(&config);
        let hooks = Hooks::of(&config);
        let mut missing = tokens.missing();
        missing.extend(hooks.missing());
        if !missing.is_empty() {
            return Err(StartError::Secrets(missing));
        }
        let tls = config.tls();
        let url = own_url(&config, address);
        let verifier = ImageVerifier::new(Arc::new(Registries::of(&config)));
        let repos = Opening::start(Arc::new(config), address).await?;
        let (stop, stopping) = watch::channel(false);
        let state = AppState::of_slots(repos.slots.clone(), tokens, stopping.clone());
        let app = router(state.with_image_verifier(verifier).with_hooks(hooks));
        let serving = serve(listener, tls, app, stopping)?;
        info!(%address, "serving");
        Ok(Self { address, url, stop, server: serving, repos })
    }

    /// Returns where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Returns the URL it serves.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Stops taking requests, answers those under way, finishes the pushes under way, and returns.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        if let Ok(Err(error)) = (&mut self.server).await {
            tracing::warn!("the server ended badly: {error}");
        }
        self.repos.stop().await;
    }

    /// Waits until the server ends by itself, which it does only on an error of its socket.
    pub async fn finished(&mut self) {
        // However it ended, it has.
        let _ = (&mut self.server).await;
    }
}

/// Serves requests on a socket, with TLS where there are files for it, until `stopping` becomes true.
fn serve(
    listener: TcpListener,
    tls: Option<(PathBuf, PathBuf)>,
    app: Router,
    mut stopping: watch::Receiver<bool>,
) -> Result<JoinHandle<std::io::Result<()>>, StartError> {
    let stopped = async move {
        // An error means that the service was dropped, which stops it too.
        let _ = stopping.wait_for(|stop| *stop).await;
    };
    if let Some((certificate, key)) = tls {
        let listener = TlsListener::new(listener, &certificate, &key).map_err(StartError::Tls)?;
        let server = axum::serve(listener, app).with_graceful_shutdown(stopped);
        return Ok(tokio::spawn(async move { server.await }));
    }
    let server = axum::serve(listener, app).with_graceful_shutdown(stopped);
    Ok(tokio::spawn(async move { server.await }))
}
