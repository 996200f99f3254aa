//! [`Deployer`]: stands in for Argo CD: follows master, deploys what changed, and reports each target.

use std::collections::BTreeMap;
use std::time::Duration;

use cfgupdater_core::DeploymentStatus;
use cfgupdater_server::api::Deployment;
use tokio::task::{JoinHandle, JoinSet};

use super::git::git;
use super::narrator::Narrator;
use super::place::Place;
use crate::client::Api;
use crate::exit::Failure;

/// The targets, and how long each takes to deploy, in milliseconds.
const TARGETS: [(&str, &str, u64); 5] = [
    ("staging", "staging-1", 150),
    ("staging", "staging-2", 350),
    ("internal", "internal-1", 250),
    ("production", "prod-1", 200),
    ("production", "prod-2", 400),
];

/// How often master is looked at.
const POLL: Duration = Duration::from_millis(100);

/// The running deploy tool; ends when dropped.
#[derive(Debug)]
pub(super) struct Deployer(JoinHandle<()>);

impl Deployer {
    /// Starts to follow master.
    pub(super) fn start(place: &Place, api: Api, narrator: Narrator) -> Self {
        let place = place.clone();
        Self(tokio::spawn(async move {
            if let Err(failure) = follow(&place, &api, &narrator).await {
                narrator.say("deployer", None, &failure.to_string());
            }
        }))
    }
}

impl Drop for Deployer {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn follow(place: &Place, api: &Api, narrator: &Narrator) -> Result<(), Failure> {
    let mut running = BTreeMap::new();
    let mut deployments = JoinSet::new();
    loop {
        let master = git(&place.remote(), &["rev-parse", "refs/heads/master"]).await?;
        let found = images(place, &master).await?;
        for (wave, target, millis) in TARGETS {
            let wanted = found.get(wave);
            if wanted.is_none() || running.get(target) == wanted {
                continue;
            }
            running.extend(wanted.map(|tree| (target, tree.clone())));
            let report = report(wave, target, &master)?;
            let (api, narrator) = (api.clone(), narrator.clone());
            deployments.spawn(async move {
                tokio::time::sleep(Duration::from_millis(millis)).await;
                if let Err(error) = api.deployed(&report).await {
                    narrator.say("deployer", None, &error.to_string());
                }
            });
        }
        while deployments.try_join_next().is_some() {}
        tokio::time::sleep(POLL).await;
    }
}

/// Returns the tree of each wave's images.
async fn images(place: &Place, commit: &str) -> Result<BTreeMap<String, String>, Failure> {
    let listed = git(&place.remote(), &["ls-tree", commit, "images/"]).await?;
    // MODE SP TYPE SP OBJECT TAB PATH
    let entry = |line: &str| {
        let (about, path) = line.split_once('\t')?;
        Some((path.strip_prefix("images/")?.to_owned(), about.split(' ').nth(2)?.to_owned()))
    };
    Ok(listed.lines().filter_map(entry).collect())
}

fn report(wave: &str, target: &str, revision: &str) -> Result<Deployment, Failure> {
    let wrong = |error: &dyn std::fmt::Display| Failure::failed(format!("a report can't be made: {error}"));
    Ok(Deployment {
        wave: wave.parse().map_err(|error| wrong(&error))?,
        target: target.parse().map_err(|error| wrong(&error))?,
        status: DeploymentStatus::Succeeded,
        revision: Some(revision.parse().map_err(|error| wrong(&error))?),
        release: None,
        set: None,
        observed_at: None,
    })
}
