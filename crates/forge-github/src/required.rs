//! The checks that GitHub itself requires of a branch: those of branch protection and those of rulesets together.

use std::collections::BTreeSet;

use cfgupdater_core::{Error, ErrorKind, RequiredCheck, RequiredChecks};
use cfgupdater_forge_http::Trouble;
use serde::{Deserialize, Serialize};

use crate::client::{Client, array};
use crate::repository::target;
use crate::settings::RepositoryName;

/// What branch protection requires.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Protection {
    /// Names, of the time before sources.
    #[serde(default)]
    contexts: Vec<String>,
    #[serde(default)]
    checks: Vec<ProtectedCheck>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct ProtectedCheck {
    context: String,
    app_id: Option<i64>,
}

/// A rule of a ruleset that holds for the branch.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Rule {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    #[serde(default)]
    pub(crate) ruleset_id: u64,
    #[serde(default)]
    parameters: serde_json::Value,
}

#[derive(Debug, Clone, Deserialize)]
struct RuledCheck {
    context: String,
    integration_id: Option<i64>,
}

/// Reads both, which are asked for every time. While they are unchanged only a branch without protection costs anything:
/// that it has none is an answer without a mark.
pub(crate) async fn read(
    client: &Client,
    repository: &RepositoryName,
    branch: &str,
) -> Result<Option<RequiredChecks>, Error> {
    let protection = protection(client, repository, branch).await?;
    let rules = rules(client, repository, branch).await?;
    union(protection, &rules).map_err(|cause| {
        let message = format!("a rule of `{branch}` requires checks in a way that can't be read");
        Error::new(ErrorKind::Other, message).with_source(cause)
    })
}

async fn protection(
    client: &Client,
    repository: &RepositoryName,
    branch: &str,
) -> Result<Option<Protection>, Error> {
    let what = format!("reading the required checks of branch protection of `{branch}`");
    let target = target(repository, &["branches", branch, "protection", "required_status_checks"]);
    match client.read(&what, &target).await {
        Ok(protection) => Ok(Some(protection)),
        Err(trouble) if says_there_is_none(&trouble) => Ok(None),
        Err(trouble) => Err(trouble.into()),
    }
}

/// "Not there" must be said in so many words: whoever may not look is told "Not Found" as well.
pub(crate) fn says_there_is_none(trouble: &Trouble) -> bool {
    let words = ["Branch not protected", "Required status checks not enabled", "Branch not found"];
    trouble.status == Some(404) && words.iter().any(|words| trouble.body.contains(words))
}

/// Reads the rules that hold for a branch, of every ruleset of the repository and its organisation.
pub(crate) async fn rules(
    client: &Client,
    repository: &RepositoryName,
    branch: &str,
) -> Result<Vec<Rule>, Error> {
    let what = format!("reading the rules of `{branch}`");
    let target = target(repository, &["rules", "branches", branch]) + "?per_page=100";
    // Rules have no number of their own.
    let key = |rule: &Rule| (rule.ruleset_id, rule.kind.clone(), rule.parameters.to_string());
    Ok(client.list(&what, &target, array, key).await?)
}

/// Puts both together; `None` where neither requires checks at all.
pub(crate) fn union(
    protection: Option<Protection>,
    rules: &[Rule],
) -> serde_json::Result<Option<RequiredChecks>> {
    let mut found = protection.is_some();
    let mut checks: BTreeSet<RequiredCheck> = protection.map(of_protection).unwrap_or_default();
    for rule in rules.iter().filter(|rule| rule.kind == "required_status_checks") {
        found = true;
        let listed = rule.parameters.get("required_status_checks").cloned().unwrap_or_default();
        let ruled: Vec<RuledCheck> = serde_json::from_value(listed)?;
        checks.extend(ruled.into_iter().map(|check| required(check.context, check.integration_id)));
    }
    Ok(found.then_some(RequiredChecks { checks, allow_empty: false }))
}

fn of_protection(protection: Protection) -> BTreeSet<RequiredCheck> {
    let named: BTreeSet<String> = protection.checks.iter().map(|check| check.context.clone()).collect();
    let bound = protection.checks.into_iter().map(|check| required(check.context, check.app_id));
    let bare = protection.contexts.into_iter().filter(|context| !named.contains(context));
    bound.chain(bare.map(RequiredCheck::named)).collect()
}

/// Neither no number nor -1 stand for any source.
fn required(name: String, source: Option<i64>) -> RequiredCheck {
    let source = source.filter(|id| *id > 0).map(|id| id.to_string());
    RequiredCheck { name, source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn names(required: &RequiredChecks) -> Vec<String> {
        required.checks.iter().map(ToString::to_string).collect()
    }

    fn rule(checks: &serde_json::Value) -> Rule {
        let parameters = json!({ "required_status_checks": checks });
        Rule { kind: "required_status_checks".to_owned(), ruleset_id: 1, parameters }
    }

    #[test]
    fn protection_and_rulesets_require_together() {
        let protection = json!({
            "contexts": ["ci", "old"],
            "checks": [{ "context": "ci", "app_id": 15368 }, { "context": "any", "app_id": -1 }]
        });
        let protection = serde_json::from_value(protection).unwrap();
        let rules = [
            rule(&json!([{ "context": "ci" }, { "context": "lint", "integration_id": 7 }])),
            rule(&json!([{ "context": "lint", "integration_id": null }])),
        ];
        let union = union(Some(protection), &rules).unwrap().unwrap();
        assert_eq!(names(&union), ["any", "ci", "ci (by 15368)", "lint", "lint (by 7)", "old"]);
        assert!(!union.allow_empty);
    }

    #[test]
    fn an_answer_of_github_itself_is_read() {
        let body = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/payloads/octocrab-0.54.9/repo_branch_status_checks.json"
        );
        let protection = serde_json::from_slice(&std::fs::read(body).unwrap()).unwrap();
        let union = union(Some(protection), &[]).unwrap().unwrap();
        assert_eq!(names(&union), ["continuous-integration/travis-ci (by 12345)"]);
    }

    #[test]
    fn nothing_that_requires_is_none_and_an_empty_list_is_empty() {
        let other = Rule { kind: "deletion".to_owned(), ruleset_id: 1, parameters: json!(null) };
        assert_eq!(union(None, &[other]).unwrap(), None);
        assert_eq!(union(Some(Protection::default()), &[]).unwrap(), Some(RequiredChecks::default()));
        assert_eq!(union(None, &[rule(&json!([]))]).unwrap(), Some(RequiredChecks::default()));
    }

    #[test]
    fn a_rule_that_cant_be_read_is_no_empty_one() {
        union(None, &[rule(&json!("ci"))]).unwrap_err();
        union(None, &[rule(&json!(null))]).unwrap_err();
    }
}
