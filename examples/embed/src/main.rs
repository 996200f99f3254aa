//! A service of another shape: it takes announcements from a queue, here its standard input, a line of JSON each, and
//! writes what became of them to its standard output. No HTTP server, no configuration file.
//!
//! ```console
//! $ git init --bare --initial-branch=master /srv/git/cfg-app.git    # and push a first commit
//! $ cargo run -p cfgupdater-example-embed -- file:///srv/git/cfg-app.git /var/lib/embed <<'EOF'
//! {"app_sha":"0123456789012345678901234567890123456789","images":{"web":{"Digest":"r.example.com/web@sha256:…","Tag":"r.example.com/web:v1"}}}
//! EOF
//! ```
#![allow(clippy::print_stdout, reason = "standard output is the queue of answers")]

use std::error::Error;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use cfgupdater::core::{
    Announcement, Answer, AppSha, ImageMap, Policy, Request, RequiredChecks, SetPolicy, TargetPolicy,
    WavePolicy,
};
use cfgupdater::{Backends, Engine, RepoHandle};
use cfgupdater_forge_local::{CheckCommand, LocalForge, LocalForgeSettings};
use cfgupdater_git_backend::{Mirror, MirrorSettings, RemoteSettings};
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, BufReader};

/// A message of the queue.
#[derive(Deserialize)]
struct Message {
    app_sha: AppSha,
    images: ImageMap,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(url), Some(data)) = (arguments.next(), arguments.next()) else {
        return Err("usage: embed URL DIRECTORY".into());
    };
    let mut engine = Engine::new();
    let repo = start(&mut engine, &url, Path::new(&data)).await?;
    let mut queue = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = queue.next_line().await? {
        let message: Message = serde_json::from_str(&line)?;
        let (app_sha, images) = (message.app_sha, message.images);
        let announced = Announcement { set: "app".parse()?, app_sha, sequence: None, attempt: 1, images };
        match repo.call("queue", Request::Announce(announced)).await {
            Ok(Answer::Announced(told)) => println!("{}", serde_json::to_string(&told)?),
            Ok(_) => unreachable!("an announcement is answered as one"),
            Err(refusal) => println!("{}", serde_json::json!({"refused": refusal.to_string()})),
        }
    }
    // Whatever was accepted lands before this ends; a real service would just go on.
    repo.wait_for(Duration::from_mins(1), |view| {
        let read = view.read_from >= view.written;
        read && view.snapshot.as_ref().is_some_and(|read| read.state.live().is_empty())
    })
    .await;
    engine.stop().await;
    Ok(())
}

/// Starts one repository: a mirror below `data`, and a check that any commit passes which git itself accepts.
async fn start(engine: &mut Engine, url: &str, data: &Path) -> Result<RepoHandle, Box<dyn Error>> {
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
    let handle = engine.start("cfg-app".parse()?, policy()?, Backends::new(mirror.clone(), mirror, forge));
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
