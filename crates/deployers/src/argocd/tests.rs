use serde_json::{Value, json};

use super::*;

const SHA: &str = "1111111111111111111111111111111111111111";
const OTHER: &str = "2222222222222222222222222222222222222222";

fn application() -> Value {
    json!({
        "metadata": {"name": "cfg-app-staging-1", "namespace": "argocd", "labels": {"wave": "staging"}},
        "status": {
            "health": {"status": "Healthy", "lastTransitionTime": "2026-01-05T10:00:30Z"},
            "sync": {"status": "Synced", "revision": SHA},
            "operationState": {
                "phase": "Succeeded",
                "finishedAt": "2026-01-05T10:00:20Z",
                "operation": {"sync": {"revision": SHA}},
                "syncResult": {"revision": SHA, "source": {"repoURL": "https://git.example.com/acme/cfg-app"}}
            }
        }
    })
}

fn judged(application: &Value) -> Option<Outcome> {
    let source = SourceUrl::new("git@git.example.com:acme/cfg-app.git");
    outcome(application.to_string().as_bytes(), &source).unwrap()
}

/// Returns the status that an application comes to once the value at a pointer is replaced.
fn with(pointer: &str, value: Value) -> Option<DeploymentStatus> {
    let mut application = application();
    *application.pointer_mut(pointer).unwrap() = value;
    judged(&application).map(|outcome| outcome.status)
}

#[test]
fn a_healthy_application_runs_the_revision_of_its_last_operation() {
    let outcome = judged(&application()).unwrap();
    assert_eq!(outcome.status, DeploymentStatus::Succeeded);
    assert_eq!(outcome.claim, Claim::Revision(SHA.parse().unwrap()));
    assert_eq!(outcome.observed_at.unwrap().to_string(), "2026-01-05T10:00:30Z");
    let sender = sender(application().to_string().as_bytes()).unwrap();
    assert_eq!((sender.name.as_str(), sender.namespace.as_str()), ("cfg-app-staging-1", "argocd"));
}

#[test]
fn health_and_phase_decide_together() {
    use DeploymentStatus::{Failed, Succeeded};
    for (phase, health, comes_to) in [
        ("Succeeded", "Healthy", Some(Succeeded)),
        ("Succeeded", "Degraded", Some(Failed)),
        ("Succeeded", "Progressing", None),
        ("Succeeded", "Missing", None),
        ("Succeeded", "Suspended", None),
        ("Succeeded", "Unknown", None),
        ("Failed", "Healthy", Some(Failed)),
        ("Error", "Degraded", Some(Failed)),
        ("Running", "Healthy", None),
        ("Terminating", "Healthy", None),
        ("", "", None),
    ] {
        let mut application = application();
        application["status"]["operationState"]["phase"] = phase.into();
        application["status"]["health"]["status"] = health.into();
        assert_eq!(judged(&application).map(|outcome| outcome.status), comes_to, "{phase} {health}");
    }
}

#[test]
fn what_is_not_over_says_nothing() {
    assert_eq!(with("/status/operationState/finishedAt", Value::Null), None);
    assert_eq!(with("/status/operationState/syncResult", Value::Null), None);
    assert_eq!(with("/status/operationState", Value::Null), None);
    assert_eq!(with("/status", Value::Null), None);
}

#[test]
fn the_revision_is_that_of_the_operation_and_not_the_one_compared_with() {
    assert_eq!(with("/status/sync/revision", OTHER.into()), Some(DeploymentStatus::Succeeded));
    let mut application = application();
    application["status"]["sync"]["revision"] = OTHER.into();
    assert_eq!(judged(&application).unwrap().claim, Claim::Revision(SHA.parse().unwrap()));
}

#[test]
fn a_part_counts_only_where_the_whole_is_in_sync() {
    let healed = json!({"sync": {"resources": [{"kind": "Deployment", "name": "web"}]}});
    assert_eq!(with("/status/operationState/operation", healed.clone()), Some(DeploymentStatus::Succeeded));
    let mut application = application();
    application["status"]["operationState"]["operation"] = healed;
    application["status"]["sync"]["status"] = "OutOfSync".into();
    assert_eq!(judged(&application), None);
    assert_eq!(with("/status/operationState/operation", json!({"sync": {"dryRun": true}})), None);
}

#[test]
fn among_several_sources_the_configuration_repository_is_found_by_its_address() {
    let result = |sources: &[&str], revisions: &[&str]| {
        let sources: Vec<Value> = sources.iter().map(|url| json!({"repoURL": url})).collect();
        let mut application = application();
        application["status"]["operationState"]["syncResult"] =
            json!({"revision": "", "revisions": revisions, "sources": sources});
        judged(&application).map(|outcome| outcome.claim)
    };
    let (ours, chart) = ("https://git.example.com/acme/cfg-app.git", "https://charts.example.com");
    let claim = Some(Claim::Revision(SHA.parse().unwrap()));
    assert_eq!(result(&[chart, ours], &["1.2.3", SHA]), claim);
    assert_eq!(result(&[ours, "https://git.example.com/acme/values"], &[SHA, OTHER]), claim);
    assert_eq!(result(&[chart, "https://git.example.com/acme/values"], &["1.2.3", OTHER]), None);
    assert_eq!(result(&[ours, ours], &[SHA, OTHER]), None, "two commits at once");
    assert_eq!(result(&[ours, ours], &[SHA, SHA]), claim);
    assert_eq!(result(&[ours], &[SHA]), claim);
    assert_eq!(result(&[ours], &[SHA, OTHER, OTHER]), claim);
    assert_eq!(result(&[], &[]), None);
}

#[test]
fn a_charts_version_is_no_revision() {
    assert_eq!(with("/status/operationState/syncResult/revision", "1.2.3".into()), None);
}

#[test]
fn nonsense_is_refused() {
    let source = SourceUrl::new("");
    for nonsense in ["", "[]", "{}", r#"{"metadata":{}}"#, r#"{"metadata":{"name":1}}"#, "<no value>"] {
        assert!(outcome(nonsense.as_bytes(), &source).is_err(), "{nonsense}");
    }
    let deep = "[".repeat(100_000);
    assert!(outcome(deep.as_bytes(), &source).is_err());
}
