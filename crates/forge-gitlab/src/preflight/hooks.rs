//! The webhook that makes us quick.

use cfgupdater_core::Finding;
use serde::Deserialize;

/// Where the service takes webhooks of forges.
const PATH: &str = "/hooks/forge";

/// A webhook of the project.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Hook {
    pub(super) id: u64,
    url: String,
    #[serde(default)]
    push_events: bool,
    #[serde(default)]
    pipeline_events: bool,
    #[serde(default)]
    job_events: bool,
    /// Whether GitLab still delivers: it stops after failures.
    alert_status: Option<String>,
}

/// Finds out whether there is a webhook, and whether it tells of what matters, `of_jobs` too where that does.
pub(super) fn findings(hooks: &[Hook], of_jobs: bool) -> Vec<Finding> {
    let ours: Vec<&Hook> = hooks.iter().filter(|hook| hook.url.contains(PATH)).collect();
    if ours.is_empty() {
        return vec![Finding::warning(
            "the project itself has no webhook for this service; without one, results are seen by the timer alone",
            format!(
                "add one for push, job and pipeline events, to …/v1/repos/NAME{PATH}; one of its group does as well, and \
                 is not seen here"
            ),
        )];
    }
    ours.into_iter().flat_map(|hook| of_hook(hook, of_jobs)).collect()
}

fn of_hook(hook: &Hook, of_jobs: bool) -> Vec<Finding> {
    let mut found = Vec::new();
    if hook.alert_status.as_deref().is_some_and(|status| status != "executable") {
        found.push(Finding::warning(
            format!("GitLab has disabled webhook {}, since deliveries failed", hook.id),
            "mend what its recent events show, and press \"Test\" there: one that succeeds enables it again",
        ));
    }
    let events = [
        ("push events", hook.push_events),
        ("pipeline events", hook.pipeline_events),
        ("job events", hook.job_events || !of_jobs),
    ];
    let missing: Vec<&str> = events.into_iter().filter_map(|(name, sent)| (!sent).then_some(name)).collect();
    if !missing.is_empty() {
        found.push(Finding::warning(
            format!("webhook {} is sent for no {}", hook.id, missing.join(" and no ")),
            "switch them on in the webhook's settings",
        ));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn problems(hooks: serde_json::Value) -> Vec<String> {
        let hooks: Vec<Hook> = serde_json::from_value(hooks).unwrap();
        findings(&hooks, false).into_iter().map(|finding| finding.problem).collect()
    }

    #[test]
    fn a_webhook_that_tells_of_everything_has_no_findings() {
        let good = json!([{
            "id": 3, "url": "https://c.example/v1/repos/cfg-app/hooks/forge", "push_events": true,
            "pipeline_events": true, "alert_status": "executable"
        }]);
        assert_eq!(problems(good), [""; 0]);
    }

    #[test]
    fn one_that_is_missing_disabled_or_silent_is_named() {
        assert!(
            problems(json!([{ "id": 1, "url": "https://other.example" }]))[0]
                .contains("itself has no webhook")
        );
        let url = "https://c.example/v1/repos/cfg-app/hooks/forge";
        for status in ["disabled", "temporarily_disabled"] {
            let found = problems(json!([{
                "id": 3, "url": url, "push_events": true, "pipeline_events": true, "alert_status": status
            }]));
            assert!(found.len() == 1 && found[0].contains("has disabled webhook 3"), "{found:?}");
        }
        let found = problems(json!([{ "id": 3, "url": url }]));
        assert_eq!(found, ["webhook 3 is sent for no push events and no pipeline events"]);
    }
}
