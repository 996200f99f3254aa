//! Rules for every commit that is pushed, which GitLab's larger editions have.

use std::borrow::Cow;

use cfgupdater_core::Finding;
use gitlab::api::endpoint_prelude::{Endpoint, Method};
use serde::Deserialize;

use crate::project::name;
use crate::settings::ProjectName;

/// Asks for a project's push rules, which the gitlab crate can only change.
pub(super) struct PushRule<'a>(pub(super) &'a ProjectName);

impl Endpoint for PushRule<'_> {
    fn method(&self) -> Method {
        Method::GET
    }

    fn endpoint(&self) -> Cow<'static, str> {
        format!("projects/{}/push_rule", name(self.0)).into()
    }
}

/// The rules that our commits could break.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct PushRules {
    reject_unsigned_commits: Option<bool>,
    member_check: Option<bool>,
    commit_committer_check: Option<bool>,
    commit_message_regex: Option<String>,
    branch_name_regex: Option<String>,
}

/// Finds the rules that would refuse our commits or our branches.
pub(super) fn findings(rules: &PushRules) -> Vec<Finding> {
    let on = |rule: Option<bool>| rule == Some(true);
    let text = |rule: &Option<String>| rule.as_ref().is_some_and(|pattern| !pattern.is_empty());
    let mut found = Vec::new();
    if on(rules.reject_unsigned_commits) {
        found.push(Finding::fatal(
            "a push rule rejects commits that are not signed, and ours are not",
            "switch \"Reject unsigned commits\" off for this project",
        ));
    }
    if on(rules.member_check) || on(rules.commit_committer_check) {
        found.push(Finding::warning(
            "a push rule takes commits of GitLab's own users alone",
            "write the token's account as name and email under [repo.commit]",
        ));
    }
    if text(&rules.commit_message_regex) {
        found.push(Finding::warning(
            "a push rule says what commit messages look like; ours begin as in `chore: update app to 0123456789`",
            "let it take such messages too",
        ));
    }
    if text(&rules.branch_name_regex) {
        found.push(Finding::warning(
            "a push rule says what branches are called; ours are `auto` and `cfgupdater/…`",
            "let it take these too",
        ));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn problems(rules: serde_json::Value) -> usize {
        findings(&serde_json::from_value(rules).unwrap()).len()
    }

    #[test]
    fn rules_that_our_commits_could_break_are_found() {
        assert_eq!(problems(json!({})), 0);
        assert_eq!(problems(json!({ "reject_unsigned_commits": false, "commit_message_regex": "" })), 0);
        let all = json!({
            "reject_unsigned_commits": true, "member_check": true, "commit_committer_check": true,
            "commit_message_regex": "^JIRA-", "branch_name_regex": "^feature/"
        });
        assert_eq!(problems(all), 4);
    }

    #[test]
    fn groups_are_one_part_of_the_path() {
        let project = "acme/deep/cfg".parse().unwrap();
        assert_eq!(PushRule(&project).endpoint(), "projects/acme%2Fdeep%2Fcfg/push_rule");
    }
}
