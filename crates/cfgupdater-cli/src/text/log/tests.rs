use serde_json::json;

use super::*;

fn page(items: &Value) -> Log {
    serde_json::from_value(json!({"items": items, "next": null})).unwrap()
}

#[test]
fn transitions_are_lines() {
    let (id, commit, state) = ("a".repeat(32), "1".repeat(40), "5".repeat(40));
    let evidence = json!({"commit": commit, "check": "ci", "outcome": "failed", "link": "https://ci/1"});
    let at = "2026-01-01T00:00:00Z";
    let shown = log(
        &page(&json!([
            {"record": "ended", "id": id, "end": "evicted", "evidence": evidence, "at": at, "state": state},
            {"record": "held", "wave": "production", "actor": "ops", "reason": "audit", "at": at, "state": state},
            {"record": "stable_seen", "commit": commit, "at": at, "state": state},
        ])),
        Paint::new(false),
    );
    let expected = "  2026-01-01T00:00:00Z  evicted  aaaaaaaaaa evicted: check `ci` failed on 1111111111
  2026-01-01T00:00:00Z  held     production by ops: audit
  2026-01-01T00:00:00Z  stable   seen at 1111111111";
    assert_eq!(shown, expected);
}

#[test]
fn what_a_newer_service_records_is_shown_as_far_as_it_is_known() {
    let items = json!([{"record": "teleported", "at": "2026-01-01T00:00:00Z", "state": "5".repeat(40)}]);
    assert_eq!(log(&page(&items), Paint::new(false)), "  2026-01-01T00:00:00Z  teleported");
}

#[test]
fn the_next_page_is_named() {
    let page = Log { items: Vec::new(), next: Some("abc".to_owned()) };
    assert_eq!(log(&page, Paint::new(false)), "  older: --after abc");
}
