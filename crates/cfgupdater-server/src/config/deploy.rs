//! `[[repo.deploy]]`: deploy tools, which targets their senders are, and how they are asked.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use cfgupdater::core::{Pace, Policy, SetName, TargetName, WaveName};
use cfgupdater_deployers::{Access, Mapping, Rule, SenderKind, rivals};
use serde::Deserialize;
use toml::Spanned;

use super::duration::Span;
use super::error::Mistake;
use super::file::Repo;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Deploy {
    /// Who reports what was asked for or came signed, in the audit trail.
    pub(crate) name: Spanned<String>,
    pub(crate) kind: DeployKind,
    /// The secrets of Flux's `generic-hmac` provider.
    pub(crate) secret_file: Option<PathBuf>,
    /// How Argo CD's applications write the repository's address, where it isn't the one of `[[repo]]`.
    pub(crate) source_url: Option<String>,
    #[serde(default)]
    pub(crate) map: Vec<Spanned<Map>>,
    pub(crate) pull: Option<Spanned<Pull>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DeployKind {
    ArgoCd,
    Flux,
}

/// Which targets some senders are.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Map {
    application: Option<String>,
    kustomization: Option<String>,
    helm_release: Option<String>,
    namespace: Option<String>,
    #[serde(default)]
    metadata: BTreeMap<String, String>,
    wave: Option<WaveName>,
    target: Option<TargetName>,
    set: Option<SetName>,
    /// Whether several senders may speak for the same set of a target.
    #[serde(default)]
    several: bool,
}

/// The API that is asked.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pull {
    pub(crate) api: Api,
    pub(crate) url: Option<String>,
    pub(crate) token_file: Option<PathBuf>,
    pub(crate) ca_file: Option<PathBuf>,
    interval: Option<Span>,
    per_minute: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Api {
    ArgoCd,
    Kubernetes,
}

impl Pull {
    pub(crate) fn pace(&self) -> Pace {
        let default = Pace::default();
        let interval = self.interval.map_or(default.interval, |span| span.0);
        Pace::new(interval, self.per_minute.unwrap_or(default.per_minute))
    }
}

impl Map {
    fn rule(&self) -> Result<Rule, String> {
        let named = [
            (SenderKind::Application, &self.application),
            (SenderKind::Kustomization, &self.kustomization),
            (SenderKind::HelmRelease, &self.helm_release),
        ];
        let mut given = named.into_iter().filter_map(|(kind, name)| Some((kind, name.clone()?)));
        let (Some((kind, name)), None) = (given.next(), given.next()) else {
            return Err("name exactly one of application, kustomization and helm_release".to_owned());
        };
        if kind == SenderKind::Application && !self.metadata.is_empty() {
            return Err("applications are known by name and namespace; metadata is Flux's".to_owned());
        }
        Ok(Rule {
            kind,
            name,
            namespace: self.namespace.clone(),
            metadata: self.metadata.clone(),
            wave: self.wave.clone(),
            target: self.target.clone(),
            set: self.set.clone(),
            several: self.several,
        })
    }
}

impl Deploy {
    /// Spells out which senders are which targets. The file was checked, so nothing is wrong with it.
    pub(crate) fn mapping(&self, policy: &Policy) -> Mapping {
        self.checked_mapping(policy).unwrap_or_default()
    }

    fn checked_mapping(&self, policy: &Policy) -> Result<Mapping, Vec<Mistake>> {
        let (mut rules, mut places, mut wrong) = (Vec::new(), Vec::new(), Vec::new());
        for map in &self.map {
            match map.get_ref().rule().and_then(|rule| self.fits(rule)) {
                Ok(rule) => {
                    rules.push(rule);
                    places.push(map.span());
                }
                Err(message) => wrong.push(Mistake { place: Some(map.span()), message }),
            }
        }
        if !wrong.is_empty() {
            return Err(wrong);
        }
        Mapping::new(&rules, policy).map_err(|mistakes| {
            let placed =
                |(number, message): (usize, String)| Mistake { place: Some(places[number].clone()), message };
            mistakes.into_iter().map(placed).collect()
        })
    }

    fn fits(&self, rule: Rule) -> Result<Rule, String> {
        let argo_cd = rule.kind == SenderKind::Application;
        if argo_cd == (self.kind == DeployKind::ArgoCd) {
            return Ok(rule);
        }
        let tool = if argo_cd { "argocd" } else { "flux" };
        Err(format!("a rule for a {} belongs to a section of kind = \"{tool}\"", rule.kind))
    }

    fn mistakes(&self, policy: &Policy) -> Vec<Mistake> {
        let name = self.name.get_ref();
        let at = |place: Range<usize>, message: String| Mistake { place: Some(place), message };
        let here = |message: String| at(self.name.span(), message);
        let mut found = Vec::new();
        if name.is_empty() || name.len() > 128 || name.chars().any(char::is_control) {
            found.push(here("a deploy tool's name must be 1 to 128 printable characters".to_owned()));
        }
        match (self.kind, &self.secret_file) {
            (DeployKind::Flux, None) if self.pull.is_none() => {
                let message =
                    "has neither secret_file, by which its events are authentic, nor [repo.deploy.pull]";
                found.push(here(format!("`{name}` {message}")));
            }
            (DeployKind::ArgoCd, Some(_)) => {
                let message =
                    "Argo CD can't sign; give it a [[server.token]] with a report scope, and no secret_file";
                found.push(here(message.to_owned()));
            }
            _ => {}
        }
        if self.map.is_empty() {
            found.push(here(format!(
                "`{name}` has no [[repo.deploy.map]], so it speaks for no target; add one"
            )));
        }
        match self.checked_mapping(policy) {
            Err(mistakes) => found.extend(mistakes),
            Ok(mapping) => {
                if let Some(pull) = &self.pull {
                    let messages = self.wrong_pull(pull.get_ref(), &mapping);
                    found.extend(messages.into_iter().map(|message| at(pull.span(), message)));
                }
            }
        }
        found
    }

    fn wrong_pull(&self, pull: &Pull, mapping: &Mapping) -> Vec<String> {
        let mut found = Vec::new();
        match (pull.api, &pull.url) {
            (Api::ArgoCd, _) if self.kind == DeployKind::Flux => {
                found.push("Flux has no API of its own; use api = \"kubernetes\"".to_owned());
            }
            (Api::ArgoCd, None) => found.push("name the url of Argo CD's API server".to_owned()),
            (Api::Kubernetes, None) if pull.token_file.is_some() || pull.ca_file.is_some() => {
                let message =
                    "without a url the pod's own service account is used; remove token_file and ca_file";
                found.push(message.to_owned());
            }
            (_, Some(url)) => found.extend(Access::new(url).err().map(|error| error.to_string())),
            _ => {}
        }
        found.extend(mapping.askable(pull.api == Api::Kubernetes).err());
        if pull.interval.is_some_and(|span| span.0 < Duration::from_millis(100)) || pull.per_minute == Some(0)
        {
            found.push("interval must be 100ms at least, and per_minute 1".to_owned());
        }
        found
    }
}

/// Finds every mistake of a repository's deploy tools.
pub(super) fn mistakes(repo: &Repo) -> Vec<Mistake> {
    let policy = repo.policy("stable".parse().expect("a valid branch"));
    let mut found: Vec<Mistake> = repo.deploy.iter().flat_map(|deploy| deploy.mistakes(&policy)).collect();
    let mut seen = BTreeSet::new();
    for deploy in repo.deploy.iter().filter(|deploy| !seen.insert(deploy.name.get_ref())) {
        let message =
            format!("deploy tool `{}` is configured twice; names must differ", deploy.name.get_ref());
        found.push(Mistake { place: Some(deploy.name.span()), message });
    }
    if found.is_empty() {
        found.extend(heard_together(repo).iter().flat_map(|sections| shared_senders(sections, &policy)));
    }
    if found.is_empty() {
        let mappings: Vec<Mapping> = repo.deploy.iter().map(|deploy| deploy.mapping(&policy)).collect();
        let placed = |(number, message): (usize, String)| {
            let name: &Spanned<String> = &repo.deploy[number].name;
            Mistake { place: Some(name.span()), message }
        };
        found.extend(rivals(&mappings).into_iter().map(placed));
    }
    found
}

/// Groups the sections whose senders can't be told apart: all applications come in at one address, and whoever signs
/// with one secret is one installation of Flux.
fn heard_together(repo: &Repo) -> Vec<Vec<&Deploy>> {
    let mut groups: BTreeMap<Option<&PathBuf>, Vec<&Deploy>> = BTreeMap::new();
    // Without a secret nothing is heard, and each section has an API of its own.
    let heard = |deploy: &&Deploy| deploy.kind == DeployKind::ArgoCd || deploy.secret_file.is_some();
    for deploy in repo.deploy.iter().filter(heard) {
        groups.entry(deploy.secret_file.as_ref()).or_default().push(deploy);
    }
    groups.into_values().collect()
}

/// None of those who are heard together may mean two targets, whichever section it is in.
fn shared_senders(sections: &[&Deploy], policy: &Policy) -> Vec<Mistake> {
    let maps: Vec<&Spanned<Map>> = sections.iter().flat_map(|deploy| &deploy.map).collect();
    let rules: Vec<Rule> = maps.iter().filter_map(|map| map.get_ref().rule().ok()).collect();
    let mistakes = Mapping::new(&rules, policy).err().unwrap_or_default();
    let placed = |(number, message): (usize, String)| Mistake { place: Some(maps[number].span()), message };
    mistakes.into_iter().map(placed).collect()
}

#[cfg(test)]
mod tests;
