//! What deploy tools tell by themselves: Argo CD's notifications and Flux's events.

use cfgupdater_deployers::sign;
use cfgupdater_tests::{Options, Remote, Reply, Service, application, eventually};
use serde_json::{Value, json};

const ARGO_CD: &str = "/v1/repos/cfg-app/hooks/argocd";
const FLUX: &str = "/v1/repos/cfg-app/hooks/flux";

/// Both tools, with the secrets of two clusters. Here either speaks for the same targets, of which a repository has one.
pub(crate) fn options(directory: &std::path::Path) -> Options {
    std::fs::write(directory.join("staging-1"), "current\nnext\n").unwrap();
    std::fs::write(directory.join("staging-2"), "another\n").unwrap();
    let flux = |target: &str| {
        format!(
            "[[repo.deploy]]\nname = \"flux-{target}\"\nkind = \"flux\"\nsecret_file = \"{}\"\n\
             [[repo.deploy.map]]\nkustomization = \"apps\"\nnamespace = \"flux-system\"\ntarget = \"{target}\"\nseveral = true\n\
             [[repo.deploy.map]]\nhelm_release = \"app\"\ntarget = \"{target}\"\nseveral = true\n",
            directory.join(target).display()
        )
    };
    let deploy = format!(
        "[[repo.deploy]]\nname = \"argocd\"\nkind = \"argocd\"\nsource_url = \"https://git.example.com/acme/cfg-app\"\n\
         [[repo.deploy.map]]\napplication = \"cfg-app-{{wave}}-{{target}}\"\nnamespace = \"argocd\"\nseveral = true\n{}{}",
        flux("staging-1"),
        flux("staging-2")
    );
    Options { deploy, ..Options::default() }
}

/// Lands build `n` and returns its commit.
pub(crate) fn introduce(remote: &Remote, service: &Service, n: u32) -> String {
    service.announce(n);
    land(remote, service)
}

/// Reports the tip of auto as green, and waits until master is there and the service has noted it.
pub(crate) fn land(remote: &Remote, service: &Service) -> String {
    let sha = eventually("something on auto", || Some(remote.auto()).filter(|auto| *auto != remote.master()));
    service.status(&sha, "ci", "success");
    eventually("master at auto's tip", || (remote.master() == sha).then_some(()));
    eventually("a note of it", || {
        let log = service.log();
        log.iter().any(|item| item["record"] == "ended" && item["commit"] == sha.as_str()).then_some(())
    });
    sha
}

pub(crate) fn promoted(answer: &Value) -> usize {
    answer["promoted"].as_array().map_or(0, Vec::len)
}

pub(crate) fn notify(service: &Service, application: &Value) -> Reply {
    service.server().post(ARGO_CD, application)
}

fn event(revision: &str, reason: &str, severity: &str) -> Value {
    json!({
        "involvedObject": {"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization", "name": "apps",
            "namespace": "flux-system", "uid": "0d5b"},
        "severity": severity, "timestamp": "2026-01-05T10:00:00Z", "message": "Reconciliation finished", "reason": reason,
        "metadata": {"revision": format!("master@sha1:{revision}"), "commit_status": "update"},
        "reportingController": "kustomize-controller"
    })
}

fn finished(revision: &str) -> Value {
    event(revision, "ReconciliationSucceeded", "info")
}

pub(crate) fn post(service: &Service, event: &Value, secret: &str) -> Reply {
    let body = event.to_string();
    let signature = sign(body.as_bytes(), secret).unwrap();
    service.server().post_signed(FLUX, body.as_bytes(), ("X-Signature", &signature))
}

pub(crate) fn state(remote: &Remote) -> Option<String> {
    remote.tip("cfgupdater/state")
}

/// Reads one figure of the metrics.
pub(crate) fn metric(service: &Service, line: &str) -> u64 {
    let text = service.get("/metrics").text;
    let found = text.lines().find_map(|found| found.strip_prefix(line));
    found.and_then(|value| value.trim().parse().ok()).unwrap_or_default()
}

fn outcome(service: &Service, hook: &str, outcome: &str) -> u64 {
    let labels = format!("repo=\"cfg-app\",hook=\"{hook}\",outcome=\"{outcome}\"");
    metric(service, &format!("cfgupdater_deploy_hooks_total{{{labels}}}"))
}

#[test]
fn argo_cd_tells_what_an_application_runs() {
    let (remote, directory) = (Remote::new(), tempfile::tempdir().unwrap());
    let service = Service::with(&remote, &options(directory.path()));
    let sha = introduce(&remote, &service, 1);
    let healthy =
        |target: &str| application(&format!("cfg-app-staging-{target}"), &sha, "Succeeded", "Healthy");

    for (phase, health) in [("Running", "Healthy"), ("Succeeded", "Progressing"), ("Succeeded", "Missing")] {
        let told = notify(&service, &application("cfg-app-staging-staging-1", &sha, phase, health)).ok();
        assert_eq!(told["recorded"], false, "{phase} {health}: {told}");
    }
    assert_eq!(notify(&service, &healthy("staging-1")).ok()["recorded"], true);
    let second = notify(&service, &healthy("staging-2")).ok();
    assert_eq!(promoted(&second), 1, "{second}");
    land(&remote, &service);

    let before = state(&remote);
    for _ in 0..100 {
        assert_eq!(notify(&service, &healthy("staging-2")).ok()["recorded"], false);
    }
    assert_eq!(state(&remote), before, "repeats write nothing");
    assert_eq!((outcome(&service, "argocd", "recorded"), outcome(&service, "argocd", "known")), (2, 100));
    assert_eq!(outcome(&service, "argocd", "nothing"), 3);
}

#[test]
fn an_early_success_is_taken_back_by_the_failure_that_follows() {
    let (remote, directory) = (Remote::new(), tempfile::tempdir().unwrap());
    let service = Service::with(&remote, &options(directory.path()));
    let sha = introduce(&remote, &service, 1);
    let told = |target: &str, health: &str, at: &str| {
        let mut told = application(&format!("cfg-app-staging-{target}"), &sha, "Succeeded", health);
        told["status"]["health"]["lastTransitionTime"] = at.into();
        notify(&service, &told).ok()
    };
    let early = "2026-01-05T10:00:30Z";
    assert_eq!(told("staging-1", "Healthy", early)["recorded"], true);
    assert_eq!(told("staging-1", "Degraded", "2026-01-05T10:02:00Z")["recorded"], true);
    let stopped = told("staging-2", "Healthy", early);
    assert_eq!(promoted(&stopped), 0, "{stopped}");
    service.eventually_why("staging-1 reported that release");
    // The early word, sent once more, changes nothing; the next change of health does.
    assert_eq!(told("staging-1", "Healthy", early)["recorded"], false);
    assert_eq!(promoted(&told("staging-1", "Healthy", "2026-01-05T10:05:00Z")), 1);
}

#[test]
fn argo_cd_is_heard_only_as_far_as_its_token_reaches() {
    let (remote, directory) = (Remote::new(), tempfile::tempdir().unwrap());
    let service = Service::with(&remote, &options(directory.path()));
    let sha = introduce(&remote, &service, 1);
    let before = state(&remote);
    let told = |name: &str| application(name, &sha, "Succeeded", "Healthy");
    let with = |token: &str, body: &Value| service.server().with_token(token).post(ARGO_CD, body);

    assert_eq!(service.get(ARGO_CD).status, 405, "Argo CD's default method");
    with("", &told("cfg-app-staging-staging-1")).refused(401);
    with("forged", &told("cfg-app-staging-staging-1")).refused(401);
    with("token-announce", &told("cfg-app-staging-staging-1")).refused(403);
    // The token `deployer` may speak for staging-1 alone.
    with("token-report", &told("cfg-app-staging-staging-2")).refused(403);
    for unmapped in ["something-else", "cfg-app-staging-prod-1", "cfg-app-staging-staging-1-x"] {
        assert_eq!(with("token-report", &told(unmapped)).ok()["recorded"], false, "{unmapped}");
    }
    let mut elsewhere = told("cfg-app-staging-staging-1");
    elsewhere["metadata"]["namespace"] = "somebody-elses".into();
    assert_eq!(with("token-report", &elsewhere).ok()["recorded"], false);
    with("token-report", &json!({"x": 1})).refused(422);
    let unknown = application("cfg-app-staging-staging-1", &"e".repeat(40), "Succeeded", "Healthy");
    with("token-report", &unknown).refused(422);
    assert_eq!(state(&remote), before, "nothing was written for any of it");
    assert_eq!(outcome(&service, "argocd", "unmapped"), 4);
    assert_eq!(with("token-report", &told("cfg-app-staging-staging-1")).ok()["recorded"], true);
}

#[test]
fn flux_tells_what_a_kustomization_runs_and_repeating_it_costs_nothing() {
    let (remote, directory) = (Remote::new(), tempfile::tempdir().unwrap());
    let mut options = options(directory.path());
    // No reading but those that something leads to.
    options.resync = "1h";
    let service = Service::with(&remote, &options);
    let sha = introduce(&remote, &service, 1);
    for (reason, severity) in
        [("Progressing", "info"), ("DependencyNotReady", "error"), ("ArtifactFailed", "error")]
    {
        assert_eq!(
            post(&service, &event(&sha, reason, severity), "current").ok()["recorded"],
            false,
            "{reason}"
        );
    }
    assert_eq!(post(&service, &finished(&sha), "current").ok()["recorded"], true);
    let second = post(&service, &finished(&sha), "another").ok();
    assert_eq!(promoted(&second), 1, "{second}");
    let log = service.log();
    assert!(log.iter().any(|item| item["report"]["actor"] == "flux-staging-2"), "{log:?}");

    land(&remote, &service);
    // The repository's task reads when it is called.
    let calls = || (state(&remote), metric(&service, "cfgupdater_calls_total{repo=\"cfg-app\"}"));
    let before = calls();
    assert!(before.1 > 0);
    for _ in 0..100 {
        assert_eq!(post(&service, &finished(&sha), "current").ok()["ignored"], "it is known");
    }
    assert_eq!(calls(), before, "no write, and not even a reading");
}

#[test]
fn flux_is_heard_only_where_its_own_secret_signs() {
    let (remote, directory) = (Remote::new(), tempfile::tempdir().unwrap());
    let service = Service::with(&remote, &options(directory.path()));
    let sha = introduce(&remote, &service, 1);
    let (before, event) = (state(&remote), finished(&sha));
    let body = event.to_string();
    let signed = |header: &str| service.server().post_signed(FLUX, body.as_bytes(), ("X-Signature", header));

    service.server().post(FLUX, &event).refused(401);
    let right = sign(body.as_bytes(), "current").unwrap();
    for forged in ["", "sha256=", "sha256=00", &right.replace("sha256", "sha512"), &right[7..]] {
        signed(forged).refused(401);
    }
    post(&service, &event, "token-all").refused(401);
    // A right signature of another body.
    let other = sign(b"{}", "current").unwrap();
    signed(&other).refused(401);
    assert_eq!(state(&remote), before, "nothing was written for any of it");

    // The second line of the file is valid, too; and staging-2's secret speaks for staging-2, whatever is said.
    assert_eq!(post(&service, &event, "next").ok()["recorded"], true);
    let mut claimed = event.clone();
    claimed["metadata"]["target"] = "staging-1".into();
    post(&service, &claimed, "another").ok();
    let log = service.log();
    let actors: Vec<(&Value, &Value)> = log
        .iter()
        .filter(|item| item["record"] == "reported")
        .map(|item| (&item["report"]["target"], &item["report"]["actor"]))
        .collect();
    assert!(actors.contains(&(&"staging-2".into(), &"flux-staging-2".into())), "{actors:?}");
    assert!(!actors.contains(&(&"staging-1".into(), &"flux-staging-2".into())), "{actors:?}");
    let mut stranger = event;
    stranger["involvedObject"]["name"] = "infrastructure".into();
    assert_eq!(post(&service, &stranger, "current").ok()["recorded"], false);
    assert_eq!(outcome(&service, "flux", "unmapped"), 1);
}

#[test]
fn a_replayed_event_does_not_undo_what_came_after_it() {
    let (remote, directory) = (Remote::new(), tempfile::tempdir().unwrap());
    let service = Service::with(&remote, &options(directory.path()));
    let older = introduce(&remote, &service, 1);
    let newer = introduce(&remote, &service, 2);
    assert_eq!(post(&service, &finished(&older), "current").ok()["recorded"], true);
    assert_eq!(post(&service, &finished(&newer), "current").ok()["recorded"], true);
    let mut failed = event(&newer, "HealthCheckFailed", "error");
    failed["timestamp"] = "2026-01-05T10:05:00Z".into();
    assert_eq!(post(&service, &failed, "current").ok()["recorded"], true);
    let before = state(&remote);
    for replayed in [finished(&older), finished(&newer)] {
        assert_eq!(post(&service, &replayed, "current").ok()["recorded"], false);
    }
    assert_eq!(state(&remote), before);
    service.eventually_why("staging-1 reported that release");
}

#[test]
fn a_helm_release_is_told_by_the_release_file() {
    let (remote, directory) = (Remote::new(), tempfile::tempdir().unwrap());
    let options = Options { image_set: "release_file = \"release\"", ..options(directory.path()) };
    let service = Service::with(&remote, &options);
    let sha = introduce(&remote, &service, 1);
    let release = remote.file(&sha, "images/staging/release").expect("the release is beside the images");
    let status = service.repo();
    assert_eq!(status["waves"][0]["sets"][0]["release"], release.as_str());
    let event = json!({
        "involvedObject": {"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease", "name": "app", "namespace": "app"},
        "severity": "info", "timestamp": "2026-01-05T10:00:00Z", "reason": "UpgradeSucceeded", "message": "",
        "metadata": {"helm.toolkit.fluxcd.io/revision": "1.2.3", "event.toolkit.fluxcd.io/release": format!("{release}\n")}
    });
    assert_eq!(post(&service, &event, "current").ok()["recorded"], true);
    assert_eq!(promoted(&post(&service, &event, "another").ok()), 1);
    // The same release gets the same file where it is promoted to, and equal content writes nothing.
    let promoted = land(&remote, &service);
    assert_eq!(remote.file(&promoted, "images/internal/release"), Some(release));
    let again = service.announce(1);
    assert_eq!(again["outcome"], "duplicate", "{again}");
    assert_eq!(remote.master(), promoted);
    // Another release doesn't leave the old file behind, and an evicted one takes its file along.
    let second = service.announce(2);
    let bad = eventually("something on auto", || Some(remote.auto()).filter(|auto| *auto != promoted));
    assert_ne!(remote.file(&bad, "images/staging/release"), remote.file(&promoted, "images/staging/release"));
    service.status(&bad, "ci", "failure");
    service.end_of(second["intent"].as_str().unwrap());
    eventually("auto without it", || (remote.auto() == promoted).then_some(()));
    remote.fsck();
}
