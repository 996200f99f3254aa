//! What would not work, found before it doesn't.

mod branches;
mod guard;
mod requirements;
mod rights;
mod workflows;

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cfgupdater_core::{Error, ErrorKind, Finding, explain};
use cfgupdater_forge_http::Trouble;
use serde_json::Value;

use crate::client::array;
use crate::forge::{Inner, Repository};
use crate::repository::target;
use crate::settings::Login;
use crate::{checks, required};

use branches::Role;
use guard::{Bypass, Guard, Protection};
use workflows::Workflow;

/// How many workflows are looked at.
const WORKFLOWS: usize = 30;

/// Looks at rights, branch rules and workflows.
///
/// # Errors
/// Fails where GitHub can't be asked just now, which is no finding: it says nothing of the settings.
pub(crate) async fn examine(inner: &Inner) -> Result<Vec<Finding>, Error> {
    let mut findings = examine_rights(inner).await?;
    if findings.iter().any(|finding| finding.fatal) {
        // Without rights, everything else would be found missing too.
        return Ok(findings);
    }
    let stable = inner.stable().await?;
    findings.extend(examine_branches(inner, &stable).await?);
    findings.extend(examine_workflows(inner, &stable).await?);
    if inner.settings.webhook_secret.is_none() {
        let problem = "webhook_secret_file is not configured, so results are seen by the timer alone";
        findings.push(Finding::warning(
            problem,
            "give the App's webhook a secret, and name a file that holds it",
        ));
    }
    Ok(findings)
}

/// Tells an answer that is about the settings from one that isn't: an outage, or a limit.
fn settled<T>(read: Result<T, Trouble>) -> Result<Result<T, Trouble>, Error> {
    match read {
        Err(trouble) if !is_about_settings(trouble.error.kind()) => Err(trouble.error),
        settled => Ok(settled),
    }
}

fn is_about_settings(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::Unauthenticated | ErrorKind::Forbidden | ErrorKind::NotFound | ErrorKind::Invalid
    )
}

async fn examine_rights(inner: &Inner) -> Result<Vec<Finding>, Error> {
    let name = &inner.settings.repository;
    let found = match &inner.settings.login {
        Login::App { installation: configured, .. } => {
            let what = format!("looking at the App's installation on {name}");
            let read = inner.client.as_app(&what, &target(name, &["installation"])).await;
            settled(read)?.map(|found| rights::of_installation(&found.unwrap_or_default(), *configured))
        }
        Login::Token(_) => {
            let what = format!("looking at the rights on {name}");
            let read = inner.client.read::<Repository>(&what, &target(name, &[])).await;
            settled(read)?.map(|repository| rights::of_token(&repository))
        }
    };
    Ok(found.unwrap_or_else(|trouble| {
        let is_app = matches!(inner.settings.login, Login::App { .. });
        vec![if is_app && trouble.status == Some(404) {
            Finding::fatal(
                format!("the App is not installed on {name}"),
                "install it there, from the App's page",
            )
        } else {
            let remedy = "check api_url, the repository's name, and the App's key or the token";
            Finding::fatal(explain(&trouble.error), remedy)
        }]
    }))
}

async fn examine_branches(inner: &Inner, stable: &str) -> Result<Vec<Finding>, Error> {
    let settings = &inner.settings;
    let (auto, state, probe) =
        (settings.auto.to_string(), settings.state.to_string(), settings.probe.to_string());
    let mut findings = Vec::new();
    let all = [(stable, Role::Stable), (&auto, Role::Ours), (&state, Role::Ours), (&probe, Role::Ours)];
    for (name, role) in all {
        match settled(look(inner, name).await)? {
            Ok(guard) => {
                findings.extend(branches::findings(name, role, &guard));
                if role == Role::Stable {
                    findings.extend(examine_requirements(inner, stable, &guard).await?);
                }
            }
            Err(trouble) => findings.push(Finding::warning(
                format!("the rules of `{name}` can't be looked at: {}", explain(&trouble.error)),
                "give the account the permission Metadata: read-only; an organisation's plan may allow no rules",
            )),
        }
    }
    Ok(findings)
}

/// Reads everything that guards a branch.
async fn look(inner: &Inner, branch: &str) -> Result<Guard, Trouble> {
    let name = &inner.settings.repository;
    let rules = required::rules(&inner.client, name, branch).await?;
    let mut bypass = BTreeMap::new();
    let ids: BTreeSet<u64> = rules.iter().map(|rule| rule.ruleset_id).filter(|id| *id != 0).collect();
    for id in ids {
        let target = target(name, &["rulesets", &id.to_string()]);
        let ruleset: Result<Value, Trouble> = inner.client.read("reading a ruleset", &target).await;
        // Rulesets of an organisation may not be visible from here.
        bypass.insert(id, settled(ruleset)?.map_or(Bypass::Unknown, |ruleset| Bypass::of(&ruleset)));
    }
    let app = match &inner.settings.login {
        Login::App { id, .. } => Some(*id),
        Login::Token(_) => None,
    };
    let guard = Guard { rules, bypass, protection: protection(inner, branch).await?, app };
    Ok(if inner.settings.signs_commits { guard.without_signatures() } else { guard })
}

/// Reads branch protection, which takes a right that an App may do without.
async fn protection(inner: &Inner, branch: &str) -> Result<Protection, Error> {
    let what = format!("reading the protection of `{branch}`");
    let target = target(&inner.settings.repository, &["branches", branch, "protection"]);
    Ok(match settled(inner.client.read(&what, &target).await)? {
        Ok(protection) => Protection::Set(protection),
        Err(trouble) if required::says_there_is_none(&trouble) => Protection::None,
        Err(_) => Protection::Hidden,
    })
}

/// Compares what GitHub requires of the stable branch with what is waited for here.
async fn examine_requirements(inner: &Inner, stable: &str, guard: &Guard) -> Result<Vec<Finding>, Error> {
    let settings = &inner.settings;
    let protection = match &guard.protection {
        Protection::Hidden => return Ok(vec![requirements::hidden(stable, &settings.required)]),
        Protection::None => None,
        Protection::Set(protection) => protection.get("required_status_checks").cloned(),
    };
    let protection = protection.map(serde_json::from_value).transpose();
    let Ok(Some(required)) = protection.and_then(|protection| required::union(protection, &guard.rules))
    else {
        return Ok(Vec::new());
    };
    let mut findings = requirements::not_waited_for(stable, &required.checks, &settings.required);
    if required.checks.iter().any(|check| check.source.is_some()) {
        let reported = settled(checks::statuses(&inner.client, &settings.repository, stable).await)?;
        let reported = reported.unwrap_or_default();
        findings.extend(requirements::never_satisfied(&required.checks, &reported));
    }
    Ok(findings)
}

async fn examine_workflows(inner: &Inner, stable: &str) -> Result<Vec<Finding>, Error> {
    let settings = &inner.settings;
    let place = |parts: &[&str]| {
        let at = [&["contents", ".github", "workflows"], parts].concat();
        format!("{}?ref={}", target(&settings.repository, &at), crate::repository::encoded(stable))
    };
    let key = |file: &Value| file["path"].as_str().unwrap_or_default().to_owned();
    let listed = inner.client.list("listing the workflows", &place(&[]), array, key).await;
    // CI may well be elsewhere.
    let Ok(listed) = settled(listed)? else { return Ok(Vec::new()) };
    let mut read = Vec::new();
    for file in listed.iter().take(WORKFLOWS) {
        let file = file["name"].as_str().unwrap_or_default();
        let found: Result<Value, Trouble> = inner.client.read("reading a workflow", &place(&[file])).await;
        let Ok(found) = settled(found)? else { continue };
        read.extend(text(&found).and_then(|text| Workflow::read(file, &text)));
    }
    Ok(workflows::findings(&read, settings.auto.as_str(), settings.probe.as_str()))
}

/// Reads a file's text, which GitHub wraps like a letter.
fn text(file: &Value) -> Option<String> {
    let encoded: String = file["content"].as_str()?.split_whitespace().collect();
    String::from_utf8(STANDARD.decode(encoded).ok()?).ok()
}
