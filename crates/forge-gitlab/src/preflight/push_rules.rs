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

/// The rules that our commits could break. Sizes are counted in megabytes, which ours don't reach.
///
/// Source: <https://docs.gitlab.com/api/project_push_rules/>.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct PushRules {
    reject_unsigned_commits: Option<bool>,
    reject_non_dco_commits: Option<bool>,
    member_check: Option<bool>,
    commit_committer_check: Option<bool>,
    commit_committer_name_check: Option<bool>,
    author_email_regex: Option<String>,
    commit_message_regex: Option<String>,
    commit_message_negative_regex: Option<String>,
    file_name_regex: Option<String>,
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
    if on(rules.reject_non_dco_commits) {
        found.push(Finding::fatal(
            "a push rule rejects commits without Signed-off-by, which ours don't have",
            "switch \"Reject commits that aren't DCO certified\" off for this project",
        ));
    }
    let perhaps = [
        (
            on(rules.member_check)
                || on(rules.commit_committer_check)
                || on(rules.commit_committer_name_check),
            "a push rule takes commits of GitLab's own users alone",
            "write the token's account as name and email under [repo.commit]",
        ),
        (
            text(&rules.author_email_regex),
            "a push rule says what the addresses of authors look like",
            "write one that fits as email under [repo.commit]",
        ),
        (
            text(&rules.commit_message_regex) || text(&rules.commit_message_negative_regex),
            "a push rule says what commit messages look like; ours begin as in `chore: update app to 0123456789`",
            "let it take such messages too",
        ),
        (
            text(&rules.file_name_regex),
            "a push rule says what files are not called; ours are such as `images/staging/tags.json`",
            "let it take these, and what is generated",
        ),
        (
            text(&rules.branch_name_regex),
            "a push rule says what branches are called; ours are `auto` and `cfgupdater/…`",
            "let it take these too",
        ),
    ];
    let perhaps = perhaps.into_iter().filter(|(is_set, ..)| *is_set);
    found.extend(perhaps.map(|(_, problem, remedy)| Finding::warning(problem, remedy)));
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Shows a `!` for each finding that is fatal, and a `?` for each other.
    fn marks(rules: serde_json::Value) -> String {
        let found = findings(&serde_json::from_value(rules).unwrap());
        found.iter().map(|finding| if finding.fatal { '!' } else { '?' }).collect()
    }

    #[test]
    fn every_rule_that_our_commits_could_break_is_found() {
        assert_eq!(marks(json!({})), "");
        assert_eq!(marks(json!({ "reject_unsigned_commits": false, "commit_message_regex": "" })), "");
        for rule in ["reject_unsigned_commits", "reject_non_dco_commits"] {
            assert_eq!(marks(json!({ rule: true })), "!", "{rule}");
        }
        for rule in ["member_check", "commit_committer_check", "commit_committer_name_check"] {
            assert_eq!(marks(json!({ rule: true })), "?", "{rule}");
        }
        for rule in [
            "author_email_regex",
            "commit_message_regex",
            "commit_message_negative_regex",
            "file_name_regex",
            "branch_name_regex",
        ] {
            assert_eq!(marks(json!({ rule: "x" })), "?", "{rule}");
        }
        assert_eq!(marks(json!({ "max_file_size": 100, "prevent_secrets": true })), "");
    }

    #[test]
    fn groups_are_one_part_of_the_path() {
        let project = "acme/deep/cfg".parse().unwrap();
        assert_eq!(PushRule(&project).endpoint(), "projects/acme%2Fdeep%2Fcfg/push_rule");
    }
}
