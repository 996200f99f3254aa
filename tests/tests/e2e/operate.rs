//! What operators do, by the API, with its traces in the audit trail.

use cfgupdater_tests::{Remote, Service, eventually, images};
use serde_json::{Value, json};

fn operate(service: &Service, path: &str, body: &Value) -> Value {
    service.server().post(&format!("/v1/repos/cfg-app/{path}"), body).ok()
}

/// Announces build `n`, lets it pass, waits until it has landed, and returns the commit.
fn land(service: &Service, n: u32) -> String {
    let told = service.announce(n);
    let commit = told["commit"].as_str().unwrap();
    service.status(commit, "ci", "success");
    let end = service.end_of(told["intent"].as_str().unwrap());
    assert_eq!(end["end"], "landed");
    end["commit"].as_str().unwrap().to_owned()
}

#[test]
fn a_held_wave_queues_introductions_until_it_is_released() {
    let remote = Remote::new();
    let service = Service::start(&remote);
    assert_eq!(operate(&service, "waves/staging/hold", &json!({"reason": "incident 7"}))["changed"], true);
    let told = service.announce_reply(1);
    assert_eq!((told.status, &told.body["outcome"]), (202, &json!("queued")));
    service.eventually_why("incident 7");
    assert_eq!(remote.auto(), remote.master());
    operate(&service, "waves/staging/release", &json!({"reason": "over"}));
    eventually("the commit", || (remote.auto() != remote.master()).then_some(()));
    let log = serde_json::to_string(&service.log()).unwrap();
    assert!(log.contains("incident 7") && log.contains("\"released\""), "{log}");
}

#[test]
fn holding_a_wave_takes_back_what_was_on_its_way() {
    let remote = Remote::new();
    let service = Service::start(&remote);
    let commit = land(&service, 1);
    for target in ["staging-1", "staging-2"] {
        service.deployed("staging", target, &commit, "succeeded").ok();
    }
    eventually("the promotion", || (remote.auto() != remote.master()).then_some(()));
    let promotion = remote.auto();
    operate(&service, "waves/internal/hold", &json!({"reason": "audit"}));
    eventually("its withdrawal", || (remote.auto() == remote.master()).then_some(()));
    service.status(&promotion, "ci", "success");
    service.eventually_why("audit");
    assert_eq!(remote.master(), commit, "a late green result lands nothing in a held wave");
    operate(&service, "waves/internal/release", &json!({"reason": "done"}));
    eventually("the promotion again", || (remote.auto() != remote.master()).then_some(()));
}

#[test]
fn a_rollback_holds_the_wave_and_brings_the_old_images_back() {
    let remote = Remote::new();
    let service = Service::start(&remote);
    let first = land(&service, 1);
    land(&service, 2);
    let asked = json!({"to": first, "reason": "build 2 is slow"});
    let told = operate(&service, "waves/staging/rollback", &asked);
    let intent = told["intents"][0].as_str().unwrap().to_owned();
    let back = eventually("its commit", || (remote.auto() != remote.master()).then(|| remote.auto()));
    assert_eq!(remote.trailer(&back, "Autocommit-Kind"), "rollback");
    assert_eq!(remote.trailer(&back, "Autocommit-Config-SHA"), first);
    service.status(&back, "ci", "success");
    assert_eq!(service.end_of(&intent)["end"], "landed");
    for file in ["images/staging/tags.json", "images/staging/digests.json"] {
        assert_eq!(remote.file("master", file), remote.file(&first, file));
    }
    // Automation does not undo it: the next build waits for the release of the hold.
    assert_eq!(service.announce_reply(3).body["outcome"], "queued");
    assert_eq!(remote.master(), back);
    let bad = json!({"to": "ab".repeat(20), "reason": "x"});
    service.server().post("/v1/repos/cfg-app/waves/staging/rollback", &bad).refused(422);
}

#[test]
fn while_landing_is_paused_checks_go_on_and_nothing_lands() {
    let remote = Remote::new();
    let service = Service::start(&remote);
    let before = remote.master();
    operate(&service, "pause", &json!({"reason": "release of the year"}));
    let told = service.announce(1);
    service.status(told["commit"].as_str().unwrap(), "ci", "success");
    service.eventually_why("release of the year");
    assert_eq!(remote.master(), before);
    operate(&service, "resume", &json!({"reason": "over"}));
    assert_eq!(service.end_of(told["intent"].as_str().unwrap())["end"], "landed");
}

#[test]
fn a_waived_target_is_not_waited_for() {
    let remote = Remote::new();
    let service = Service::start(&remote);
    let commit = land(&service, 1);
    service.deployed("staging", "staging-1", &commit, "succeeded").ok();
    assert_eq!(remote.auto(), remote.master());
    operate(&service, "waves/staging/targets/staging-2/waive", &json!({"reason": "cluster is gone"}));
    eventually("the promotion", || (remote.auto() != remote.master()).then_some(()));
    assert!(service.repo().to_string().contains("cluster is gone"));
}

#[test]
fn an_intent_is_withdrawn_and_tried_again() {
    let remote = Remote::new();
    let service = Service::start(&remote);
    let told = service.announce(1);
    let id = told["intent"].as_str().unwrap();
    operate(&service, &format!("intents/{id}/withdraw"), &json!({"reason": "wrong build"}));
    assert_eq!(service.end_of(id)["end"], "withdrawn");
    eventually("an empty auto", || (remote.auto() == remote.master()).then_some(()));
    operate(&service, &format!("intents/{id}/retry"), &json!({"reason": "it was right after all"}));
    let again = eventually("its commit", || (remote.auto() != remote.master()).then(|| remote.auto()));
    service.status(&again, "ci", "success");
    assert_eq!(service.end_of(id)["end"], "landed");
    let path = |action: &str| format!("/v1/repos/cfg-app/intents/{id}/{action}");
    for action in ["retry", "withdraw"] {
        service.server().post(&path(action), &json!({"reason": "x"})).refused(409);
    }
    let unknown = format!("/v1/repos/cfg-app/intents/{}/retry", "0".repeat(32));
    service.server().post(&unknown, &json!({"reason": "x"})).refused(404);
}

#[test]
fn a_key_makes_a_repeated_call_harmless() {
    let remote = Remote::new();
    let service = Service::start(&remote);
    let first = land(&service, 1);
    land(&service, 2);
    let asked = json!({"to": first, "reason": "slow"});
    let path = "/v1/repos/cfg-app/waves/staging/rollback";
    let told = service.server().post_with_key(path, &asked, "incident-7").ok();
    let again = service.server().post_with_key(path, &asked, "incident-7").ok();
    assert_eq!((&again["changed"], &again["intents"]), (&json!(false), &told["intents"]));
    let other = json!({"to": first, "reason": "another"});
    service.server().post_with_key(path, &other, "incident-7").refused(409);
}

#[test]
fn a_dry_run_says_what_would_change_and_writes_nothing() {
    let remote = Remote::new();
    let service = Service::start(&remote);
    land(&service, 1);
    let refs = remote.refs();
    let path = format!("/v1/repos/cfg-app/images?app_sha={}&dry_run=true", cfgupdater_tests::app_sha(2));
    let told = service.server().post(&path, &images(&["Service1", "Service3"], 2)).ok();
    assert_eq!(told["outcome"], "committed");
    let services: Vec<&str> =
        told["changes"].as_array().unwrap().iter().map(|c| c["service"].as_str().unwrap()).collect();
    assert_eq!(services, ["Service1", "Service2", "Service3"]);
    assert_eq!(told["changes"][1]["to"], Value::Null);
    assert_eq!(remote.refs(), refs);
}

#[test]
fn every_action_needs_a_reason_and_the_scope() {
    let remote = Remote::new();
    let service = Service::start(&remote);
    let refs = remote.refs();
    for path in ["pause", "resume", "accept", "waves/staging/hold", "waves/staging/targets/staging-1/waive"] {
        let path = format!("/v1/repos/cfg-app/{path}");
        service.server().post(&path, &json!({"reason": " "})).refused(422);
        service.server().post(&path, &json!({})).refused(422);
        service.server().with_token("token-read").post(&path, &json!({"reason": "x"})).refused(403);
    }
    service.server().post("/v1/repos/cfg-app/waves/moon/hold", &json!({"reason": "x"})).refused(404);
    assert_eq!(remote.refs(), refs);
}
