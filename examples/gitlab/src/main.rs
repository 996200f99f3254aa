//! cfgupdater for one project on GitLab, composed from the library: the service without its configuration file.
//!
//! See `README.md` beside this for the token and the pipelines that go with it.
#![allow(clippy::print_stdout, reason = "where it listens is the one thing it says")]

use std::error::Error;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use cfgupdater::core::{Forge, Policy, SetPolicy, TargetPolicy, WavePolicy};
use cfgupdater::{Backends, Engine, RepoHandle};
use cfgupdater_forge_gitlab::{GitlabForge, GitlabSettings, ProjectName};
use cfgupdater_forge_http::SecretSource;
use cfgupdater_git_backend::{ForgeCredentials, Mirror, MirrorSettings, RemoteSettings};
use cfgupdater_server::{AppState, Tokens, router};
use tokio::sync::watch;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = variable("REPOSITORY_URL")?;
    // The forge says when to look, and is there before the task that looks.
    let told: Arc<OnceLock<RepoHandle>> = Arc::default();
    let forge = forge(&url, Arc::clone(&told))?;
    for finding in forge.preflight().await? {
        println!("{}; {}", finding.problem, finding.remedy);
    }
    // git logs in with the same token.
    let credentials = Arc::new(ForgeCredentials::new(forge.clone()));
    let remote = RemoteSettings::new(url.parse()?).with_inherited_proxy().with_credentials(credentials);
    let directory = std::path::absolute(variable("DATA_DIR")?)?.join("mirror.git");
    let mirror =
        Arc::new(Mirror::open(MirrorSettings::new(directory, remote), Duration::from_mins(2)).await?);
    let mut engine = Engine::new();
    let repo = engine.start("cfg-app".parse()?, policy()?, Backends::new(mirror.clone(), mirror, forge))?;
    let repo = told.get_or_init(|| repo).clone();
    let (_stop, stopping) = watch::channel(false);
    // No tokens: whoever reaches this address may do everything. Nest the router behind a login of your own.
    let app = router(AppState::new([repo], Tokens::none(), stopping));
    let listen = std::env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:8080".to_owned());
    let listener = tokio::net::TcpListener::bind(listen).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, app).await?;
    engine.stop().await;
    Ok(())
}

/// The project on GitLab. Its pipeline must pass; what else must is named in the settings.
fn forge(url: &str, told: Arc<OnceLock<RepoHandle>>) -> Result<Arc<dyn Forge>, Box<dyn Error>> {
    let api_url = std::env::var("API_URL").unwrap_or_else(|_| cfgupdater_forge_gitlab::GITLAB_API.to_owned());
    let project =
        std::env::var("PROJECT").map_or_else(|_| ProjectName::of_url(url, &api_url), |name| name.parse())?;
    let mut settings = GitlabSettings::new(project, SecretSource::file(variable("TOKEN_FILE")?));
    settings.api_url = api_url;
    settings.webhook_secret = std::env::var("WEBHOOK_SECRET_FILE").ok().map(SecretSource::file);
    settings.stable = Some("master".parse()?);
    let look = Arc::new(move || told.get().into_iter().for_each(RepoHandle::look));
    Ok(Arc::new(GitlabForge::new(settings)?.with_look(look)))
}

/// Two waves with a target each.
fn policy() -> Result<Policy, Box<dyn Error>> {
    let wave = |name: &str, target: &str| -> Result<WavePolicy, Box<dyn Error>> {
        Ok(WavePolicy::new(name.parse()?, vec![TargetPolicy::new(target.parse()?)]))
    };
    let waves = vec![wave("staging", "staging-1")?, wave("production", "prod-1")?];
    Ok(Policy::new("master".parse()?, vec![SetPolicy::new("app".parse()?)], waves))
}

fn variable(name: &str) -> Result<String, String> {
    std::env::var(name).map_err(|_| format!("set {name}; the README says to what"))
}
