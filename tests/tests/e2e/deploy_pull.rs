//! What deploy tools answer when they are asked: Argo CD's API and Kubernetes'.

use std::path::Path;

use cfgupdater_tests::{API_TOKEN, DeployApi, Options, Remote, Service, application, eventually};

use crate::deploy_hooks::{introduce, land, metric, promoted};

/// Asks an API about every target, by the name `cfg-app-{wave}-{target}`.
pub(crate) fn options(directory: &Path, api: &DeployApi, kind: &str, interval: &str) -> Options {
    let token = directory.join("token");
    std::fs::write(&token, format!("{API_TOKEN}\n")).unwrap();
    let (tool, sender, namespace) = match kind {
        "argocd" => ("argocd", "application", "argocd"),
        _ => ("flux", "kustomization", "flux-system"),
    };
    let deploy = format!(
        "[[repo.deploy]]\nname = \"asked\"\nkind = \"{tool}\"\nsource_url = \"https://git.example.com/acme/cfg-app\"\n\
         [[repo.deploy.map]]\n{sender} = \"cfg-app-{{wave}}-{{target}}\"\nnamespace = \"{namespace}\"\n\
         [repo.deploy.pull]\napi = \"{kind}\"\nurl = \"{}\"\ntoken_file = \"{}\"\ninterval = \"{interval}\"\nper_minute = 600\n",
        api.base(),
        token.display()
    );
    Options { deploy, ..Options::default() }
}

/// Waits for a promotion on auto, and lands it.
pub(crate) fn promotion(remote: &Remote, service: &Service, wave: &str) -> String {
    let sha = land(remote, service);
    assert_eq!(remote.trailer(&sha, "Autocommit-Target"), wave);
    sha
}

/// Waits until the service has looked some times more.
pub(crate) fn let_it_look(service: &Service) {
    let seen = || service.repo()["observations"].as_u64().unwrap();
    let before = seen();
    eventually("more readings", || (seen() > before + 3).then_some(()));
}

#[test]
fn a_lost_report_is_healed_by_one_question() {
    let (remote, directory, api) = (Remote::new(), tempfile::tempdir().unwrap(), DeployApi::start());
    // So rarely that a second question would come too late for this test.
    let service = Service::with(&remote, &options(directory.path(), &api, "argocd", "1h"));
    service.announce(1);
    let sha = eventually("something on auto", || Some(remote.auto()).filter(|auto| *auto != remote.master()));
    for target in ["staging-1", "staging-2"] {
        api.application(&format!("cfg-app-staging-{target}"), &sha, "Succeeded", "Healthy");
    }
    assert_eq!(api.questions().len(), 0, "nothing waits for a target yet");
    land(&remote, &service);
    promotion(&remote, &service, "internal");
    let asked: Vec<String> = api.questions().into_iter().filter(|path| path.contains("staging")).collect();
    assert_eq!(asked.len(), 2, "{asked:?}");
    assert_eq!(asked[0], "/api/v1/applications/cfg-app-staging-staging-1?appNamespace=argocd");
    let log = service.log();
    let report = log.iter().find(|item| item["record"] == "reported").unwrap();
    assert!(report["report"]["asked_at"].is_string(), "{report}");
    assert_eq!(report["report"]["actor"], "asked");
}

#[test]
fn nobody_is_asked_while_nothing_waits() {
    let (remote, directory, api) = (Remote::new(), tempfile::tempdir().unwrap(), DeployApi::start());
    let service = Service::with(&remote, &options(directory.path(), &api, "argocd", "100ms"));
    let_it_look(&service);
    assert_eq!(api.questions().len(), 0);
    let sha = introduce(&remote, &service, 1);
    for target in ["staging-1", "staging-2"] {
        api.application(&format!("cfg-app-staging-{target}"), &sha, "Running", "Progressing");
    }
    eventually("some questions", || (api.questions().len() > 6).then_some(()));
    let before = remote.tip("cfgupdater/state");
    let_it_look(&service);
    assert_eq!(remote.tip("cfgupdater/state"), before, "what goes on is not reported");
    for target in ["staging-1", "staging-2"] {
        api.application(&format!("cfg-app-staging-{target}"), &sha, "Succeeded", "Healthy");
    }
    let internal = promotion(&remote, &service, "internal");
    api.application("cfg-app-internal-internal-1", &internal, "Succeeded", "Healthy");
    promotion(&remote, &service, "production");
    // Nothing comes after production, so nothing waits for its targets, and for no other either.
    let_it_look(&service);
    let asked = api.questions();
    let_it_look(&service);
    assert_eq!(api.questions().len(), asked.len());
    assert!(!asked.iter().any(|path| path.contains("production")), "{asked:?}");
    assert!(metric(&service, "cfgupdater_polls_total{repo=\"cfg-app\"}") > 6);
}

#[test]
fn an_answer_moves_a_target_back_and_a_word_that_was_sent_does_not() {
    let (remote, directory, api) = (Remote::new(), tempfile::tempdir().unwrap(), DeployApi::start());
    let service = Service::with(&remote, &options(directory.path(), &api, "argocd", "100ms"));
    let older = introduce(&remote, &service, 1);
    let newer = introduce(&remote, &service, 2);
    // An early word: it never came to run.
    service.deployed("staging", "staging-1", &newer, "succeeded").ok();
    assert_eq!(service.deployed("staging", "staging-1", &older, "succeeded").ok()["recorded"], false);
    api.application("cfg-app-staging-staging-1", &older, "Succeeded", "Healthy");
    eventually("the target moved back", || {
        let log = service.log();
        let back = log.iter().find(|item| item["report"]["revoked"].is_array()).cloned();
        back.filter(|item| item["report"]["revision"] == older.as_str())
    });
    let second = service.deployed("staging", "staging-2", &newer, "succeeded").ok();
    assert_eq!(promoted(&second), 0, "staging-1 doesn't run it: {second}");
    // What was sent before the tool was asked, sent once more: it restores no proof that the answer took back.
    let early = application("cfg-app-staging-staging-1", &newer, "Succeeded", "Healthy");
    let replayed = service.server().post("/v1/repos/cfg-app/hooks/argocd", &early).ok();
    assert_eq!((&replayed["recorded"], promoted(&replayed)), (&false.into(), 0), "{replayed}");
    api.application("cfg-app-staging-staging-1", &newer, "Succeeded", "Healthy");
    promotion(&remote, &service, "internal");
}

#[test]
fn an_api_that_is_away_or_refuses_stops_nothing_else_and_shows_no_secret() {
    let (remote, directory, api) = (Remote::new(), tempfile::tempdir().unwrap(), DeployApi::start());
    let service = Service::with(&remote, &options(directory.path(), &api, "argocd", "100ms"));
    api.set_down(true);
    let sha = introduce(&remote, &service, 1);
    let failed = || metric(&service, "cfgupdater_failed_polls_total{repo=\"cfg-app\"}");
    eventually("failed questions", || (failed() > 1).then_some(()));
    assert_eq!(service.deployed("staging", "staging-1", &sha, "succeeded").ok()["recorded"], true);
    // Found again, but without what is configured.
    api.set_down(false);
    let before = failed();
    eventually("an application that isn't there", || (failed() > before).then_some(()));
    std::fs::write(directory.path().join("token"), "canary-wrong\n").unwrap();
    let before = failed();
    eventually("a refusal", || (failed() > before).then_some(()));
    std::fs::write(directory.path().join("token"), format!("{API_TOKEN}\n")).unwrap();
    for target in ["staging-1", "staging-2"] {
        api.application(&format!("cfg-app-staging-{target}"), &sha, "Succeeded", "Healthy");
    }
    promotion(&remote, &service, "internal");
    let log = service.stop();
    assert!(log.contains("can't ask") && log.contains("answered 503"), "{log}");
    assert!(!log.contains("canary"), "{log}");
}

#[test]
fn the_main_job_by_argo_cd_and_flux_alone() {
    let (remote, directory) = (Remote::new(), tempfile::tempdir().unwrap());
    let (argo_cd, kubernetes) = (DeployApi::start(), DeployApi::start());
    let mut options = options(directory.path(), &argo_cd, "argocd", "100ms");
    options.deploy = options.deploy.replace("[repo.deploy.pull]", "wave = \"staging\"\n[repo.deploy.pull]");
    let flux = self::options(directory.path(), &kubernetes, "kubernetes", "100ms").deploy;
    let flux = flux.replace("name = \"asked\"", "name = \"kubernetes\"");
    options.deploy.push_str(&flux.replace("[repo.deploy.pull]", "wave = \"internal\"\n[repo.deploy.pull]"));
    let service = Service::with(&remote, &options);

    let first = introduce(&remote, &service, 1);
    argo_cd.application("cfg-app-staging-staging-1", &first, "Succeeded", "Healthy");
    argo_cd.application("cfg-app-staging-staging-2", &first, "Succeeded", "Healthy");
    let internal = promotion(&remote, &service, "internal");
    kubernetes.kustomization("cfg-app-internal-internal-1", &internal, "False", "HealthCheckFailed");
    service.eventually_why("internal-1 reported that release");
    kubernetes.kustomization("cfg-app-internal-internal-1", &internal, "True", "ReconciliationSucceeded");
    let production = promotion(&remote, &service, "production");
    assert_eq!(
        remote.file(&production, "images/production/digests.json"),
        remote.file(&first, "images/staging/digests.json")
    );
    let asked = kubernetes.questions();
    let path = "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/flux-system/kustomizations/cfg-app-internal-internal-1";
    assert!(asked.iter().all(|question| question == path), "{asked:?}");
    remote.fsck();
}

#[test]
fn skewed_targets_under_fast_announcements_still_promote() {
    let (remote, directory, api) = (Remote::new(), tempfile::tempdir().unwrap(), DeployApi::start());
    let service = Service::with(&remote, &options(directory.path(), &api, "argocd", "100ms"));
    let commits: Vec<String> = (1..=4).map(|n| introduce(&remote, &service, n)).collect();
    // staging-1 is always ahead. Neither ever says a word about the first release, which was superseded at once.
    let runs = |target: &str, n: usize| {
        api.application(&format!("cfg-app-staging-{target}"), &commits[n - 1], "Succeeded", "Healthy");
    };
    let known = |target: &str, n: usize| {
        eventually("the target's word", || {
            let status = service.repo();
            let targets = status["waves"][0]["targets"].as_array()?.clone();
            let found = targets.into_iter().find(|known| known["name"] == target)?;
            let release = release_at(&service, &commits[n - 1])?;
            (found["reports"][0]["release"] == release.as_str()).then_some(())
        });
    };
    runs("staging-1", 2);
    known("staging-1", 2);
    runs("staging-1", 3);
    known("staging-1", 3);
    runs("staging-2", 2);
    known("staging-2", 2);
    let promoted = promotion(&remote, &service, "internal");
    assert_eq!(remote.trailer(&promoted, "Autocommit-Config-SHA"), commits[1], "the newest that both ran");
    runs("staging-1", 4);
    known("staging-1", 4);
    runs("staging-2", 4);
    let promoted = promotion(&remote, &service, "internal");
    assert_eq!(remote.trailer(&promoted, "Autocommit-Config-SHA"), commits[3]);
}

/// Finds the release that a commit introduced, by the audit trail.
fn release_at(service: &Service, commit: &str) -> Option<String> {
    let log = service.log();
    let ended = log.iter().find(|item| item["record"] == "ended" && item["commit"] == commit)?;
    let intent = service.get(&format!("/v1/repos/cfg-app/intents/{}", ended["id"].as_str()?)).ok();
    intent["release"].as_str().map(str::to_owned)
}

#[test]
fn applications_can_be_read_from_kubernetes_too() {
    let (remote, directory, api) = (Remote::new(), tempfile::tempdir().unwrap(), DeployApi::start());
    let mut options = options(directory.path(), &api, "argocd", "100ms");
    options.deploy = options.deploy.replace("api = \"argocd\"", "api = \"kubernetes\"");
    let service = Service::with(&remote, &options);
    let sha = introduce(&remote, &service, 1);
    for target in ["staging-1", "staging-2"] {
        let name = format!("cfg-app-staging-{target}");
        let path = format!("/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/{name}");
        api.put(&path, application(&name, &sha, "Succeeded", "Healthy"));
    }
    promotion(&remote, &service, "internal");
}
