//! Bodies as GitHub writes them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::{APP, INSTALLATION, REPOSITORY, REPOSITORY_ID};

const TIME: &str = "2026-01-31T09:30:00Z";

/// Words for the state of a run that has not ended.
const UNFINISHED: [&str; 5] = ["queued", "in_progress", "waiting", "requested", "pending"];

pub(crate) fn status(id: u64, sha: &str, context: &str, state: &str, by: &str) -> Value {
    json!({
        "id": id, "node_id": "x", "state": state, "context": context, "description": null, "avatar_url": null,
        "url": format!("https://api.github.com/repos/{REPOSITORY}/statuses/{sha}"),
        "target_url": "https://ci.example/1", "created_at": TIME, "updated_at": TIME, "creator": account(by)
    })
}

pub(crate) fn run(id: u64, sha: &str, name: &str, word: &str, app: u64) -> Value {
    let unfinished = UNFINISHED.contains(&word);
    let url = format!("https://api.github.com/repos/{REPOSITORY}/check-runs/{id}");
    json!({
        "id": id, "node_id": "x", "head_sha": sha, "name": name, "url": url, "external_id": "",
        "html_url": format!("https://github.com/{REPOSITORY}/runs/{id}"), "details_url": null,
        "status": if unfinished { word } else { "completed" },
        "conclusion": if unfinished { Value::Null } else { word.into() },
        "started_at": TIME, "completed_at": if unfinished { Value::Null } else { TIME.into() },
        "output": { "title": null, "summary": null, "text": null, "annotations_count": 0, "annotations_url": format!("{url}/annotations") },
        "check_suite": { "id": 1 }, "app": integration(app), "pull_requests": []
    })
}

pub(crate) fn protection(contexts: &[&str], checks: &[Value]) -> Value {
    let url = format!(
        "https://api.github.com/repos/{REPOSITORY}/branches/master/protection/required_status_checks"
    );
    json!({ "url": url, "contexts_url": format!("{url}/contexts"), "strict": false, "contexts": contexts, "checks": checks })
}

pub(crate) fn protection_url(branch: &str) -> String {
    format!("https://api.github.com/repos/{REPOSITORY}/branches/{branch}/protection")
}

/// A file as a list shows it.
pub(crate) fn listed(name: &str, text: &str) -> Value {
    let path = format!(".github/workflows/{name}");
    let url = format!("https://api.github.com/repos/{REPOSITORY}/contents/{path}");
    json!({
        "type": "file", "name": name, "path": path, "size": text.len(), "sha": "x", "url": url, "git_url": null,
        "html_url": format!("https://github.com/{REPOSITORY}/blob/master/{path}"), "download_url": null
    })
}

/// A file with its content, which GitHub breaks into lines.
pub(crate) fn file(name: &str, text: &str) -> Value {
    let encoded = STANDARD.encode(text);
    let lines: Vec<&str> =
        encoded.as_bytes().chunks(60).filter_map(|line| std::str::from_utf8(line).ok()).collect();
    let mut file = listed(name, text);
    (file["encoding"], file["content"]) = ("base64".into(), format!("{}\n", lines.join("\n")).into());
    file
}

pub(crate) fn checks_rule(checks: &[Value]) -> Value {
    json!({
        "type": "required_status_checks", "ruleset_source_type": "Repository", "ruleset_source": REPOSITORY, "ruleset_id": 1,
        "parameters": { "required_status_checks": checks, "strict_required_status_checks_policy": false }
    })
}

pub(crate) fn repository(pushes: bool) -> Value {
    json!({
        "id": REPOSITORY_ID, "full_name": REPOSITORY, "default_branch": "master",
        "permissions": { "admin": false, "push": pushes, "pull": true }
    })
}

pub(crate) fn installation(lacks: Option<&str>) -> Value {
    let mut permissions = json!({
        "administration": "read", "checks": "read", "contents": "write", "metadata": "read", "statuses": "read"
    });
    if let (Some(lacks), Some(granted)) = (lacks, permissions.as_object_mut()) {
        granted.remove(lacks);
    }
    json!({
        "id": INSTALLATION, "account": account("acme"), "repository_selection": "selected", "app_id": APP,
        "access_tokens_url": format!("https://api.github.com/app/installations/{INSTALLATION}/access_tokens"),
        "repositories_url": "https://api.github.com/installation/repositories",
        "html_url": format!("https://github.com/organizations/acme/settings/installations/{INSTALLATION}"),
        "target_id": 1, "target_type": "Organization", "permissions": permissions,
        "events": ["check_run", "status", "push", "branch_protection_rule", "repository_ruleset"],
        "created_at": TIME, "updated_at": TIME, "single_file_name": null, "app_slug": "cfgupdater",
        "suspended_by": null, "suspended_at": null
    })
}

pub(crate) fn delivery(id: u64, guid: &str, delivered_at: &str, status_code: u16) -> Value {
    json!({
        "id": id, "guid": guid, "delivered_at": delivered_at, "redelivery": false, "duration": 0.3, "status": "x",
        "status_code": status_code, "event": "check_run", "action": "completed", "installation_id": INSTALLATION,
        "repository_id": REPOSITORY_ID
    })
}

fn integration(app: u64) -> Value {
    json!({
        "id": app, "slug": "ci", "node_id": "x", "owner": account("github"), "name": "CI", "description": null,
        "external_url": "https://ci.example", "html_url": "https://github.com/apps/ci", "created_at": TIME,
        "updated_at": TIME, "permissions": { "checks": "write" }, "events": []
    })
}

fn account(login: &str) -> Value {
    let url = |rest: &str| format!("https://api.github.com/users/{login}{rest}");
    json!({
        "login": login, "id": 1, "node_id": "x", "avatar_url": url(""), "gravatar_id": null, "url": url(""),
        "html_url": format!("https://github.com/{login}"), "followers_url": url("/followers"),
        "following_url": url("/following"), "gists_url": url("/gists"), "starred_url": url("/starred"),
        "subscriptions_url": url("/subscriptions"), "organizations_url": url("/orgs"), "repos_url": url("/repos"),
        "events_url": url("/events"), "received_events_url": url("/received_events"), "type": "User", "site_admin": false
    })
}
