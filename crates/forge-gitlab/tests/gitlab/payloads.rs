//! Webhooks as GitLab sends them; see `../payloads/README.md`.

use std::path::Path;

use cfgupdater_core::{Error, Forge, WebhookDelivery, WebhookMeaning};
use cfgupdater_forge_gitlab::{GitlabForge, GitlabSettings, ProjectName};
use cfgupdater_forge_http::SecretSource;
use serde_json::Value;
use tempfile::TempDir;

use crate::site::SECRETS;

/// Delivers a body with the current secret.
pub(crate) fn deliver(forge: &GitlabForge, event: &str, body: &[u8]) -> Result<WebhookMeaning, Error> {
    let headers = [("x-gitlab-event", event), ("x-gitlab-token", SECRETS[0])];
    let headers: Vec<_> =
        headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    forge.decode_webhook(&WebhookDelivery::new(&headers, body))
}

/// Makes a forge that nobody asks anything but what webhooks mean.
pub(crate) fn forge_of(project: &ProjectName, branches: &[&str], directory: &TempDir) -> GitlabForge {
    let secret = directory.path().join("webhook");
    std::fs::write(&secret, SECRETS.join("\n")).unwrap();
    let mut settings = GitlabSettings::new(project.clone(), SecretSource::file("/nonexistent"));
    settings.webhook_secret = Some(SecretSource::file(secret));
    if let [stable, auto] = branches {
        settings.stable = Some(stable.parse().unwrap());
        settings.auto = auto.parse().unwrap();
    }
    GitlabForge::new(settings).unwrap()
}

/// Reads every payload, by its file's name.
pub(crate) fn payloads() -> Vec<(String, Vec<u8>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/payloads");
    let mut found = Vec::new();
    for folder in ["go-playground-webhooks", "drone-go-scm"] {
        for entry in std::fs::read_dir(root.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "json") {
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                found.push((name, std::fs::read(path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

/// Finds the project that a payload is about, as its own words tell it.
fn project_of(payload: &Value) -> Option<ProjectName> {
    let path = payload.pointer("/project/path_with_namespace").or_else(|| payload.get("path_with_namespace"));
    let path = path.or_else(|| payload.get("project_name"));
    path.and_then(Value::as_str)?.parse().ok()
}

/// Says what a payload must mean to a service that follows every branch of its project.
fn expected(name: &str) -> WebhookMeaning {
    let of_branches = ["push", "pipeline", "job-event", "build-event"];
    if of_branches.iter().any(|start| name.starts_with(start)) {
        WebhookMeaning::Look
    } else {
        WebhookMeaning::Ignore
    }
}

#[tokio::test]
async fn every_payload_is_accepted_and_understood() {
    let directory = tempfile::tempdir().unwrap();
    let mut looked = 0;
    for (name, body) in payloads() {
        let payload: Value = serde_json::from_slice(&body).unwrap_or_default();
        let other = forge_of(&"somebody/else".parse().unwrap(), &[], &directory);
        assert_eq!(deliver(&other, "System Hook", &body).unwrap(), WebhookMeaning::Ignore, "{name}");
        let Some(project) = project_of(&payload) else { continue };
        let meaning = deliver(&forge_of(&project, &[], &directory), "System Hook", &body).unwrap();
        // What a system hook tells of a push is a push like any other.
        let system_push = payload["object_kind"] == "push";
        let expected = if system_push { WebhookMeaning::Look } else { expected(&name) };
        assert_eq!(meaning, expected, "{name} of {project}");
        looked += usize::from(meaning == WebhookMeaning::Look);
    }
    assert!(looked >= 8, "only {looked} payloads made anybody look");
}

#[tokio::test]
async fn only_our_branches_matter() {
    let directory = tempfile::tempdir().unwrap();
    let project = "gitlab-org/gitlab-test".parse().unwrap();
    let body = payloads().into_iter().find(|(name, _)| name == "job-event.json").unwrap().1;
    for (auto, meaning) in [("gitlab-script-trigger", WebhookMeaning::Look), ("auto", WebhookMeaning::Ignore)]
    {
        let forge = forge_of(&project, &["main", auto], &directory);
        assert_eq!(deliver(&forge, "Job Hook", &body).unwrap(), meaning);
    }
}

#[tokio::test]
async fn a_project_known_by_its_number_is_found_in_jobs_and_pushes() {
    let directory = tempfile::tempdir().unwrap();
    for (file, number) in [("job-event.json", 380), ("push-event.json", 15)] {
        let body = payloads().into_iter().find(|(name, _)| name == file).unwrap().1;
        for (number, meaning) in [(number, WebhookMeaning::Look), (1, WebhookMeaning::Ignore)] {
            let forge = forge_of(&ProjectName::Number(number), &[], &directory);
            assert_eq!(deliver(&forge, "Job Hook", &body).unwrap(), meaning, "{file}");
        }
    }
}
