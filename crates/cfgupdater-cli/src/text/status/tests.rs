use serde_json::json;

use super::*;

fn example() -> RepoStatus {
    let (old, new) = ("a".repeat(64), "b".repeat(64));
    let report = |release: &str, status: &str| json!([{"set": "app", "release": release, "status": status, "at": "2026-01-01T00:00:00Z"}]);
    serde_json::from_value(json!({
        "name": "cfg-app", "reachable": true, "observations": 7, "relation": "ahead",
        "branches": [
            {"role": "stable", "name": "master", "commit": "1".repeat(40), "verdict": "green"},
            {"role": "auto", "name": "auto", "commit": "2".repeat(40)},
            {"role": "state", "name": "cfgupdater/state", "commit": null}
        ],
        "chain": [{
            "commit": "2".repeat(40), "subject": "chore: update app to cccccccccc", "intent": "e".repeat(32),
            "verdict": "pending", "checks": [
                {"name": "ci", "verdict": "pending"}, {"name": "lint", "verdict": "green"}
            ]
        }],
        "queued": [],
        "waves": [
            {"name": "staging",
             "sets": [{"set": "app", "release": new, "commit": "1".repeat(40), "app_sha": "c".repeat(40)}],
             "targets": [{"name": "staging-1", "reports": report(&new, "succeeded")},
                         {"name": "staging-2", "reports": report(&new, "failed")}]},
            {"name": "production", "held": "ops since 2026-01-01T00:00:00Z: audit",
             "sets": [{"set": "app", "release": new, "commit": null, "app_sha": null}],
             "targets": [{"name": "prod-1", "reports": report(&old, "succeeded")},
                         {"name": "prod-2", "reports": []}]}
        ],
        "why": [{"code": "held", "subject": "production", "text": "held by ops: audit"}],
        "preflight": [{"fatal": true, "problem": "the App is suspended", "remedy": "let it work again"}]
    }))
    .unwrap()
}

#[test]
fn a_page_shows_branches_chain_waves_and_why() {
    let expected = "\
cfg-app
  stable  1111111111  master            green
  auto    2222222222  auto              ahead
  state   -           cfgupdater/state
on auto, oldest first
  2222222222  pending  chore: update app to cccccccccc  ci pending
waves
  staging     app cccccccccc  bbbbbbbbbb  staging-1 ok       staging-2 failed bbbbbbbbbb
  production  app             bbbbbbbbbb  prod-1 aaaaaaaaaa  prod-2 -
              held by ops since 2026-01-01T00:00:00Z: audit
why
  production: held by ops: audit
settings of the forge
  the App is suspended; let it work again";
    assert_eq!(status(&example(), Paint::new(false)), expected);
}

#[test]
fn colours_change_nothing_but_colours() {
    let painted = status(&example(), Paint::new(true));
    assert!(painted.contains("\x1b[31mstaging-2 failed bbbbbbbbbb\x1b[0m"), "{painted}");
    let mut plain = painted;
    for code in [0, 1, 2, 31, 32, 33] {
        plain = plain.replace(&format!("\x1b[{code}m"), "");
    }
    assert_eq!(plain, status(&example(), Paint::new(false)));
}

#[test]
fn a_repository_that_cant_be_read_says_so_first() {
    let status_now = RepoStatus { reachable: false, ..example() };
    assert!(status(&status_now, Paint::new(false)).starts_with("cfg-app can't be read now\n"));
}
