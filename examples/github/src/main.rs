//! cfgupdater for one repository on GitHub, composed from the library: the service without its configuration file.
//!
//! See `README.md` beside this for the App and the workflows that go with it.
#![allow(clippy::print_stdout, reason = "where it listens is the one thing it says")]

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use cfgupdater::core::{BranchName, Forge, Policy, SetPolicy, TargetPolicy, WavePolicy};
use cfgupdater::{Backends, Engine};
use cfgupdater_forge_github::{GithubForge, GithubSettings, Login, RepositoryName};
use cfgupdater_forge_http::SecretSource;
use cfgupdater_git_backend::{ForgeCredentials, Mirror, MirrorSettings, RemoteSettings};
use cfgupdater_server::{AppState, Tokens, router};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (url, stable) = (variable("REPOSITORY_URL")?, variable_or("STABLE", "master").parse::<BranchName>()?);
    let forge = forge(&url, &stable)?;
    for finding in forge.preflight().await? {
        println!("{}; {}", finding.problem, finding.remedy);
    }
    // git logs in with the token of the App's installation.
    let credentials = Arc::new(ForgeCredentials::new(forge.clone()));
    let remote = RemoteSettings::new(url.parse()?).with_inherited_proxy().with_credentials(credentials);
    let directory = std::path::absolute(variable("DATA_DIR")?)?.join("mirror.git");
    let mirror =
        Arc::new(Mirror::open(MirrorSettings::new(directory, remote), Duration::from_mins(2)).await?);
    let mut engine = Engine::new();
    let backends = Backends::new(mirror.clone(), mirror, forge);
    let repo = engine.start("cfg-app".parse()?, policy(stable)?, backends)?;
    let (stop, stopping) = watch::channel(false);
    // No tokens: whoever reaches this address may do everything. Nest the router behind a login of your own.
    let app = router(AppState::new([repo], Tokens::none(), stopping));
    let listener = tokio::net::TcpListener::bind(variable_or("LISTEN", "127.0.0.1:8080")).await?;
    println!("listening on http://{}", listener.local_addr()?);
    let mut terminated = signal(SignalKind::terminate())?;
    let stopped = async move {
        tokio::select! { _ = terminated.recv() => {}, _ = tokio::signal::ctrl_c() => {} }
        // Calls that wait for something are answered now.
        stop.send_replace(true);
    };
    axum::serve(listener, app).with_graceful_shutdown(stopped).await?;
    engine.stop().await;
    Ok(())
}

/// The repository on GitHub. What it requires of the stable branch is read from there.
fn forge(url: &str, stable: &BranchName) -> Result<Arc<dyn Forge>, Box<dyn Error>> {
    let key = SecretSource::file(variable("PRIVATE_KEY_FILE")?);
    let login = Login::App { id: variable("APP_ID")?.parse()?, key, installation: None };
    let repository =
        std::env::var("REPOSITORY").map_or_else(|_| RepositoryName::of_url(url), |name| name.parse())?;
    let mut settings = GithubSettings::new(repository, login);
    settings.stable = Some(stable.clone());
    settings.webhook_secret = std::env::var("WEBHOOK_SECRET_FILE").ok().map(SecretSource::file);
    settings.api_url = variable_or("API_URL", &settings.api_url);
    Ok(Arc::new(GithubForge::new(settings)?))
}

/// Two waves with a target each.
fn policy(stable: BranchName) -> Result<Policy, Box<dyn Error>> {
    let wave = |name: &str, target: &str| -> Result<WavePolicy, Box<dyn Error>> {
        Ok(WavePolicy::new(name.parse()?, vec![TargetPolicy::new(target.parse()?)]))
    };
    let waves = vec![wave("staging", "staging-1")?, wave("production", "prod-1")?];
    Ok(Policy::new(stable, vec![SetPolicy::new("app".parse()?)], waves))
}

fn variable(name: &str) -> Result<String, String> {
    std::env::var(name).map_err(|_| format!("set {name}; the README says to what"))
}

fn variable_or(name: &str, default: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| default.to_owned())
}
