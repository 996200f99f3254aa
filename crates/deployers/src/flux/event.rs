//! [`Event`]: what notification-controller posts.

use std::collections::BTreeMap;

use cfgupdater_core::{Claim, DeploymentStatus};
use serde::Deserialize;

use super::reason::{HELM_FAILED, HELM_SUCCEEDED, KUSTOMIZATION_FAILED};
use super::revision;
use crate::mapping::{Sender, SenderKind};
use crate::outcome::{Outcome, Unreadable, instant, nullable, read};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    involved_object: InvolvedObject,
    #[serde(default, deserialize_with = "nullable")]
    severity: String,
    #[serde(default, deserialize_with = "nullable")]
    reason: String,
    timestamp: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    metadata: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct InvolvedObject {
    kind: String,
    name: String,
    #[serde(default, deserialize_with = "nullable")]
    namespace: String,
    #[serde(default, deserialize_with = "nullable")]
    api_version: String,
}

/// An event of a kustomization or a Helm release.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// Who speaks.
    pub sender: Sender,
    severity: String,
    reason: String,
    timestamp: Option<String>,
}

impl Event {
    /// Reads an event; `None` where it is about an object of another kind. Keys of its metadata lose their prefix, since
    /// controllers write one and notification-controller takes it off, but not in every version.
    ///
    /// # Errors
    /// Fails where it isn't an event.
    pub fn read(json: &[u8]) -> Result<Option<Self>, Unreadable> {
        let Body { involved_object: object, severity, reason, timestamp, metadata } =
            read("a Flux event", json)?;
        let group = object.api_version.split('/').next().unwrap_or_default();
        let kind = match (object.kind.as_str(), group) {
            ("Kustomization", "kustomize.toolkit.fluxcd.io" | "") => SenderKind::Kustomization,
            ("HelmRelease", "helm.toolkit.fluxcd.io" | "") => SenderKind::HelmRelease,
            _ => return Ok(None),
        };
        let sender =
            Sender { kind, namespace: object.namespace, name: object.name, metadata: unprefixed(metadata) };
        Ok(Some(Self { sender, severity, reason, timestamp }))
    }

    /// Returns how a deployment ended; `None` for an event that says nothing of it.
    ///
    /// A kustomization names the commit, and speaks of health only if it waits for it (`wait` or `healthChecks`), which
    /// its events don't tell. The revision of a Helm release is its chart's version, so it must name the release, by the
    /// annotation `event.toolkit.fluxcd.io/release`.
    pub fn outcome(&self) -> Option<Outcome> {
        let (status, claim) = match self.sender.kind {
            SenderKind::Kustomization => (self.kustomization()?, self.commit()?),
            SenderKind::HelmRelease => (self.helm_release()?, self.release()?),
            SenderKind::Application => return None,
        };
        Some(Outcome::new(status, claim, instant(self.timestamp.as_deref())))
    }

    fn kustomization(&self) -> Option<DeploymentStatus> {
        // Without this mark a reason may be that of the reconciliation before.
        let over = self.metadata("commit_status") == Some("update");
        match (self.severity.as_str(), self.reason.as_str()) {
            ("info", "ReconciliationSucceeded") if over => Some(DeploymentStatus::Succeeded),
            ("error", reason) if KUSTOMIZATION_FAILED.contains(&reason) => Some(DeploymentStatus::Failed),
            _ => None,
        }
    }

    fn helm_release(&self) -> Option<DeploymentStatus> {
        let reason = self.reason.as_str();
        if HELM_FAILED.contains(&reason) {
            return Some(DeploymentStatus::Failed);
        }
        let succeeded = self.severity == "info" && HELM_SUCCEEDED.contains(&reason);
        succeeded.then_some(DeploymentStatus::Succeeded)
    }

    /// An artefact that was built from a commit tells it as its origin; where it doesn't, its revision is a digest, and
    /// whoever knows the commit may have annotated it.
    fn commit(&self) -> Option<Claim> {
        let mut told =
            ["originRevision", "commit", "revision"].into_iter().filter_map(|key| self.metadata(key));
        let told = told.next()?;
        revision::commit(told).map(Claim::Revision)
    }

    fn release(&self) -> Option<Claim> {
        self.metadata("release")?.trim().parse().ok().map(Claim::Release)
    }

    fn metadata(&self, key: &str) -> Option<&str> {
        self.sender.metadata.get(key).map(String::as_str).filter(|value| !value.is_empty())
    }
}

fn unprefixed(metadata: BTreeMap<String, String>) -> BTreeMap<String, String> {
    let (prefixed, plain): (Vec<_>, Vec<_>) = metadata.into_iter().partition(|(key, _)| key.contains('/'));
    let bare = |key: String| key.rsplit('/').next().unwrap_or_default().to_owned();
    // Where a key comes in both forms, the plain one was told for this event.
    prefixed.into_iter().map(|(key, value)| (bare(key), value)).chain(plain).collect()
}

#[cfg(test)]
mod tests;
