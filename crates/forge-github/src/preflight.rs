//! What would not work, found before it doesn't.

mod branches;
mod rights;
mod workflows;

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cfgupdater_core::{Error, Finding, explain};
use cfgupdater_forge_http::Trouble;
use serde_json::Value;

use crate::client::array;
use crate::forge::Inner;
use crate::repository::target;
use crate::required;
use crate::settings::Login;

use branches::{Branch, Bypass, Guard, Role};

/// How many workflows are looked at.
const WORKFLOWS: usize = 30;

/// Looks at rights, branch rules and workflows.
pub(crate) async fn examine(inner: &Inner) -> Result<Vec<Finding>, Error> {
    let mut findings = examine_rights(inner).await;
    if findings.iter().any(|finding| finding.fatal) {
        // Without rights, everything else would be found missing too.
        return Ok(findings);
    }
    let stable = inner.stable().await?;
    findings.extend(examine_branches(inner, &stable).await);
    findings.extend(examine_workflows(inner).await);
    if inner.settings.webhook_secret.is_none() {
        let problem = "webhook_secret_file is not configured, so results are seen by the timer alone";
        findings.push(Finding::warning(
            problem,
            "give the App's webhook a secret, and name a file that holds it",
        ));
    }
    Ok(findings)
}

async fn examine_rights(inner: &Inner) -> Vec<Finding> {
    let name = &inner.settings.repository;
    let what = format!("looking at the rights on {name}");
    let read = match inner.settings.login {
        Login::App { .. } => {
            inner.client.as_app(&what, &target(name, &["installation"])).await.map(Option::unwrap_or_default)
        }
        Login::Token(_) => inner.client.read(&what, &target(name, &[])).await,
    };
    match (read, &inner.settings.login) {
        (Ok(installation), Login::App { .. }) => rights::of_installation(&installation),
        (Ok(repository), Login::Token(_)) => rights::of_token(&repository),
        (Err(trouble), Login::App { .. }) if trouble.status == Some(404) => {
            vec![Finding::fatal(
                format!("the App is not installed on {name}"),
                "install it there, from the App's page",
            )]
        }
        (Err(trouble), _) => {
            let remedy = "check api_url, the repository's name, and the App's key or the token";
            vec![Finding::fatal(explain(&trouble.error), remedy)]
        }
    }
}

async fn examine_branches(inner: &Inner, stable: &str) -> Vec<Finding> {
    let settings = &inner.settings;
    let (auto, state, probe) =
        (settings.auto.to_string(), settings.state.to_string(), settings.probe.to_string());
    let mut findings = Vec::new();
    let all = [(stable, Role::Stable), (&auto, Role::Auto), (&state, Role::Ours), (&probe, Role::Ours)];
    for (name, role) in all {
        match look(inner, name).await {
            Ok(guard) => findings.extend(branches::findings(&Branch { name, role }, &guard)),
            Err(error) => findings.push(Finding::warning(
                format!("the rules of `{name}` can't be looked at: {}", explain(&error)),
                "give the App the permission Administration: read-only",
            )),
        }
    }
    findings
}

/// Reads everything that guards a branch.
async fn look(inner: &Inner, branch: &str) -> Result<Guard, Error> {
    let name = &inner.settings.repository;
    let rules = required::rules(&inner.client, name, branch).await?;
    let mut bypass = BTreeMap::new();
    let ids: BTreeSet<u64> = rules.iter().map(|rule| rule.ruleset_id).filter(|id| *id != 0).collect();
    for id in ids {
        let target = target(name, &["rulesets", &id.to_string()]);
        let ruleset: Result<Value, Trouble> = inner.client.read("reading a ruleset", &target).await;
        // Rulesets of an organisation may not be visible from here.
        bypass.insert(id, ruleset.map_or(Bypass::Unknown, |ruleset| Bypass::of(&ruleset)));
    }
    let what = format!("reading the protection of `{branch}`");
    let protection: Result<Value, Trouble> =
        inner.client.read(&what, &target(name, &["branches", branch, "protection"])).await;
    let protection = match protection {
        Ok(protection) => Some(protection),
        Err(trouble) if trouble.status == Some(404) => None,
        Err(trouble) => return Err(trouble.into()),
    };
    Ok(Guard { rules, bypass, protection })
}

async fn examine_workflows(inner: &Inner) -> Vec<Finding> {
    let name = &inner.settings.repository;
    let directory = target(name, &["contents", ".github", "workflows"]);
    let key = |file: &Value| file["path"].as_str().unwrap_or_default().to_owned();
    let listed = inner.client.list("listing the workflows", &directory, array, key).await;
    // CI may well be elsewhere.
    let Ok(listed) = listed else { return Vec::new() };
    let mut findings = Vec::new();
    for file in listed.iter().take(WORKFLOWS) {
        let file = file["name"].as_str().unwrap_or_default();
        let target = target(name, &["contents", ".github", "workflows", file]);
        let read: Result<Value, Trouble> = inner.client.read("reading a workflow", &target).await;
        let text = read.ok().and_then(|found| {
            let encoded: String = found["content"].as_str()?.split_whitespace().collect();
            String::from_utf8(STANDARD.decode(encoded).ok()?).ok()
        });
        findings.extend(workflows::findings(file, &text.unwrap_or_default(), inner.settings.auto.as_str()));
    }
    findings
}
