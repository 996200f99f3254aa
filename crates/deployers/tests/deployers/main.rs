//! Both APIs do what a deploy tool must do, on a server of this process.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod server;
mod tls;

use std::time::Duration;

use async_trait::async_trait;
use cfgupdater_core::{
    Claim, CommitId, Deployments, Place, Policy, Release, SetPolicy, TargetPolicy, WavePolicy,
};
use cfgupdater_deployers::argocd::SourceUrl;
use cfgupdater_deployers::{Access, DeployApi, Mapping, Rule, SenderKind};
use cfgupdater_testkit::conformance::deployments::{Deployed, DeploymentsHarness, ToolTrouble};
use serde_json::{Value, json};

use server::{Server, TOKEN};

mod argo_cd {
    cfgupdater_testkit::deployments_conformance! {
        harness: super::Tool::argo_cd,
    }
}

mod applications_in_kubernetes {
    cfgupdater_testkit::deployments_conformance! {
        harness: super::Tool::applications,
    }
}

mod kustomizations_in_kubernetes {
    cfgupdater_testkit::deployments_conformance! {
        harness: super::Tool::kustomizations,
    }
}

mod helm_releases_in_kubernetes {
    cfgupdater_testkit::deployments_conformance! {
        harness: super::Tool::helm_releases,
    }
}

/// Where an API keeps its objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    ArgoCd,
    Applications,
    Kustomizations,
    HelmReleases,
}

struct Tool {
    kind: Kind,
    server: Server,
    api: DeployApi,
    _directory: tempfile::TempDir,
}

fn policy() -> Policy {
    let targets = ["staging-1", "staging-2"].map(|name| TargetPolicy::new(name.parse().unwrap()));
    let wave = WavePolicy::new("staging".parse().unwrap(), targets.to_vec());
    Policy::new("master".parse().unwrap(), vec![SetPolicy::new("app".parse().unwrap())], vec![wave])
}

fn rule(kind: SenderKind, name: &str) -> Rule {
    Rule {
        kind,
        name: name.to_owned(),
        namespace: Some("tools".to_owned()),
        metadata: std::collections::BTreeMap::new(),
        wave: None,
        target: None,
        set: None,
        several: false,
    }
}

impl Tool {
    async fn argo_cd() -> Self {
        Self::start(Kind::ArgoCd).await
    }

    async fn applications() -> Self {
        Self::start(Kind::Applications).await
    }

    async fn kustomizations() -> Self {
        Self::start(Kind::Kustomizations).await
    }

    async fn helm_releases() -> Self {
        Self::start(Kind::HelmReleases).await
    }

    async fn start(kind: Kind) -> Self {
        let server = Server::start().await;
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("token");
        std::fs::write(&file, format!("{TOKEN}\n")).unwrap();
        let sender = match kind {
            Kind::ArgoCd | Kind::Applications => SenderKind::Application,
            Kind::Kustomizations => SenderKind::Kustomization,
            Kind::HelmReleases => SenderKind::HelmRelease,
        };
        let mapping = Mapping::new(&[rule(sender, "cfg-{target}")], &policy()).unwrap();
        // A path before the API's own, as behind a proxy.
        let access = Access::new(&format!("{}/below", server.base())).unwrap().with_token_file(file);
        let source = SourceUrl::new("https://git.example.com/cfg.git");
        let api = match kind {
            Kind::ArgoCd => DeployApi::argo_cd("tool", access, mapping, source).unwrap(),
            _ => DeployApi::kubernetes("tool", access, mapping, source).unwrap(),
        };
        Self { kind, server, api, _directory: directory }
    }

    fn path(&self, place: &Place) -> String {
        let name = format!("cfg-{}", place.1);
        match self.kind {
            Kind::ArgoCd => format!("/below/api/v1/applications/{name}?appNamespace=tools"),
            Kind::Applications => {
                format!("/below/apis/argoproj.io/v1alpha1/namespaces/tools/applications/{name}")
            }
            Kind::Kustomizations => {
                format!("/below/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/tools/kustomizations/{name}")
            }
            Kind::HelmReleases => {
                format!("/below/apis/helm.toolkit.fluxcd.io/v2/namespaces/tools/helmreleases/{name}")
            }
        }
    }
}

fn application(phase: &str, health: &str, revision: CommitId) -> Value {
    json!({"metadata": {"name": "x"}, "status": {"health": {"status": health}, "operationState": {
        "phase": phase, "finishedAt": "2026-01-05T10:00:00Z", "syncResult": {"revision": revision.to_string()}}}})
}

fn kustomization(ready: &str, reason: &str, revision: CommitId) -> Value {
    let revision = format!("master@sha1:{revision}");
    json!({"metadata": {"generation": 2}, "spec": {"wait": true}, "status": {"observedGeneration": 2,
        "conditions": [{"type": "Ready", "status": ready, "reason": reason}],
        "lastAppliedRevision": revision, "lastAttemptedRevision": revision}})
}

/// A chart's version tells no revision: the values name the release.
fn helm_release(ready: &str, reason: &str, release: Release, generation: i64) -> Value {
    json!({"metadata": {"generation": 2}, "spec": {"values": {"cfgupdaterRelease": release.to_string()}},
        "status": {"observedGeneration": generation, "lastAttemptedRevision": "1.2.3",
            "conditions": [{"type": "Ready", "status": ready, "reason": reason}]}})
}

/// Returns the release that a Helm release names where others name a revision.
fn release_of(revision: CommitId) -> Release {
    format!("{revision}{}", "0".repeat(24)).parse().unwrap()
}

impl Tool {
    fn object(&self, what: Deployed) -> Value {
        match self.kind {
            Kind::ArgoCd | Kind::Applications => match what {
                Deployed::Runs(revision) => application("Succeeded", "Healthy", revision),
                Deployed::Failed(revision) => application("Failed", "Healthy", revision),
                Deployed::UnderWay(revision) => application("Running", "Progressing", revision),
                Deployed::Unsure(revision) => application("Succeeded", "Unknown", revision),
                _ => Value::Null,
            },
            Kind::Kustomizations => match what {
                Deployed::Runs(revision) => kustomization("True", "ReconciliationSucceeded", revision),
                Deployed::Failed(revision) => kustomization("False", "HealthCheckFailed", revision),
                Deployed::UnderWay(revision) => kustomization("Unknown", "Progressing", revision),
                Deployed::Unsure(revision) => {
                    let mut object = kustomization("True", "ReconciliationSucceeded", revision);
                    object["spec"] = json!({"wait": false});
                    object
                }
                _ => Value::Null,
            },
            Kind::HelmReleases => match what {
                Deployed::Runs(revision) => helm_release("True", "UpgradeSucceeded", release_of(revision), 2),
                Deployed::Failed(revision) => helm_release("False", "UpgradeFailed", release_of(revision), 2),
                Deployed::UnderWay(revision) => {
                    helm_release("True", "UpgradeSucceeded", release_of(revision), 1)
                }
                Deployed::Unsure(revision) => helm_release("Unknown", "Progressing", release_of(revision), 2),
                _ => Value::Null,
            },
        }
    }
}

#[async_trait]
impl DeploymentsHarness for Tool {
    fn deployments(&self) -> &dyn Deployments {
        &self.api
    }

    fn places(&self) -> [Place; 2] {
        ["staging-1", "staging-2"].map(|target| ("staging".parse().unwrap(), target.parse().unwrap()))
    }

    fn stranger(&self) -> Place {
        ("production".parse().unwrap(), "staging-1".parse().unwrap())
    }

    async fn deploy(&mut self, place: &Place, what: Deployed) {
        let object = self.object(what);
        self.server.put(&self.path(place), object);
    }

    async fn trouble(&mut self, trouble: ToolTrouble) {
        self.server.set(trouble);
    }

    fn claim(&self, revision: CommitId) -> Claim {
        match self.kind {
            Kind::HelmReleases => Claim::Release(release_of(revision)),
            _ => Claim::Revision(revision),
        }
    }

    fn secrets(&self) -> Vec<String> {
        vec![TOKEN.to_owned()]
    }
}

#[tokio::test]
async fn a_redirection_is_not_followed_with_the_login() {
    let tool = Tool::argo_cd().await;
    let thief = Server::start().await;
    let [place, _] = tool.places();
    tool.server.redirect(&tool.path(&place), &format!("{}/below", thief.base()));
    let error = tool.api.ask(&place).await.remove(0).unwrap_err();
    assert!(error.to_string().contains("302"), "{error}");
    assert_eq!(thief.questions(), 0);
}

#[tokio::test]
async fn a_server_that_is_gone_is_an_outage() {
    let tool = Tool::argo_cd().await;
    let [place, _] = tool.places();
    tool.server.stop();
    let error = tool.api.ask(&place).await.remove(0).unwrap_err();
    assert_eq!(error.kind(), cfgupdater_core::ErrorKind::Unavailable, "{error}");
    assert_eq!(tool.api.pace().interval, Duration::from_secs(30));
}

#[tokio::test]
async fn one_object_that_is_gone_silences_no_other() {
    let server = Server::start().await;
    let sets = ["app", "db"].map(|name| SetPolicy::new(name.parse().unwrap()));
    let policy = Policy { sets: sets.to_vec(), ..policy() };
    let mapping = Mapping::new(&[rule(SenderKind::Application, "{set}-{target}")], &policy).unwrap();
    let source = SourceUrl::new("https://git.example.com/cfg.git");
    let token = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(token.path(), TOKEN).unwrap();
    let access = Access::new(server.base()).unwrap().with_token_file(token.path());
    let api = DeployApi::argo_cd("tool", access, mapping, source).unwrap();
    let place = ("staging".parse().unwrap(), "staging-1".parse().unwrap());
    let revision = CommitId::new(cfgupdater_core::ObjectId::from_bytes(&[1; 20]).unwrap());
    let path = "/api/v1/applications/db-staging-1?appNamespace=tools";
    server.put(path, application("Succeeded", "Healthy", revision));
    let told = api.ask(&place).await;
    let [Err(gone), Ok(report)] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!(gone.kind(), cfgupdater_core::ErrorKind::NotFound);
    assert_eq!(report.claim, Claim::Revision(revision));
    // Whoever is away is not asked for each of them.
    server.set(ToolTrouble::Away);
    let asked = server.questions();
    assert_eq!((api.ask(&place).await.len(), server.questions()), (1, asked + 1));
}
