//! The adapter against a GitHub that somebody else wrote, without anything of ours between them.

use cfgupdater_core::{ErrorKind, Forge};
use cfgupdater_forge_github::{GithubForge, Login};
use cfgupdater_forge_http::SecretSource;
use cfgupdater_tests_github::{APP, Emulate, KEY};
use serde_json::{Value, json};

use crate::site::{SECRETS, commit, settings_at};

fn emulate() -> Option<Emulate> {
    // Nobody listens there: what it delivers is seen in the end-to-end tests.
    Emulate::start("http://127.0.0.1:9/", SECRETS[0]).map_err(|why| eprintln!("skipped: {why}")).ok()
}

fn forge(emulate: &Emulate, app: u64) -> GithubForge {
    let directory = tempfile::tempdir().unwrap();
    let mut settings = settings_at(emulate.base(), &directory);
    settings.login = Login::App { id: app, key: SecretSource::file(KEY), installation: None };
    GithubForge::new(settings).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_apps_word_is_taken_and_its_token_is_for_what_is_needed() {
    let Some(emulate) = emulate() else { return };
    let login = forge(&emulate, APP).git_credentials().await.unwrap().unwrap();
    assert_eq!(login.username, "x-access-token");
    assert!(login.password.starts_with("ghs_"));
    let (_, made) = emulate.ask("GET", "/_emulate/installation-tokens", &Value::Null);
    let made =
        made["installation_tokens"].as_array().or_else(|| made.as_array()).unwrap().last().unwrap().clone();
    assert_eq!(made["repository_selection"], "selected", "{made}");
    let wanted = json!({
        "administration": "read", "checks": "read", "contents": "write", "metadata": "read", "statuses": "read"
    });
    assert_eq!(made["permissions"], wanted, "{made}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_it_does_not_know_is_refused() {
    let Some(emulate) = emulate() else { return };
    let error = forge(&emulate, APP + 1).git_credentials().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthenticated, "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rights_and_events_of_the_installation_are_read() {
    let Some(emulate) = emulate() else { return };
    let found = forge(&emulate, APP).preflight().await.unwrap();
    assert!(found.iter().all(|finding| !finding.fatal), "{found:?}");
    let missing = "the App doesn't subscribe to repository_ruleset";
    assert!(found.iter().any(|finding| finding.problem.starts_with(missing)), "{found:?}");
}

/// What emulate 0.12.2 does otherwise than GitHub, which is why our own stands in for it there. Fails where a newer one
/// does better: then it can do more in the tests.
#[tokio::test(flavor = "multi_thread")]
async fn what_emulate_lacks() {
    let Some(emulate) = emulate() else { return };
    let get = |target: &str| emulate.ask("GET", &format!("/repos/acme/cfg{target}"), &Value::Null);
    let said =
        |answer: &(u16, Value)| (answer.0, answer.1["message"].as_str().unwrap_or_default().to_owned());
    let not_found = (404, "Not Found".to_owned());
    let sha = get("/branches/master").1["commit"]["sha"].as_str().unwrap().to_owned();
    // No statuses, no rules, no rulesets, no deliveries.
    assert_eq!(said(&get(&format!("/commits/{sha}/statuses"))), not_found);
    assert_eq!(said(&get("/rules/branches/master")), not_found);
    assert_eq!(said(&get("/rulesets/1")), not_found);
    assert_eq!(said(&emulate.ask("GET", "/app/hook/deliveries", &Value::Null)), not_found);
    // GitHub says 422 "No commit found for SHA" of a commit that it doesn't have, and 404 "Branch not protected".
    assert_eq!(said(&get(&format!("/commits/{}/check-runs", commit(1)))), not_found);
    assert_eq!(said(&get("/branches/master/protection/required_status_checks")), not_found);
    // No pages, and no App that made a run.
    for n in 0..120 {
        emulate.run(&sha, &format!("job {n}"), "success");
    }
    let runs = get(&format!("/commits/{sha}/check-runs?per_page=100&filter=latest")).1;
    assert_eq!((runs["check_runs"].as_array().unwrap().len(), &runs["total_count"]), (120, &json!(120)));
    assert_eq!(runs["check_runs"][0]["app"], Value::Null);
    emulate.protect("master", &["ci"]);
    let required = get("/branches/master/protection/required_status_checks").1;
    assert_eq!(required["checks"], json!([{ "context": "ci", "app_id": null }]));
}
