use serde::Deserialize;
use serde_json::{Value, json};

use super::*;

const AT: &str = "2026-01-01T00:00:00Z";

fn release(n: u8) -> String {
    format!("{n:02x}").repeat(32)
}

fn id(n: u8) -> String {
    format!("{n:02x}").repeat(16)
}

/// An intent of release `n` of the set `app` whose id is `id(i)`.
fn accepted(i: u8, n: u8, action: &Value) -> Value {
    let mut intent = json!({
        "id": id(i), "set": "app", "wave": "staging", "release": release(n), "images": {}, "accepted_at": AT,
        "accepted_on": "1".repeat(40), "actor": "ci", "action": action
    });
    intent["wave"] = json!("staging");
    json!({"record": "accepted", "at": AT, "state": "5".repeat(40), "intent": intent})
}

fn introduced(i: u8, n: u8) -> Value {
    accepted(i, n, &json!({"kind": "introduce", "app_sha": "a".repeat(40), "sequence": null, "attempt": 1}))
}

fn promoted(i: u8, n: u8) -> Value {
    let sha = "1".repeat(40);
    accepted(
        i,
        n,
        &json!({"kind": "promote", "from": "staging", "config_sha": sha, "app_sha": null, "attempt": 1}),
    )
}

fn evicted(i: u8) -> Value {
    let evidence = json!({"commit": "1".repeat(40), "check": "ci", "outcome": "failed"});
    json!({"record": "ended", "id": id(i), "end": "evicted", "evidence": evidence, "at": AT})
}

fn trail(items: &[Value]) -> Vec<Logged> {
    items.iter().map(|item| Logged::read(item).unwrap()).collect()
}

/// The intent of release 1, with id 1.
fn intent() -> IntentView {
    serde_json::from_value(json!({
        "id": id(1), "kind": "introduce", "set": "app", "wave": "staging", "release": release(1), "state": "ended"
    }))
    .unwrap()
}

fn has(n: u8) -> WaveSet {
    let release = Some(release(n)).filter(|_| n > 0);
    WaveSet { set: "app".to_owned(), release, commit: None, app_sha: Some("a".repeat(40)) }
}

fn judged(n: u8, items: &[Value]) -> Option<Result<String, Failure>> {
    let wave = "production".parse().unwrap();
    in_wave(&wave, &intent(), &has(n), &Successors::of(&intent(), &trail(items)))
}

#[test]
fn goals_are_read_from_text() {
    assert_eq!("landed".parse(), Ok(Until::Landed));
    assert_eq!("wave=production".parse(), Ok(Until::Wave("production".parse().unwrap())));
    for wrong in ["", "wave", "wave=", "wave=a/b", "landed=x", "soon"] {
        assert!(wrong.parse::<Until>().is_err(), "{wrong:?}");
    }
}

#[test]
fn each_end_has_its_exit() {
    let exit = |end: Value| landed(&id(1), &End::deserialize(end).unwrap()).err().map(|failure| failure.exit);
    let commit = "1".repeat(40);
    assert_eq!(exit(json!({"end": "landed", "commit": commit})), None);
    assert_eq!(exit(json!({"end": "subsumed", "by": {"commit": commit}})), None);
    assert_eq!(exit(json!({"end": "superseded", "by": {"commit": commit}})), Some(Exit::GivenUp));
    let evidence = json!({"commit": commit, "check": "ci", "outcome": "failed"});
    assert_eq!(exit(json!({"end": "evicted", "evidence": evidence})), Some(Exit::GivenUp));
    assert_eq!(exit(json!({"end": "withdrawn", "reason": "held"})), Some(Exit::Failed));
    assert_eq!(exit(json!({"end": "refused", "reason": "a hook"})), Some(Exit::Failed));
}

#[test]
fn an_eviction_is_told_with_its_link() {
    let evidence =
        json!({"commit": "1".repeat(40), "check": "ci", "outcome": "failed", "link": "https://ci/1"});
    let end = End::deserialize(json!({"end": "evicted", "evidence": evidence})).unwrap();
    assert!(landed(&id(1), &end).unwrap_err().message.ends_with("see https://ci/1"));
}

#[test]
fn a_wave_is_reached_by_the_release_or_a_newer_one() {
    assert!(judged(1, &[introduced(1, 1)]).unwrap().is_ok());
    let newer = judged(2, &[introduced(2, 2), introduced(1, 1)]).unwrap().unwrap();
    assert!(newer.ends_with("which is newer"), "{newer}");
}

#[test]
fn a_wave_with_something_older_or_nothing_is_waited_for() {
    for older in [0, 9] {
        assert_eq!(judged(older, &[introduced(1, 1)]), None);
    }
}

#[test]
fn a_promotion_that_was_evicted_ends_the_wait_unless_it_is_tried_again() {
    let story = [evicted(3), promoted(3, 1), introduced(1, 1)];
    assert_eq!(judged(9, &story).unwrap().unwrap_err().exit, Exit::GivenUp);
    let retried = json!({"record": "retried", "id": id(3), "actor": "ops", "reason": "flaky", "at": AT});
    assert_eq!(judged(9, &[&[retried], &story[..]].concat()), None);
    assert_eq!(judged(9, &[evicted(3), promoted(3, 2), introduced(1, 1)]), None, "of another release");
}

#[test]
fn a_wave_or_set_that_isnt_there_is_a_mistake() {
    let wave = json!({"name": "staging", "sets": [has(1)], "targets": []});
    let status: RepoStatus = serde_json::from_value(json!({
        "name": "r", "reachable": true, "observations": 1, "branches": [], "relation": "same", "chain": [],
        "queued": [], "waves": [wave], "why": []
    }))
    .unwrap();
    let exit = |wave: &str, intent: &IntentView| {
        wave_set(&wave.parse().unwrap(), intent, &status).err().map(|failure| failure.exit)
    };
    assert_eq!(exit("staging", &intent()), None);
    assert_eq!(exit("elsewhere", &intent()), Some(Exit::Usage));
    let other = IntentView { set: Some("tools".to_owned()), ..intent() };
    assert_eq!(exit("staging", &other), Some(Exit::Usage));
}
