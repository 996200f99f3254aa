//! A red commit is evicted and the rest carries on.

use cfgupdater_tests::{Remote, Service, eventually};

#[test]
fn v1_red_beneath_v2_is_evicted_and_v2_lands_with_its_own_content() {
    let remote = Remote::new();
    let initial = remote.master();
    let service = Service::start(&remote);
    // A person's tip of master needs its own verdict before anybody is blamed.
    service.status(&initial, "ci", "success");
    let (red, next) = (service.announce(1), service.announce(2));
    let (red_intent, next_intent) = (red["intent"].as_str().unwrap(), next["intent"].as_str().unwrap());
    let red_sha = red["commit"].as_str().unwrap();
    let content = remote.file("auto", "images/staging/digests.json");
    let path = format!("/v1/repos/cfg-app/statuses/{red_sha}");
    let body = serde_json::json!({"context": "ci", "state": "failure", "link": "https://ci.example.com/42"});
    service.server().post(&path, &body).ok();

    let end = service.end_of(red_intent);
    assert_eq!(end["end"], "evicted", "{end}");
    let evidence = &end["evidence"];
    assert_eq!((&evidence["check"], &evidence["commit"]), (&"ci".into(), &red_sha.into()));
    assert_eq!(evidence["link"], "https://ci.example.com/42");

    let rebuilt = eventually("auto without the red commit", || {
        let commits = remote.commits("master..auto");
        (commits.len() == 1 && commits[0] != red_sha).then(|| commits[0].clone())
    });
    assert_ne!(rebuilt, next["commit"].as_str().unwrap());
    assert_eq!(remote.file(&rebuilt, "images/staging/digests.json"), content);
    assert_eq!(remote.trailer(&rebuilt, "Autocommit-Id"), next_intent);
    service.status(&rebuilt, "ci", "success");
    assert_eq!(service.end_of(next_intent)["end"], "landed");
    assert_eq!(remote.master(), rebuilt);

    let recorded =
        service.log().into_iter().find(|item| item["record"] == "ended" && item["id"] == red_intent);
    let recorded = recorded.expect("the eviction is in the log");
    assert_eq!((&recorded["end"], &recorded["evidence"]["check"]), (&"evicted".into(), &"ci".into()));
    let evicted = service.announce(1);
    assert_eq!((&evicted["outcome"], &evicted["end"]["end"]), (&"duplicate".into(), &"evicted".into()));
    remote.fsck();
}

#[test]
fn everything_is_readable_from_git_alone() {
    let remote = Remote::new();
    let service = Service::start(&remote);
    service.status(&remote.master(), "ci", "success");
    let told = service.announce(1);
    service.status(told["commit"].as_str().unwrap(), "ci", "error");
    service.end_of(told["intent"].as_str().unwrap());
    drop(service);
    let history = cfgupdater_tests::git(remote.path(), &["log", "--format=%s%n%b", "cfgupdater/state"]);
    assert!(history.contains("accept introduce of app into staging"), "{history}");
    assert!(history.contains("Autocommit-End: evicted\nAutocommit-Check: ci"), "{history}");
    let restarted = Service::start(&remote);
    let end = restarted.end_of(told["intent"].as_str().unwrap());
    assert_eq!(end["end"], "evicted");
}

#[test]
fn an_attempt_of_the_same_build_is_another_intent() {
    let remote = Remote::new();
    let service = Service::start(&remote);
    service.status(&remote.master(), "ci", "success");
    let told = service.announce(1);
    service.status(told["commit"].as_str().unwrap(), "ci", "failure");
    service.end_of(told["intent"].as_str().unwrap());
    let path = format!("/v1/repos/cfg-app/images?app_sha={}&attempt=2", cfgupdater_tests::app_sha(1));
    let again = service.server().post(&path, &cfgupdater_tests::images(&["Service1", "Service2"], 1)).ok();
    assert_eq!(again["outcome"], "committed");
    assert_ne!(again["intent"], told["intent"]);
}
