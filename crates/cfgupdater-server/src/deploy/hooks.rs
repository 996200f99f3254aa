//! What the hooks of deploy tools need to know of each repository.

use std::collections::BTreeMap;

use cfgupdater::core::{RepoName, explain};
use cfgupdater_deployers::argocd::SourceUrl;
use cfgupdater_deployers::{Mapping, Sender, Spot, is_signed};
use cfgupdater_forge_http::SecretSource;

use super::count::Counts;
use super::tools::source_of;
use crate::config::{Config, Deploy, DeployKind, Repo};

/// The hooks of all repositories.
#[derive(Debug, Default)]
pub(crate) struct Hooks {
    repos: BTreeMap<RepoName, RepoHooks>,
}

/// The hooks of one repository.
#[derive(Debug, Default)]
pub(crate) struct RepoHooks {
    argo_cd: Vec<(SourceUrl, Mapping)>,
    flux: Vec<Flux>,
    pub(crate) counts: Counts,
}

/// One installation of Flux, known by its secret.
#[derive(Debug)]
pub(crate) struct Flux {
    pub(crate) name: String,
    secret: SecretSource,
    pub(crate) mapping: Mapping,
}

impl Flux {
    /// Returns the secrets that are valid now, or says why there are none.
    fn secrets(&self) -> Result<Vec<String>, String> {
        let secrets = self.secret.values().map_err(|error| explain(&error))?;
        Ok(secrets.iter().map(|secret| secret.expose().to_owned()).collect())
    }
}

impl Hooks {
    pub(crate) fn of(config: &Config) -> Self {
        let hooks = |repo: &Repo| (repo.name.get_ref().clone(), RepoHooks::of(config, repo));
        Self { repos: config.file.repo.iter().map(hooks).collect() }
    }

    /// Returns the hooks of a repository; one without deploy tools takes calls of none.
    pub(crate) fn repo(&self, name: &RepoName) -> Option<&RepoHooks> {
        self.repos.get(name)
    }

    /// Lists the secrets that can't be had.
    pub(crate) fn missing(&self) -> Vec<String> {
        let flux = self.repos.values().flat_map(|hooks| &hooks.flux);
        let missing = |flux: &Flux| Some(format!("deploy tool `{}`: {}", flux.name, flux.secrets().err()?));
        flux.filter_map(missing).collect()
    }

    /// Renders what became of calls, in the Prometheus text format.
    pub(crate) fn render(&self, out: &mut String) {
        out.push_str("# HELP cfgupdater_deploy_hooks_total Calls of deploy tools, by what became of them.\n");
        out.push_str("# TYPE cfgupdater_deploy_hooks_total counter\n");
        self.repos.iter().for_each(|(name, hooks)| hooks.counts.render(name, out));
    }
}

impl RepoHooks {
    fn of(config: &Config, repo: &Repo) -> Self {
        // Which branch is stable has no part in who is which target.
        let policy = repo.policy("stable".parse().expect("a valid branch"));
        let of_kind = |kind| repo.deploy.iter().filter(move |deploy: &&Deploy| deploy.kind == kind);
        let flux = |deploy: &Deploy| {
            let file = config.directory.join(deploy.secret_file.as_ref()?);
            let (name, secret) = (deploy.name.get_ref().clone(), SecretSource::file(file));
            Some(Flux { name, secret, mapping: deploy.mapping(&policy) })
        };
        Self {
            argo_cd: of_kind(DeployKind::ArgoCd)
                .map(|deploy| (source_of(repo, deploy), deploy.mapping(&policy)))
                .collect(),
            flux: of_kind(DeployKind::Flux).filter_map(flux).collect(),
            counts: Counts::default(),
        }
    }

    /// Finds what an application speaks for, with the address by which its source is known.
    pub(crate) fn application(&self, sender: &Sender) -> Option<(&Spot, &SourceUrl)> {
        self.argo_cd.iter().find_map(|(source, mapping)| Some((mapping.find(sender)?, source)))
    }

    /// Finds the installations of Flux whose secret signed a body.
    ///
    /// # Errors
    /// Says which secret can't be had, where none of the others signed it.
    pub(crate) fn signed_by(&self, header: &str, body: &[u8]) -> Result<Vec<&Flux>, String> {
        let (mut signed, mut missing) = (Vec::new(), None);
        for flux in &self.flux {
            match flux.secrets() {
                Ok(secrets) if is_signed(header, body, &secrets) => signed.push(flux),
                Ok(_) => {}
                Err(why) => missing = Some(why),
            }
        }
        missing.filter(|_| signed.is_empty()).map_or(Ok(signed), Err)
    }
}
