//! Objects and events of Argo CD and Flux at each stage of a deployment.

use serde_json::{Value, json};

use super::{Follower, Stage, Target};
use crate::deploy_api;

/// Where an API has an object.
pub(super) fn path(follower: Follower, name: &str) -> String {
    match follower {
        Follower::Application => format!("/api/v1/applications/{name}"),
        Follower::Kustomization => {
            format!("/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/flux-system/kustomizations/{name}")
        }
        Follower::HelmRelease => {
            format!("/apis/helm.toolkit.fluxcd.io/v2/namespaces/flux-system/helmreleases/{name}")
        }
    }
}

/// An application: the operation that brings it to a revision, or brought it there.
pub(super) fn application(target: &Target, stage: Stage, at: &str) -> Value {
    let (phase, health) = match stage {
        Stage::Unseen | Stage::UnderWay => ("Running", "Progressing"),
        Stage::Healthy => ("Succeeded", "Healthy"),
        // All was applied, and what came of it is broken.
        Stage::Failed => ("Succeeded", "Degraded"),
    };
    if stage == Stage::Unseen {
        return unseen_application(target);
    }
    let mut application = deploy_api::application(&target.name, &target.revision, phase, health);
    let status = &mut application["status"];
    status["health"]["lastTransitionTime"] = at.into();
    status["operationState"]["startedAt"] = at.into();
    if status["operationState"]["finishedAt"].is_string() {
        status["operationState"]["finishedAt"] = at.into();
    }
    application
}

/// Stable moved, and the last operation is still the one of before.
fn unseen_application(target: &Target) -> Value {
    let mut application = deploy_api::application(&target.name, &target.applied, "Succeeded", "Healthy");
    let status = &mut application["status"];
    status["sync"]["status"] = "OutOfSync".into();
    status["sync"]["revision"] = target.revision.as_str().into();
    if target.applied.is_empty() {
        status["operationState"] = Value::Null;
        status["health"]["status"] = "Missing".into();
    }
    application
}

fn ready(stage: Stage, reasons: [&str; 2], generation: u64, at: &str) -> Value {
    let (status, reason) = match stage {
        Stage::Unseen | Stage::UnderWay => ("Unknown", "Progressing"),
        Stage::Healthy => ("True", reasons[0]),
        Stage::Failed => ("False", reasons[1]),
    };
    json!({"type": "Ready", "status": status, "reason": reason, "message": "x", "lastTransitionTime": at,
        "observedGeneration": generation})
}

/// A kustomization that waits for health. What it applies comes from its source, so its own generation stays.
pub(super) fn kustomization(target: &Target, stage: Stage, at: &str) -> Value {
    // While its controller has not looked, what it says is of before, if there is a before.
    let (stage, attempted) = match stage {
        Stage::Unseen if target.applied.is_empty() => (Stage::UnderWay, &target.revision),
        Stage::Unseen => (Stage::Healthy, &target.applied),
        _ => (stage, &target.revision),
    };
    let applied = if stage == Stage::Healthy { attempted } else { &target.applied };
    let revision = |sha: &str| format!("master@sha1:{sha}");
    json!({
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
        "kind": "Kustomization",
        "metadata": {"name": target.name, "namespace": "flux-system", "generation": 1},
        "spec": {"wait": true, "prune": true, "path": "./x"},
        "status": {
            "observedGeneration": 1,
            "conditions": [ready(stage, ["ReconciliationSucceeded", "HealthCheckFailed"], 1, at)],
            "lastAppliedRevision": if applied.is_empty() { Value::Null } else { revision(applied).into() },
            "lastAttemptedRevision": revision(attempted)
        }
    })
}

/// A Helm release whose values name the release. While its controller has not looked, what it says is of before.
pub(super) fn helm_release(target: &Target, stage: Stage, at: &str, release: &str) -> Value {
    let observed = if stage == Stage::Unseen { target.generation - 1 } else { target.generation };
    let shown = if stage == Stage::Unseen { Stage::Healthy } else { stage };
    let ready = ready(shown, ["UpgradeSucceeded", "UpgradeFailed"], observed, at);
    json!({
        "apiVersion": "helm.toolkit.fluxcd.io/v2",
        "kind": "HelmRelease",
        "metadata": {"name": target.name, "namespace": "flux-system", "generation": target.generation},
        "spec": {"interval": "10m", "values": {"replicas": 2, "cfgupdaterRelease": release}},
        "status": {"observedGeneration": observed, "conditions": [ready], "lastAttemptedRevision": "1.2.3"}
    })
}

fn event(target: &Target, kind: (&str, &str), stage: Stage, reasons: [&str; 2], at: &str) -> Value {
    let (severity, reason) = match stage {
        Stage::Unseen | Stage::UnderWay => ("info", "Progressing"),
        Stage::Healthy => ("info", reasons[0]),
        Stage::Failed => ("error", reasons[1]),
    };
    json!({
        "involvedObject": {"apiVersion": kind.0, "kind": kind.1, "name": target.name, "namespace": "flux-system"},
        "severity": severity, "timestamp": at, "message": "x", "reason": reason, "reportingController": "x"
    })
}

/// What notification-controller sends of a kustomization.
pub(super) fn kustomization_event(target: &Target, stage: Stage, at: &str) -> Value {
    let kind = ("kustomize.toolkit.fluxcd.io/v1", "Kustomization");
    let mut event = event(target, kind, stage, ["ReconciliationSucceeded", "HealthCheckFailed"], at);
    event["metadata"] =
        json!({"revision": format!("master@sha1:{}", target.revision), "commit_status": "update"});
    event
}

/// What notification-controller sends of a Helm release.
pub(super) fn helm_release_event(target: &Target, stage: Stage, at: &str, release: &str) -> Value {
    let kind = ("helm.toolkit.fluxcd.io/v2", "HelmRelease");
    let mut event = event(target, kind, stage, ["UpgradeSucceeded", "UpgradeFailed"], at);
    event["metadata"] = json!({"revision": "1.2.3", "release": release});
    event
}
