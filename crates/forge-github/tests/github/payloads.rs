//! Webhooks as GitHub sends them; see `../payloads/README.md`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use cfgupdater_core::{Error, Forge, WebhookDelivery, WebhookMeaning};
use cfgupdater_forge_github::{GithubForge, GithubSettings, Login};
use cfgupdater_forge_http::{Form, Secret, SecretSource, sign_hmac};
use serde_json::Value;
use tempfile::TempDir;

use crate::site::SECRETS;

/// Delivers a body that is signed with the current secret.
pub(crate) fn deliver(forge: &GithubForge, event: &str, body: &[u8]) -> Result<WebhookMeaning, Error> {
    let signature = sign_hmac(&Secret::new(SECRETS[0]).unwrap(), body, Form::Prefixed);
    let headers = [("x-github-event", event), ("x-hub-signature-256", signature.as_str())];
    let headers: Vec<_> =
        headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    forge.decode_webhook(&WebhookDelivery::new(&headers, body))
}

/// Makes a forge that nobody asks anything but what webhooks mean.
pub(crate) fn forge_of(repository: &str, directory: &TempDir) -> GithubForge {
    let secret = directory.path().join("webhook");
    std::fs::write(&secret, SECRETS.join("\n")).unwrap();
    let login = Login::Token(SecretSource::file("/nonexistent"));
    let mut settings = GithubSettings::new(repository.parse().unwrap(), login);
    settings.webhook_secret = Some(SecretSource::file(secret));
    GithubForge::new(settings).unwrap()
}

pub(crate) fn folder(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/payloads").join(name)
}

/// Reads every example, by event.
pub(crate) fn examples() -> BTreeMap<String, Vec<Value>> {
    let text = std::fs::read(folder("octokit-webhooks-examples-7.6.1/examples.json")).unwrap();
    serde_json::from_slice(&text).unwrap()
}

/// Finds the repository that a payload is about, or one of the account.
fn repository_of(payload: &Value) -> Option<String> {
    let name = payload.pointer("/repository/full_name").and_then(Value::as_str).map(str::to_owned);
    let owner = payload.pointer("/installation/account/login").and_then(Value::as_str);
    name.or_else(|| owner.map(|owner| format!("{owner}/anything")))
}

/// Says what a payload must mean to the repository it is about.
fn expected(event: &str, payload: &Value) -> WebhookMeaning {
    let branch = payload["ref"].as_str().is_some_and(|name| name.starts_with("refs/heads/"));
    match event {
        "ping" => WebhookMeaning::Ignore,
        "push" if !branch => WebhookMeaning::Ignore,
        _ => WebhookMeaning::Look,
    }
}

#[tokio::test]
async fn every_example_is_accepted_and_understood() {
    let directory = tempfile::tempdir().unwrap();
    let mut seen = 0;
    for (event, payloads) in examples() {
        for payload in payloads {
            let body = payload.to_string();
            let other = forge_of("somebody/else", &directory);
            assert_eq!(deliver(&other, &event, body.as_bytes()).unwrap(), WebhookMeaning::Ignore, "{event}");
            let Some(repository) = repository_of(&payload) else {
                assert_eq!(event, "ping", "{body}");
                continue;
            };
            let meaning = deliver(&forge_of(&repository, &directory), &event, body.as_bytes()).unwrap();
            assert_eq!(meaning, expected(&event, &payload), "{event}: {body}");
            seen += 1;
        }
    }
    assert!(seen > 50, "only {seen} examples were read");
}

/// Bodies that others collected: the file, the event, and what it must mean to the repository it is about.
const COLLECTED: [(&str, &str, WebhookMeaning); 14] = [
    ("octocrab-0.54.9/push_webhook_event.json", "push", WebhookMeaning::Ignore),
    ("octocrab-0.54.9/ping_webhook_event.json", "ping", WebhookMeaning::Ignore),
    ("octocrab-0.54.9/installation_created_webhook_event.json", "installation", WebhookMeaning::Look),
    ("octocrab-0.54.9/installation_deleted_webhook_event.json", "installation", WebhookMeaning::Look),
    (
        "octocrab-0.54.9/installation_new_permissions_accepted_webhook_event.json",
        "installation",
        WebhookMeaning::Look,
    ),
    (
        "octocrab-0.54.9/installation_repositories_removed_webhook_event.json",
        "installation_repositories",
        WebhookMeaning::Look,
    ),
    ("drone-go-scm/push.json", "push", WebhookMeaning::Look),
    ("drone-go-scm/push_branch_create.json", "push", WebhookMeaning::Look),
    ("drone-go-scm/push_branch_delete.json", "push", WebhookMeaning::Look),
    // Of events that nobody asked for, and extracts that name no repository.
    ("drone-go-scm/pipeline_hook.json", "workflow_run", WebhookMeaning::Ignore),
    ("drone-go-scm/deployment_commit.json", "deployment", WebhookMeaning::Ignore),
    ("drone-go-scm/merge_group_checks_requested.json", "merge_group", WebhookMeaning::Ignore),
    ("drone-go-scm/check_run.json", "check_run", WebhookMeaning::Ignore),
    ("drone-go-scm/status.json", "status", WebhookMeaning::Ignore),
];

/// Answers of the API, which the adapter's own tests read, and the examples.
const OTHERS: [&str; 5] = [
    "octocrab-0.54.9/commit_check_runs.json",
    "octocrab-0.54.9/hooks_delivery_list.json",
    "octocrab-0.54.9/repo_branch_status_checks.json",
    "octocrab-0.54.9/repo_hook_delivery_detail.json",
    "octokit-webhooks-examples-7.6.1/examples.json",
];

#[tokio::test]
async fn bodies_collected_by_others_are_accepted() {
    let directory = tempfile::tempdir().unwrap();
    for (file, event, meaning) in COLLECTED {
        let body = std::fs::read(folder(file)).unwrap();
        let payload: Value = serde_json::from_slice(&body).unwrap();
        let repository = repository_of(&payload).unwrap_or_else(|| "acme/cfg".to_owned());
        assert_eq!(deliver(&forge_of(&repository, &directory), event, &body).unwrap(), meaning, "{file}");
    }
}

#[test]
fn no_body_is_left_out() {
    let known: BTreeSet<String> =
        COLLECTED.iter().map(|(file, ..)| *file).chain(OTHERS).map(str::to_owned).collect();
    let mut found = BTreeSet::new();
    for origin in
        std::fs::read_dir(folder("")).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_dir())
    {
        for file in std::fs::read_dir(origin.path()).unwrap() {
            let file = file.unwrap().file_name().into_string().unwrap();
            found.insert(format!("{}/{file}", origin.file_name().to_str().unwrap()));
        }
    }
    found.retain(|file| Path::new(file).extension().is_some_and(|ending| ending == "json"));
    assert_eq!(found, known);
}

#[tokio::test]
async fn a_replayed_webhook_says_look_and_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let forge = forge_of("acme/cfg", &directory);
    let body = br#"{"repository":{"full_name":"acme/cfg"}}"#;
    for _ in 0..3 {
        assert_eq!(deliver(&forge, "status", body).unwrap(), WebhookMeaning::Look);
    }
}
