//! [`DeployApi`]: what targets run, by the API of Argo CD or of Kubernetes.

use async_trait::async_trait;
use cfgupdater_core::{DeploymentReport, Deployments, Error, ErrorKind, Pace, Place};

use super::access::Access;
use super::http::Http;
use crate::argocd::SourceUrl;
use crate::mapping::{Binding, Mapping, SenderKind};
use crate::{argocd, flux};

/// Asks the API of Argo CD or of Kubernetes what targets run.
#[derive(Debug)]
pub struct DeployApi {
    name: String,
    kind: Kind,
    http: Http,
    mapping: Mapping,
    source: SourceUrl,
    pace: Pace,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    ArgoCd,
    Kubernetes,
}

impl DeployApi {
    /// Asks Argo CD's API server for applications. `source` is the configuration repository's address, by which it is
    /// found among an application's sources.
    ///
    /// # Errors
    /// Refuses a mapping that holds something else than applications, or names that can't be asked about.
    pub fn argo_cd(name: &str, access: Access, mapping: Mapping, source: SourceUrl) -> Result<Self, Error> {
        let stranger = mapping.bindings().iter().find(|binding| binding.kind != SenderKind::Application);
        if let Some(stranger) = stranger {
            let message = format!("Argo CD knows no {} (`{}`); ask Kubernetes", stranger.kind, stranger.name);
            return Err(Error::new(ErrorKind::Invalid, message));
        }
        Self::new(name, Kind::ArgoCd, access, mapping, source)
    }

    /// Asks the API server of a Kubernetes cluster for applications, kustomizations and Helm releases.
    ///
    /// # Errors
    /// Refuses names that can't be asked about.
    pub fn kubernetes(
        name: &str,
        access: Access,
        mapping: Mapping,
        source: SourceUrl,
    ) -> Result<Self, Error> {
        Self::new(name, Kind::Kubernetes, access, mapping, source)
    }

    fn new(
        name: &str,
        kind: Kind,
        access: Access,
        mapping: Mapping,
        source: SourceUrl,
    ) -> Result<Self, Error> {
        mapping.askable(kind == Kind::Kubernetes).map_err(|why| Error::new(ErrorKind::Invalid, why))?;
        let http = Http::new(access);
        Ok(Self { name: name.to_owned(), kind, http, mapping, source, pace: Pace::default() })
    }

    /// Asks at another pace than the default one.
    #[must_use]
    pub fn with_pace(mut self, pace: Pace) -> Self {
        self.pace = pace;
        self
    }

    async fn get(&self, binding: &Binding) -> Result<Vec<u8>, Error> {
        let name = binding.name.literal().unwrap_or_default();
        let namespace = binding.namespace.as_ref().and_then(|namespace| namespace.literal());
        match self.kind {
            Kind::ArgoCd => {
                let query: Vec<_> =
                    namespace.into_iter().map(|namespace| ("appNamespace", namespace)).collect();
                self.http.get(&["api", "v1", "applications", name], &query).await
            }
            Kind::Kubernetes => {
                let (group, version, plural) = resource(binding.kind);
                let namespace = namespace.unwrap_or_default();
                self.http.get(&["apis", group, version, "namespaces", namespace, plural, name], &[]).await
            }
        }
    }

    fn read(&self, binding: &Binding, json: &[u8]) -> Result<Option<DeploymentReport>, Error> {
        let outcome = match binding.kind {
            SenderKind::Application => argocd::outcome(json, &self.source),
            kind => flux::outcome(kind, json),
        };
        let outcome = outcome.map_err(|error| {
            let message = format!("{} `{}` was answered with nonsense", binding.kind, binding.name);
            Error::new(ErrorKind::Other, message).with_source(error)
        })?;
        Ok(outcome.map(|outcome| outcome.report(&binding.spot)))
    }
}

/// Where Kubernetes has objects of a kind: group, version and plural.
fn resource(kind: SenderKind) -> (&'static str, &'static str, &'static str) {
    match kind {
        SenderKind::Application => ("argoproj.io", "v1alpha1", "applications"),
        SenderKind::Kustomization => ("kustomize.toolkit.fluxcd.io", "v1", "kustomizations"),
        SenderKind::HelmRelease => ("helm.toolkit.fluxcd.io", "v2", "helmreleases"),
    }
}

#[async_trait]
impl Deployments for DeployApi {
    fn name(&self) -> &str {
        &self.name
    }

    fn pace(&self) -> Pace {
        self.pace
    }

    fn requests(&self, place: &Place) -> u32 {
        u32::try_from(self.mapping.of(place).count()).unwrap_or(u32::MAX)
    }

    async fn ask(&self, place: &Place) -> Vec<Result<DeploymentReport, Error>> {
        let mut told = Vec::new();
        for binding in self.mapping.of(place) {
            let said = self.get(binding).await.and_then(|json| self.read(binding, &json));
            // What is wrong with the tool is wrong with every question; what is wrong with one object isn't.
            let over = said.as_ref().is_err_and(|error| concerns_the_tool(error.kind()));
            told.extend(said.transpose());
            if over {
                break;
            }
        }
        told
    }
}

fn concerns_the_tool(kind: ErrorKind) -> bool {
    use ErrorKind::{RateLimited, TimedOut, Unauthenticated, Unavailable};
    matches!(kind, RateLimited | TimedOut | Unauthenticated | Unavailable)
}
