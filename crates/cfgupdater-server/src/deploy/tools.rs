//! The APIs of deploy tools that are asked.

use std::path::PathBuf;
use std::sync::Arc;

use cfgupdater::core::{Deployments, Error, Finding, Place, Policy, explain};
use cfgupdater_deployers::argocd::SourceUrl;
use cfgupdater_deployers::{Access, DeployApi};

use crate::config::{Api, Config, Deploy, Pull, Repo};

/// Returns how applications write the repository's address.
pub(super) fn source_of(repo: &Repo, deploy: &Deploy) -> SourceUrl {
    SourceUrl::new(deploy.source_url.as_deref().unwrap_or(repo.url.get_ref()))
}

/// Makes what asks the deploy tools of a repository.
///
/// # Errors
/// Fails where the pod's own service account is to be used and there is none.
pub(crate) fn tools(
    config: &Config,
    repo: &Repo,
    policy: &Policy,
) -> Result<Vec<Arc<dyn Deployments>>, Error> {
    let asked = repo.deploy.iter().filter_map(|deploy| Some((deploy, deploy.pull.as_ref()?.get_ref())));
    asked.map(|(deploy, pull)| Ok(Arc::new(tool(config, repo, deploy, pull, policy)?) as Arc<_>)).collect()
}

fn tool(
    config: &Config,
    repo: &Repo,
    deploy: &Deploy,
    pull: &Pull,
    policy: &Policy,
) -> Result<DeployApi, Error> {
    let (name, access) = (deploy.name.get_ref(), access(config, pull)?);
    let (mapping, source) = (deploy.mapping(policy), source_of(repo, deploy));
    let tool = match pull.api {
        Api::ArgoCd => DeployApi::argo_cd(name, access, mapping, source)?,
        Api::Kubernetes => DeployApi::kubernetes(name, access, mapping, source)?,
    };
    Ok(tool.with_pace(pull.pace()))
}

fn access(config: &Config, pull: &Pull) -> Result<Access, Error> {
    let Some(url) = &pull.url else { return Access::in_cluster() };
    let file = |path: &PathBuf| config.directory.join(path);
    let mut access = Access::new(url)?;
    if let Some(path) = &pull.token_file {
        access = access.with_token_file(file(path));
    }
    if let Some(path) = &pull.ca_file {
        access = access.with_ca_file(file(path));
    }
    Ok(access)
}

/// Asks each deploy tool about one target, and reports what would not work.
pub(crate) async fn preflight(config: &Config, repo: &Repo) -> Vec<Finding> {
    let policy = repo.policy("stable".parse().expect("a valid branch"));
    let tools = match tools(config, repo, &policy) {
        Ok(tools) => tools,
        Err(error) => return vec![Finding::fatal(explain(&error), "mend [repo.deploy.pull]")],
    };
    let places: Vec<Place> = policy
        .waves
        .iter()
        .flat_map(|wave| wave.targets.iter().map(|target| (wave.name.clone(), target.name.clone())))
        .collect();
    let mut findings = Vec::new();
    for tool in tools {
        let Some(place) = places.iter().find(|place| tool.requests(place) > 0) else { continue };
        for error in tool.ask(place).await.into_iter().filter_map(Result::err) {
            let problem = format!("deploy tool `{}` can't be asked: {}", tool.name(), explain(&error));
            findings.push(Finding::warning(problem, "until it can, lost reports stay lost"));
        }
    }
    findings
}
