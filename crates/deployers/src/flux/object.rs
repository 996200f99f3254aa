//! A `Kustomization` or a `HelmRelease` as Kubernetes keeps it.

use std::collections::BTreeMap;

use cfgupdater_core::{Claim, DeploymentStatus};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::reason::{HELM_FAILED, KUSTOMIZATION_FAILED};
use super::revision;
use crate::mapping::SenderKind;
use crate::outcome::{Outcome, Unreadable, instant, nullable, read};

/// The annotation among `commonMetadata` by which a Helm release names the release it deploys. Its own annotation of
/// that name, which Flux puts into its events, is not believed here: changing it is no new generation, so that the object
/// would claim the new release with what it said of the old one.
const RELEASE: &str = "event.toolkit.fluxcd.io/release";

#[derive(Debug, Deserialize)]
struct Object {
    metadata: Metadata,
    #[serde(default, deserialize_with = "nullable")]
    spec: Spec,
    #[serde(default, deserialize_with = "nullable")]
    status: Status,
}

#[derive(Debug, Deserialize)]
struct Metadata {
    #[serde(default)]
    generation: i64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Spec {
    #[serde(deserialize_with = "nullable")]
    wait: bool,
    #[serde(deserialize_with = "nullable")]
    health_checks: Vec<IgnoredAny>,
    #[serde(deserialize_with = "nullable")]
    values: Values,
    #[serde(deserialize_with = "nullable")]
    common_metadata: CommonMetadata,
}

/// The values of a chart: anything; only our own key is read.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Values {
    #[serde(deserialize_with = "nullable")]
    cfgupdater_release: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct CommonMetadata {
    #[serde(deserialize_with = "nullable")]
    annotations: BTreeMap<String, String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    #[serde(deserialize_with = "nullable")]
    observed_generation: i64,
    #[serde(deserialize_with = "nullable")]
    conditions: Vec<Condition>,
    #[serde(deserialize_with = "nullable")]
    last_applied_revision: String,
    #[serde(deserialize_with = "nullable")]
    last_applied_origin_revision: String,
    #[serde(deserialize_with = "nullable")]
    last_attempted_revision: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Condition {
    #[serde(rename = "type")]
    name: String,
    status: String,
    #[serde(default)]
    reason: String,
    last_transition_time: Option<String>,
    observed_generation: Option<i64>,
}

/// Reads what a Kustomization or a Helm release says of what it deploys; `None` while it says nothing: it is being
/// reconciled, has not seen its own last change, or doesn't wait for health (`wait` or `healthChecks`).
///
/// # Errors
/// Fails where it isn't such an object.
pub fn outcome(kind: SenderKind, json: &[u8]) -> Result<Option<Outcome>, Unreadable> {
    let object: Object = read("an object of Flux", json)?;
    Ok(match kind {
        SenderKind::Kustomization => kustomization(&object),
        SenderKind::HelmRelease => helm_release(&object),
        SenderKind::Application => None,
    })
}

fn kustomization(object: &Object) -> Option<Outcome> {
    let (ready, status) = (object.ready()?, &object.status);
    let (outcome, revision) = match ready.status.as_str() {
        "True" if object.is_seen() && object.spec.tells_health() => {
            let origin = &status.last_applied_origin_revision;
            let revision = if origin.is_empty() { &status.last_applied_revision } else { origin };
            (DeploymentStatus::Succeeded, revision)
        }
        // Where its source is an artefact, the commit of a failed attempt isn't told.
        "False" if KUSTOMIZATION_FAILED.contains(&ready.reason.as_str()) => {
            (DeploymentStatus::Failed, &status.last_attempted_revision)
        }
        _ => return None,
    };
    let claim = Claim::Revision(revision::commit(revision)?);
    Some(Outcome::new(outcome, claim, instant(ready.last_transition_time.as_deref())))
}

fn helm_release(object: &Object) -> Option<Outcome> {
    let ready = object.ready().filter(|_| object.is_seen())?;
    let outcome = match ready.status.as_str() {
        "True" => DeploymentStatus::Succeeded,
        "False" if HELM_FAILED.contains(&ready.reason.as_str()) => DeploymentStatus::Failed,
        _ => return None,
    };
    let claim = Claim::Release(object.spec.release()?.trim().parse().ok()?);
    Some(Outcome::new(outcome, claim, instant(ready.last_transition_time.as_deref())))
}

impl Object {
    fn ready(&self) -> Option<&Condition> {
        self.status.conditions.iter().find(|condition| condition.name == "Ready")
    }

    /// Tells whether what it says is about its present specification: it has seen it, and judged it since.
    fn is_seen(&self) -> bool {
        let present = self.metadata.generation;
        let judged = self.ready().and_then(|ready| ready.observed_generation);
        self.status.observed_generation == present && judged.is_none_or(|judged| judged == present)
    }
}

impl Spec {
    fn tells_health(&self) -> bool {
        self.wait || !self.health_checks.is_empty()
    }

    fn release(&self) -> Option<&str> {
        let value = Some(self.values.cfgupdater_release.as_str()).filter(|value| !value.is_empty());
        value.or_else(|| self.common_metadata.annotations.get(RELEASE).map(String::as_str))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const SHA: &str = "1111111111111111111111111111111111111111";
    const OTHER: &str = "2222222222222222222222222222222222222222";

    fn object(ready: &str, reason: &str) -> Value {
        json!({
            "metadata": {
                "name": "apps", "generation": 3,
                "annotations": {"event.toolkit.fluxcd.io/release": "cd".repeat(32)}
            },
            "spec": {"wait": true, "values": {"replicas": 2, "cfgupdaterRelease": "ab".repeat(32)}},
            "status": {
                "observedGeneration": 3,
                "conditions": [
                    {"type": "Healthy", "status": "True", "reason": "x", "lastTransitionTime": "2026-01-05T09:00:00Z"},
                    {"type": "Ready", "status": ready, "reason": reason, "lastTransitionTime": "2026-01-05T10:00:00Z"}
                ],
                "lastAppliedRevision": format!("main@sha1:{SHA}"),
                "lastAttemptedRevision": format!("main@sha1:{OTHER}")
            }
        })
    }

    fn told(kind: SenderKind, object: &Value) -> Option<(DeploymentStatus, Claim)> {
        let outcome = outcome(kind, object.to_string().as_bytes()).unwrap()?;
        Some((outcome.status, outcome.claim))
    }

    fn commit(sha: &str) -> Claim {
        Claim::Revision(sha.parse().unwrap())
    }

    #[test]
    fn a_ready_kustomization_runs_what_it_applied_and_a_failed_one_not_what_it_tried() {
        let kind = SenderKind::Kustomization;
        let ready = object("True", "ReconciliationSucceeded");
        assert_eq!(told(kind, &ready), Some((DeploymentStatus::Succeeded, commit(SHA))));
        let failed = object("False", "HealthCheckFailed");
        assert_eq!(told(kind, &failed), Some((DeploymentStatus::Failed, commit(OTHER))));
        let mut artefact = object("True", "ReconciliationSucceeded");
        artefact["status"]["lastAppliedOriginRevision"] = format!("main@sha1:{OTHER}").into();
        assert_eq!(told(kind, &artefact), Some((DeploymentStatus::Succeeded, commit(OTHER))));
    }

    #[test]
    fn what_is_on_its_way_says_nothing() {
        let kind = SenderKind::Kustomization;
        for (ready, reason) in [
            ("Unknown", "Progressing"),
            ("False", "DependencyNotReady"),
            ("False", "ArtifactFailed"),
            ("False", "HealthCheckCanceled"),
        ] {
            assert_eq!(told(kind, &object(ready, reason)), None, "{reason}");
        }
        let mut unseen = object("True", "ReconciliationSucceeded");
        unseen["metadata"]["generation"] = 4.into();
        assert_eq!(told(kind, &unseen), None);
        let mut careless = object("True", "ReconciliationSucceeded");
        careless["spec"]["wait"] = false.into();
        assert_eq!(told(kind, &careless), None, "nobody looked at health");
        careless["spec"]["healthChecks"] = json!([{"kind": "Deployment"}]);
        assert!(told(kind, &careless).is_some());
        assert_eq!(told(kind, &json!({"metadata": {}})), None);
    }

    #[test]
    fn a_helm_release_is_known_by_what_its_specification_names() {
        let kind = SenderKind::HelmRelease;
        let release = Claim::Release("ab".repeat(32).parse().unwrap());
        let ready = object("True", "UpgradeSucceeded");
        assert_eq!(told(kind, &ready), Some((DeploymentStatus::Succeeded, release)));
        // What was to put a failed installation right may fail, too.
        for reason in ["UpgradeFailed", "UninstallFailed"] {
            assert_eq!(
                told(kind, &object("False", reason)),
                Some((DeploymentStatus::Failed, release)),
                "{reason}"
            );
        }
        assert_eq!(told(kind, &object("Unknown", "Progressing")), None);
        let mut common = object("True", "UpgradeSucceeded");
        common["spec"] = json!({"values": null, "commonMetadata": {"annotations": {RELEASE: " ".to_owned() + &"ab".repeat(32)}}});
        assert_eq!(told(kind, &common), Some((DeploymentStatus::Succeeded, release)));
    }

    #[test]
    fn a_helm_release_claims_nothing_before_helm_ran() {
        let kind = SenderKind::HelmRelease;
        // kustomize-controller has written the next release, and helm-controller has not looked yet: an annotation is
        // no new generation, so nothing but the specification tells.
        let mut annotated = object("True", "UpgradeSucceeded");
        annotated["spec"] = json!({});
        assert_eq!(told(kind, &annotated), None, "only events name a release by its annotation");
        let mut changed = object("True", "UpgradeSucceeded");
        changed["metadata"]["generation"] = 4.into();
        assert_eq!(told(kind, &changed), None);
        // It has seen the change, and its condition is still the one of before.
        changed["status"]["observedGeneration"] = 4.into();
        changed["status"]["conditions"][1]["observedGeneration"] = 3.into();
        assert_eq!(told(kind, &changed), None);
        changed["status"]["conditions"][1]["observedGeneration"] = 4.into();
        assert!(told(kind, &changed).is_some());
    }

    #[test]
    fn nonsense_is_refused() {
        for nonsense in ["", "{}", "[]", r#"{"metadata":{"generation":"x"}}"#] {
            assert!(outcome(SenderKind::Kustomization, nonsense.as_bytes()).is_err(), "{nonsense}");
        }
    }
}
