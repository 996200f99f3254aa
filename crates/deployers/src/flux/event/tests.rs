use serde_json::{Value, json};

use super::*;

const SHA: &str = "1111111111111111111111111111111111111111";

fn kustomization(severity: &str, reason: &str, metadata: &Value) -> Value {
    json!({
        "involvedObject": {
            "apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization", "name": "apps",
            "namespace": "flux-system", "resourceVersion": "7", "uid": "0d5b"
        },
        "severity": severity,
        "timestamp": "2026-01-05T10:00:00Z",
        "message": "Reconciliation finished in 1s, next run in 10m0s",
        "reason": reason,
        "metadata": metadata,
        "reportingController": "kustomize-controller",
        "reportingInstance": "kustomize-controller-0"
    })
}

fn helm_release(severity: &str, reason: &str, release: &str) -> Value {
    json!({
        "involvedObject": {"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease", "name": "web", "namespace": "web"},
        "severity": severity, "timestamp": "2026-01-05T10:00:00Z", "message": "", "reason": reason,
        "metadata": {"helm.toolkit.fluxcd.io/revision": "1.2.3", "event.toolkit.fluxcd.io/release": release}
    })
}

fn finished() -> Value {
    json!({"revision": format!("main@sha1:{SHA}"), "commit_status": "update", "cluster": "eu-1"})
}

fn outcome(event: &Value) -> Option<Outcome> {
    Event::read(event.to_string().as_bytes()).unwrap()?.outcome()
}

fn status(event: &Value) -> Option<DeploymentStatus> {
    outcome(event).map(|outcome| outcome.status)
}

#[test]
fn a_finished_reconciliation_runs_its_commit() {
    let event = kustomization("info", "ReconciliationSucceeded", &finished());
    let read = Event::read(event.to_string().as_bytes()).unwrap().unwrap();
    assert_eq!(read.sender.metadata["cluster"], "eu-1");
    let outcome = read.outcome().unwrap();
    assert_eq!(outcome.status, DeploymentStatus::Succeeded);
    assert_eq!(outcome.claim, Claim::Revision(SHA.parse().unwrap()));
    assert_eq!(outcome.observed_at.unwrap().to_string(), "2026-01-05T10:00:00Z");
}

#[test]
fn keys_with_and_without_prefix_and_revisions_of_all_versions_are_read() {
    let own = "kustomize.toolkit.fluxcd.io";
    for metadata in [
        json!({format!("{own}/revision"): format!("main@sha1:{SHA}"), format!("{own}/commit_status"): "update"}),
        json!({"revision": format!("main/{SHA}"), "commit_status": "update"}),
        json!({"revision": "latest@sha256:2222", "originRevision": format!("main@sha1:{SHA}"), "commit_status": "update"}),
    ] {
        let event = kustomization("info", "ReconciliationSucceeded", &metadata);
        assert_eq!(outcome(&event).unwrap().claim, Claim::Revision(SHA.parse().unwrap()), "{metadata}");
    }
}

#[test]
fn where_the_source_is_an_artefact_its_origin_names_the_commit_or_whoever_annotated_it() {
    let (ours, digest) =
        (Claim::Revision(SHA.parse().unwrap()), "latest@sha256:".to_owned() + &"2".repeat(64));
    let other = "3".repeat(40);
    for metadata in [
        json!({"revision": digest, "commit": SHA, "commit_status": "update"}),
        json!({"revision": digest, "event.toolkit.fluxcd.io/commit": SHA, "commit_status": "update"}),
        // Flux writes the origin itself.
        json!({"revision": digest, "originRevision": format!("main@sha1:{SHA}"), "commit": other, "commit_status": "update"}),
    ] {
        let event = kustomization("info", "ReconciliationSucceeded", &metadata);
        assert_eq!(outcome(&event).unwrap().claim, ours, "{metadata}");
    }
}

#[test]
fn events_of_the_next_version_are_read_too() {
    let mut event = kustomization("info", "ReconciliationSucceeded", &finished());
    event["action"] = "Reconciled".into();
    event["relatedObject"] =
        json!({"apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "GitRepository", "name": "x"});
    assert_eq!(status(&event), Some(DeploymentStatus::Succeeded));
}

#[test]
fn what_is_on_its_way_or_not_about_the_revision_says_nothing() {
    for (severity, reason) in [
        ("info", "Progressing"),
        ("info", "HealthCheckCanceled"),
        ("info", "DependencyNotReady"),
        ("error", "DependencyNotReady"),
        ("error", "ArtifactFailed"),
        ("error", "ReconciliationSucceeded"),
        ("trace", "ReconciliationSucceeded"),
        ("info", "info"),
    ] {
        assert_eq!(status(&kustomization(severity, reason, &finished())), None, "{severity} {reason}");
    }
    let early = json!({"revision": format!("main@sha1:{SHA}")});
    assert_eq!(status(&kustomization("info", "ReconciliationSucceeded", &early)), None, "not marked as over");
    let nowhere = json!({"commit_status": "update"});
    assert_eq!(status(&kustomization("info", "ReconciliationSucceeded", &nowhere)), None);
    assert_eq!(status(&kustomization("info", "ReconciliationSucceeded", &Value::Null)), None);
}

#[test]
fn failures_are_told() {
    for reason in KUSTOMIZATION_FAILED {
        let metadata = json!({"revision": format!("main@sha1:{SHA}")});
        assert_eq!(
            status(&kustomization("error", reason, &metadata)),
            Some(DeploymentStatus::Failed),
            "{reason}"
        );
    }
}

#[test]
fn a_helm_release_is_known_by_the_release_it_names() {
    let release = "ab".repeat(32);
    let told = outcome(&helm_release("info", "UpgradeSucceeded", &release)).unwrap();
    assert_eq!(
        (told.status, told.claim),
        (DeploymentStatus::Succeeded, Claim::Release(release.parse().unwrap()))
    );
    for reason in [
        "InstallFailed",
        "RollbackFailed",
        "RollbackSucceeded",
        "TestFailed",
        "UninstallFailed",
        "UninstallSucceeded",
        "UpgradeFailed",
    ] {
        assert_eq!(
            status(&helm_release("error", reason, &release)),
            Some(DeploymentStatus::Failed),
            "{reason}"
        );
    }
    assert_eq!(status(&helm_release("info", "ArtifactUpToDate", &release)), None);
    assert_eq!(
        status(&helm_release("info", "UpgradeSucceeded", "1.2.3")),
        None,
        "a chart's version is no release"
    );
    assert_eq!(status(&helm_release("info", "UpgradeSucceeded", SHA)), None);
}

#[test]
fn other_objects_are_passed_over_and_nonsense_is_refused() {
    let mut event = kustomization("info", "ReconciliationSucceeded", &finished());
    event["involvedObject"]["kind"] = "GitRepository".into();
    assert_eq!(Event::read(event.to_string().as_bytes()).unwrap(), None);
    event["involvedObject"]["kind"] = "Kustomization".into();
    event["involvedObject"]["apiVersion"] = "kustomize.config.k8s.io/v1beta1".into();
    assert_eq!(Event::read(event.to_string().as_bytes()).unwrap(), None);
    for nonsense in
        ["", "{}", "null", r#"{"involvedObject":{}}"#, r#"{"involvedObject":{"kind":1,"name":""}}"#]
    {
        assert!(Event::read(nonsense.as_bytes()).is_err(), "{nonsense}");
    }
}
