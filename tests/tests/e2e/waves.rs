//! Sets are promoted wave by wave, when every target of a wave runs them.

use cfgupdater_tests::{Remote, Service, eventually, git};
use serde_json::Value;

/// Announces build `n`, has it checked, and returns the commit that landed it.
fn introduce(remote: &Remote, service: &Service, n: u32) -> String {
    let told = service.announce(n);
    land(remote, service);
    let end = service.end_of(told["intent"].as_str().unwrap());
    end["commit"].as_str().unwrap().to_owned()
}

/// Reports the tip of auto as green and waits for master to get there.
fn land(remote: &Remote, service: &Service) -> String {
    let sha = eventually("something on auto", || Some(remote.auto()).filter(|auto| *auto != remote.master()));
    service.status(&sha, "ci", "success");
    eventually("master at auto's tip", || (remote.master() == sha).then_some(()));
    sha
}

fn promoted(answer: &Value) -> usize {
    answer["promoted"].as_array().map_or(0, Vec::len)
}

#[test]
fn a_set_goes_all_the_way_to_production() {
    let remote = Remote::new();
    let service = Service::start(&remote);
    let introduced = introduce(&remote, &service, 1);

    let first = service.deployed("staging", "staging-1", &introduced, "succeeded").ok();
    assert_eq!((&first["recorded"], promoted(&first)), (&true.into(), 0), "{first}");
    assert!(first["waits"].to_string().contains("waiting for staging-2"), "{first}");
    let second = service.deployed("staging", "staging-2", &introduced, "succeeded").ok();
    assert_eq!(promoted(&second), 1, "{second}");

    let internal = land(&remote, &service);
    assert_eq!(remote.trailer(&internal, "Autocommit-Target"), "internal");
    assert_eq!(remote.trailer(&internal, "Autocommit-From"), "staging");
    assert_eq!(remote.trailer(&internal, "Autocommit-Config-SHA"), introduced);
    for file in ["tags.json", "digests.json"] {
        let of = |wave: &str| remote.file("master", &format!("images/{wave}/{file}"));
        assert_eq!(of("internal"), of("staging"));
    }
    assert_eq!(promoted(&service.deployed("internal", "internal-1", &internal, "succeeded").ok()), 1);
    let production = land(&remote, &service);
    assert_eq!(remote.trailer(&production, "Autocommit-Target"), "production");
    assert_eq!(
        remote.file("master", "images/production/digests.json"),
        remote.file("master", "images/staging/digests.json")
    );
    for target in ["prod-1", "prod-2"] {
        assert_eq!(promoted(&service.deployed("production", target, &production, "succeeded").ok()), 0);
    }
    let again = service.deployed("production", "prod-1", &production, "succeeded").ok();
    assert_eq!(again["recorded"], false, "repeats write nothing");
    remote.fsck();
}

#[test]
fn reports_of_other_commits_with_the_same_images_are_the_same_release() {
    let remote = Remote::new();
    let service = Service::start(&remote);
    let introduced = introduce(&remote, &service, 1);
    let unrelated = remote.person().commit("docs/x.md", "x\n", "docs: x").push();
    service.deployed("staging", "staging-1", &introduced, "succeeded").ok();
    assert_eq!(promoted(&service.deployed("staging", "staging-2", &unrelated, "succeeded").ok()), 1);
}

#[test]
fn an_older_release_after_a_newer_one_promotes_nothing_older() {
    let remote = Remote::new();
    let service = Service::start(&remote);
    let older = introduce(&remote, &service, 1);
    let newer = introduce(&remote, &service, 2);
    service.deployed("staging", "staging-1", &newer, "succeeded").ok();
    assert_eq!(promoted(&service.deployed("staging", "staging-2", &newer, "succeeded").ok()), 1);
    land(&remote, &service);
    for target in ["staging-1", "staging-2"] {
        let late = service.deployed("staging", target, &older, "succeeded").ok();
        assert_eq!((&late["recorded"], promoted(&late)), (&false.into(), 0), "{late}");
    }
    assert!(
        remote.file("master", "images/internal/tags.json").unwrap().contains(&cfgupdater_tests::app_sha(2))
    );
    assert_eq!(remote.commits("master..auto").len(), 0);
}

#[test]
fn a_failed_report_stops_the_wave_and_says_so() {
    let remote = Remote::new();
    let service = Service::start(&remote);
    let introduced = introduce(&remote, &service, 1);
    let failed = service.deployed("staging", "staging-1", &introduced, "failed").ok();
    assert!(failed["waits"].to_string().contains("staging-1 reported that release"), "{failed}");
    assert_eq!(promoted(&service.deployed("staging", "staging-2", &introduced, "succeeded").ok()), 0);
    service.eventually_why("nothing leaves the wave until it reports success");
    assert_eq!(promoted(&service.deployed("staging", "staging-1", &introduced, "succeeded").ok()), 1);
}

#[test]
fn a_release_can_be_reported_by_itself() {
    let remote = Remote::new();
    let service = Service::start(&remote);
    introduce(&remote, &service, 1);
    let status = service.repo();
    let wave = &status["waves"].as_array().unwrap()[0];
    let release =
        wave["sets"].as_array().unwrap()[0]["release"].as_str().expect("the wave has a release").to_owned();
    let report = |target: &str| {
        let body = serde_json::json!({"wave": "staging", "target": target, "status": "succeeded", "release": release});
        service.server().post("/v1/repos/cfg-app/deployments", &body).ok()
    };
    assert_eq!(promoted(&report("staging-1")), 0);
    assert_eq!(promoted(&report("staging-2")), 1);
}

#[test]
fn progress_survives_an_empty_data_directory() {
    let remote = Remote::new();
    let service = Service::start(&remote);
    let introduced = introduce(&remote, &service, 1);
    service.deployed("staging", "staging-1", &introduced, "succeeded").ok();
    drop(service);
    let replica = Service::start(&remote);
    assert_eq!(promoted(&replica.deployed("staging", "staging-2", &introduced, "succeeded").ok()), 1);
    let log = git(remote.path(), &["log", "--format=%b", "cfgupdater/state"]);
    assert!(
        log.contains("Autocommit-Kind: promote\nAutocommit-Set: app\nAutocommit-Target: internal"),
        "{log}"
    );
}
