//! What the App, or the token, may do.

use cfgupdater_core::Finding;
use serde_json::Value;

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
pub(super) fn of_installation(installation: &Value) -> Vec<Finding> {
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
pub(super) fn of_token(repository: &Value) -> Vec<Finding> {
    if repository["permissions"]["push"] == Value::Bool(false) {
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
            "permissions": { "contents": "write", "checks": "write", "statuses": "read", "metadata": "read", "administration": "read" },
            "events": EVENTS, "suspended_at": null
        })
    }

    #[test]
    fn a_complete_installation_has_no_findings() {
        assert_eq!(of_installation(&complete()), []);
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
            let findings = of_installation(&installation);
            assert!(findings.len() == 1 && findings[0].problem.contains(shown), "{findings:?}");
            assert_eq!(findings[0].fatal, fatal);
        }
        let mut reads_only = complete();
        reads_only["permissions"]["contents"] = json!("read");
        assert!(of_installation(&reads_only)[0].fatal);
    }

    #[test]
    fn missing_events_are_named_together() {
        let mut installation = complete();
        installation["events"] = json!(["push", "check_run"]);
        let findings = of_installation(&installation);
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
        assert!(of_installation(&suspended)[0].fatal);
        assert!(of_token(&json!({ "permissions": { "push": false } }))[0].fatal);
        assert_eq!(of_token(&json!({ "permissions": { "push": true } })), []);
    }
}
