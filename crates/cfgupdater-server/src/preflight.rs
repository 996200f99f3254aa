//! What can be found out about a configuration before it is used.

use cfgupdater::core::Finding;

use crate::config::Config;
use crate::deploy::{self, Hooks};
use crate::registries;
use crate::tokens::Tokens;
use crate::wiring;

/// What was found about one repository, or about the server where `repo` is `None`.
#[derive(Debug)]
#[non_exhaustive]
pub struct RepoFindings {
    /// The repository.
    pub repo: Option<String>,
    /// What was found; empty where all is well.
    pub findings: Vec<Finding>,
}

/// Asks every secret, remote, forge and registry that the configuration names.
pub async fn preflight(config: &Config) -> Vec<RepoFindings> {
    let mut missing = Tokens::of(config).missing();
    missing.extend(Hooks::of(config).missing());
    let secrets =
        missing.into_iter().map(|problem| Finding::fatal(problem, "provide the secret before starting"));
    let mut found = vec![RepoFindings { repo: None, findings: secrets.collect() }];
    for repo in &config.file.repo {
        let mut findings = wiring::preflight(config, repo).await;
        findings.extend(deploy::preflight(config, repo).await);
        found.push(RepoFindings { repo: Some(repo.name.get_ref().to_string()), findings });
    }
    for registry in &config.file.registry {
        found[0].findings.extend(registries::preflight(config, registry).await);
    }
    found
}
