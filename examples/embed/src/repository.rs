//! The repository that the service owns.

use std::error::Error;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use cfgupdater::core::{Policy, RequiredChecks, SetPolicy, TargetPolicy, WavePolicy};
use cfgupdater::{Backends, Engine, RepoHandle};
use cfgupdater_forge_local::{CheckCommand, LocalForge, LocalForgeSettings};
use cfgupdater_git_backend::{Mirror, MirrorSettings, RemoteSettings};

/// Starts one repository: a mirror below `data`, and a check that every commit passes which holds images.
///
/// # Errors
/// Fails where the remote or the directory can't be used.
pub async fn start(engine: &mut Engine, url: &str, data: &Path) -> Result<RepoHandle, Box<dyn Error>> {
    std::fs::create_dir_all(data)?;
    let data = data.canonicalize()?;
    let remote = MirrorSettings::new(data.join("mirror.git"), RemoteSettings::new(url.parse()?));
    let mirror = Arc::new(Mirror::open(remote, Duration::from_mins(1)).await?);
    let mut checks = LocalForgeSettings::new(data.join("scratch"), "https://checks.example.com", "embed");
    checks.runs = vec![CheckCommand::new("ci", vec!["test".into(), "-d".into(), "images".into()])];
    // The forge nudges the repository when a check has ended.
    let started: Arc<OnceLock<RepoHandle>> = Arc::default();
    let nudge = Arc::clone(&started);
    let on_change = Arc::new(move || nudge.get().into_iter().for_each(RepoHandle::look));
    let forge = Arc::new(LocalForge::new(mirror.clone(), mirror.clone(), checks, on_change));
    let handle = engine.start("cfg-app".parse()?, policy()?, Backends::new(mirror.clone(), mirror, forge))?;
    Ok(started.get_or_init(|| handle).clone())
}

/// Two waves with a target each.
fn policy() -> Result<Policy, Box<dyn Error>> {
    let wave = |name: &str, target: &str| -> Result<WavePolicy, Box<dyn Error>> {
        Ok(WavePolicy::new(name.parse()?, vec![TargetPolicy::new(target.parse()?)]))
    };
    let waves = vec![wave("staging", "staging-1")?, wave("production", "prod-1")?];
    let mut policy = Policy::new("master".parse()?, vec![SetPolicy::new("app".parse()?)], waves);
    policy.required = Some(RequiredChecks::named(["ci"]));
    Ok(policy)
}
