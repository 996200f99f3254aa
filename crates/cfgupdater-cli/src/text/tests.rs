use serde_json::json;

use super::*;

#[test]
fn reasons_are_shown_with_their_end() {
    let why: Why = serde_json::from_value(json!(
        {"code": "soak", "subject": "internal", "text": "release 12ab soaks", "until": "2026-01-01T00:00:00Z"}
    ))
    .unwrap();
    assert_eq!(reason(&why), "internal: release 12ab soaks (until 2026-01-01T00:00:00Z)");
    assert_eq!(super::why(&[]), "nothing waits");
}

#[test]
fn an_announcement_shows_the_whole_id() {
    let answer: Announced = serde_json::from_value(json!(
        {"intent": "a".repeat(32), "outcome": "committed", "commit": "b".repeat(40), "end": null}
    ))
    .unwrap();
    let expected = format!("committed: intent {}, commit bbbbbbbbbb", "a".repeat(32));
    assert_eq!(announced(&answer), expected);
}

#[test]
fn a_report_says_what_it_caused_and_what_is_missing() {
    let waits = json!([{"code": "targets", "subject": "staging", "text": "waiting for staging-2"}]);
    let answer: Reported =
        serde_json::from_value(json!({"recorded": true, "promoted": ["p"], "waits": waits})).unwrap();
    assert_eq!(recorded(&answer), "recorded\npromotes: intent p\nstaging: waiting for staging-2");
}

#[test]
fn an_intent_is_one_line() {
    let view: IntentView = serde_json::from_value(json!({
        "id": "a".repeat(32), "kind": "introduce", "set": "app", "wave": "staging", "release": "c".repeat(64),
        "app_sha": "d".repeat(40), "state": "on_auto", "commit": "b".repeat(40)
    }))
    .unwrap();
    assert_eq!(
        intent(&view),
        "intent aaaaaaaaaa: introduce app dddddddddd into staging, on auto as bbbbbbbbbb"
    );
}

#[test]
fn short_texts_are_left_alone() {
    assert_eq!((short("abc"), short("0123456789abcdef")), ("abc", "0123456789"));
}
