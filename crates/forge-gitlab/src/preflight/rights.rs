//! What the token and its account may do, and how the project is set up.

use std::time::Duration;

use cfgupdater_core::{Finding, Timestamp};
use cfgupdater_forge_http::is_loopback;
use http::Uri;
use serde::Deserialize;

use crate::forge::Project;

/// How long before its end a token is spoken of.
const SOON: Duration = Duration::from_hours(14 * 24);

/// The role by which one may push to branches that are not protected.
const DEVELOPER: u64 = 30;

/// What GitLab tells of a token.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Token {
    pub(super) user_id: Option<u64>,
    /// A date, on which it ends as the day begins.
    expires_at: Option<String>,
    #[serde(default)]
    scopes: Vec<String>,
}

/// A member of the project.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Member {
    pub(super) access_level: u64,
}

/// Finds what the token lacks, and warns before it ends.
pub(super) fn of_token(token: &Token, now: Timestamp) -> Vec<Finding> {
    let has = |scopes: &[&str]| token.scopes.iter().any(|scope| scopes.contains(&scope.as_str()));
    let mut found = Vec::new();
    if !has(&["api", "write_repository"]) {
        found.push(Finding::fatal(
            "the token lacks the scope write_repository, to push its branches",
            "make one with read_api and write_repository, or with api",
        ));
    }
    if !has(&["api", "read_api"]) {
        found.push(Finding::fatal(
            "the token lacks the scope read_api, to see pipelines and statuses",
            "make one with read_api and write_repository, or with api",
        ));
    }
    let end =
        token.expires_at.as_ref().and_then(|date| format!("{date}T00:00:00Z").parse::<Timestamp>().ok());
    if let (Some(end), Some(date)) = (end, &token.expires_at)
        && end < now.after(SOON)
    {
        found.push(Finding::warning(
            format!("the token ends on {date}"),
            "rotate it, and write the new one into its file: it is read again by itself",
        ));
    }
    found
}

/// Finds out whether the account may push at all.
pub(super) fn of_member(level: Option<u64>) -> Vec<Finding> {
    match level {
        Some(level) if level < DEVELOPER => vec![Finding::fatal(
            "the token's account may not push to the project",
            "make a project access token with the role Developer at least",
        )],
        _ => Vec::new(),
    }
}

/// Finds settings of the project that leave commits without a result.
pub(super) fn of_project(project: &Project) -> Vec<Finding> {
    let mut found = Vec::new();
    if project.archived {
        found.push(Finding::fatal("the project is archived, and takes no pushes", "unarchive it"));
    }
    if project.builds_access_level.as_deref() == Some("disabled") {
        found.push(Finding::fatal(
            "CI/CD is switched off, and then GitLab shows no pipelines, nor statuses that others post",
            "switch CI/CD on in the project's settings",
        ));
    }
    if project.cancels() {
        found.push(Finding::warning(
            "GitLab cancels redundant pipelines, so further changes wait until the newest commit of auto has its result",
            "switch \"Auto-cancel redundant pipelines\" off, then they are tested at once",
        ));
    }
    found
}

/// Finds out whether the token goes over the network as it is.
pub(super) fn of_address(api_url: &str) -> Vec<Finding> {
    match api_url.parse::<Uri>() {
        Ok(address) if address.scheme_str() == Some("http") && !is_loopback(&address) => {
            vec![Finding::warning(
                "api_url begins with http://, so everybody on the way reads the token",
                "write https://, and ca_file where the server's authority is a private one",
            )]
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn problems(findings: Vec<Finding>) -> Vec<String> {
        findings.into_iter().map(|f| format!("{} {}", if f.fatal { "!" } else { "?" }, f.problem)).collect()
    }

    fn of(scopes: &[&str], expires_at: Option<&str>) -> Vec<String> {
        let token: Token =
            serde_json::from_value(json!({ "scopes": scopes, "expires_at": expires_at })).unwrap();
        problems(of_token(&token, "2026-01-31T12:00:00Z".parse().unwrap()))
    }

    #[test]
    fn a_token_that_may_read_and_push_and_lasts_has_no_findings() {
        assert_eq!(of(&["api"], None), [""; 0]);
        assert_eq!(of(&["read_api", "write_repository"], Some("2026-03-01")), [""; 0]);
    }

    #[test]
    fn what_a_token_lacks_is_named_and_its_end_is_told_ahead() {
        assert_eq!(
            of(&["read_api"], None),
            ["! the token lacks the scope write_repository, to push its branches"]
        );
        assert_eq!(of(&["write_repository"], None).len(), 1);
        assert_eq!(of(&["api"], Some("2026-02-07")), ["? the token ends on 2026-02-07"]);
        assert_eq!(of(&["api"], Some("2026-01-01")), ["? the token ends on 2026-01-01"]);
        assert_eq!(of(&["api"], Some("soon")), [""; 0]);
    }

    #[test]
    fn a_guest_may_not_push() {
        assert_eq!(problems(of_member(Some(20))).len(), 1);
        assert_eq!(problems(of_member(Some(30))), [""; 0]);
        assert_eq!(problems(of_member(None)), [""; 0]);
    }

    #[test]
    fn settings_that_leave_commits_without_a_result_are_found() {
        let project = |value| serde_json::from_value::<Project>(value).unwrap();
        assert_eq!(problems(of_project(&project(json!({})))), [""; 0]);
        let bad = json!({
            "archived": true, "builds_access_level": "disabled", "auto_cancel_pending_pipelines": "enabled"
        });
        let found = problems(of_project(&project(bad)));
        assert_eq!(found.iter().map(|problem| &problem[..1]).collect::<String>(), "!!?", "{found:?}");
    }

    #[test]
    fn a_token_goes_in_the_clear_within_this_machine_alone() {
        for address in ["http://gl.example/api/v4", "http://10.0.0.1:8080/git/api/v4"] {
            assert_eq!(of_address(address).len(), 1, "{address}");
        }
        for address in
            ["https://gl.example/api/v4", "http://localhost:1/api/v4", "http://127.0.0.1:1", "http://[::1]"]
        {
            assert_eq!(of_address(address), [], "{address}");
        }
    }
}
