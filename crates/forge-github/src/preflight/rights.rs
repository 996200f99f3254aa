//! What the App, or the token, may do.

use cfgupdater_core::Finding;
use serde_json::Value;

use crate::forge::Repository;

/// Permissions of the App, what they are for, and whether nothing works without.
const PERMISSIONS: [(&str, &str, &str, bool); 5] = [
    ("contents", "write", "Contents: read and write, to push its branches", true),
    ("checks", "read", "Checks: read-only, to see check runs", true),
    ("statuses", "read", "Commit statuses: read-only, to see statuses", true),
    ("metadata", "read", "Metadata: read-only, to see rulesets", true),
    ("administration", "read", "Administration: read-only, to see branch protection", false),
];

/// Events that spare us waiting for the timer.
const EVENTS: [&str; 5] = ["status", "check_run", "push", "branch_protection_rule", "repository_ruleset"];

/// Finds what an installation lacks.
pub(super) fn of_installation(installation: &Value, configured: Option<u64>) -> Vec<Finding> {
    let theirs = installation["id"].as_u64();
    if let (Some(ours), Some(theirs)) = (configured, theirs)
        && ours != theirs
    {
        return vec![Finding::fatal(
            format!("installation_id is {ours}, and the App's installation on this repository is {theirs}"),
            format!("write installation_id = {theirs}, or leave it out"),
        )];
    }
    if installation["suspended_at"].is_string() {
        return vec![Finding::fatal(
            "the App's installation is suspended",
            "unsuspend it in the owner's settings",
        )];
    }
    let lacking = PERMISSIONS.iter().filter(|(name, level, ..)| {
        let granted = installation["permissions"][name].as_str().unwrap_or_default();
        !(granted == *level || granted == "write" || granted == "admin")
    });
    let rights = lacking.map(|(_, _, what, needed)| {
        let problem = format!("the App lacks the permission {what}");
        let remedy = "add it on the App's page, and let the owner of the repository accept it";
        if *needed {
            Finding::fatal(problem, remedy)
        } else {
            Finding::warning(problem, format!("{remedy}; or name the required checks under [repo.checks]"))
        }
    });
    let subscribed = |event: &&&str| {
        installation["events"].as_array().is_some_and(|events| events.iter().any(|known| known == **event))
    };
    let missing: Vec<&str> = EVENTS.iter().filter(|event| !subscribed(event)).copied().collect();
    let events = (!missing.is_empty()).then(|| {
        let problem = format!(
            "the App doesn't subscribe to {}, so these are seen by the timer alone",
            missing.join(", ")
        );
        Finding::warning(problem, "subscribe to them on the App's page, under \"Permissions & events\"")
    });
    rights.chain(events).collect()
}

/// Finds what a token lacks, as far as GitHub says.
pub(super) fn of_token(repository: &Repository) -> Vec<Finding> {
    if repository.permissions.push == Some(false) {
        let remedy = "use a token of an account that may write, with Contents: read and write";
        return vec![Finding::fatal("the token may not push to the repository", remedy)];
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn complete() -> Value {
        json!({
            "id": 42, "permissions": { "contents": "write", "checks": "write", "statuses": "read", "metadata": "read", "administration": "read" },
            "events": EVENTS, "suspended_at": null
        })
    }

    #[test]
    fn tokens_and_the_manifest_name_the_same_permissions_and_events() {
        let needed: Value = PERMISSIONS
            .iter()
            .map(|(name, level, ..)| ((*name).to_owned(), json!(level)))
            .collect::<serde_json::Map<_, _>>()
            .into();
        let token = crate::auth::token_request(&"acme/cfg".parse().unwrap(), true);
        assert_eq!(token["permissions"], needed);
        let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/github/app-manifest.json");
        let manifest: Value = serde_json::from_slice(&std::fs::read(manifest).unwrap()).unwrap();
        assert_eq!(manifest["default_permissions"], needed);
        let events: std::collections::BTreeSet<&str> =
            manifest["default_events"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        assert_eq!(events, EVENTS.into());
    }

    #[test]
    fn a_complete_installation_has_no_findings() {
        assert_eq!(of_installation(&complete(), Some(42)), []);
    }

    #[test]
    fn each_missing_permission_is_named() {
        let cases = [
            ("contents", "Contents", true),
            ("statuses", "Commit statuses", true),
            ("administration", "Administration", false),
        ];
        for (name, shown, fatal) in cases {
            let mut installation = complete();
            installation["permissions"].as_object_mut().unwrap().remove(name);
            let findings = of_installation(&installation, None);
            assert!(findings.len() == 1 && findings[0].problem.contains(shown), "{findings:?}");
            assert_eq!(findings[0].fatal, fatal);
        }
        let mut reads_only = complete();
        reads_only["permissions"]["contents"] = json!("read");
        assert!(of_installation(&reads_only, None)[0].fatal);
    }

    #[test]
    fn another_installation_is_named() {
        let found = of_installation(&complete(), Some(7));
        assert!(
            found.len() == 1 && found[0].fatal && found[0].remedy.contains("installation_id = 42"),
            "{found:?}"
        );
    }

    #[test]
    fn missing_events_are_named_together() {
        let mut installation = complete();
        installation["events"] = json!(["push", "check_run"]);
        let findings = of_installation(&installation, None);
        assert_eq!(findings.len(), 1);
        assert!(
            findings[0].problem.contains("status, branch_protection_rule, repository_ruleset"),
            "{findings:?}"
        );
    }

    #[test]
    fn who_is_suspended_or_may_not_push_is_told_so() {
        let mut suspended = complete();
        suspended["suspended_at"] = json!("2026-01-31T09:30:00Z");
        assert!(of_installation(&suspended, None)[0].fatal);
        let repository = |push: bool| {
            let told = json!({ "id": 1, "full_name": "a/b", "default_branch": "c", "permissions": { "push": push } });
            serde_json::from_value::<Repository>(told).unwrap()
        };
        assert!(of_token(&repository(false))[0].fatal);
        assert_eq!(of_token(&repository(true)), []);
    }
}
