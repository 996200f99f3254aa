//! What the rules of our branches would refuse, and what they should refuse and don't.

use std::collections::BTreeMap;

use cfgupdater_core::Finding;
use serde_json::Value;

use crate::required::Rule;

/// One of our branches.
#[derive(Debug, Clone, Copy)]
pub(super) struct Branch<'a> {
    pub(super) name: &'a str,
    pub(super) role: Role,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Deploy tools follow it; people push it too.
    Stable,
    /// CI tests it; rebuilt by the service alone.
    Auto,
    /// Written by the service alone.
    Ours,
}

/// Whether the account may pass over a ruleset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bypass {
    Always,
    Never,
    Unknown,
}

impl Bypass {
    /// Reads what GitHub says of whoever asks.
    pub(super) fn of(ruleset: &Value) -> Self {
        match ruleset["current_user_can_bypass"].as_str() {
            Some("always" | "exempt") => Self::Always,
            Some(_) => Self::Never,
            None => Self::Unknown,
        }
    }
}

/// What guards a branch.
#[derive(Debug, Default)]
pub(super) struct Guard {
    pub(super) rules: Vec<Rule>,
    /// By the number of the ruleset.
    pub(super) bypass: BTreeMap<u64, Bypass>,
    /// Branch protection, where there is any.
    pub(super) protection: Option<Value>,
}

impl Guard {
    /// Tells whether a rule of this kind holds for us too.
    fn holds_us(&self, kind: &str) -> bool {
        self.rules(kind).any(|bypass| bypass == Bypass::Never)
    }

    fn rules<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = Bypass> + 'a {
        let of = |rule: &Rule| self.bypass.get(&rule.ruleset_id).copied().unwrap_or(Bypass::Unknown);
        self.rules.iter().filter(move |rule| rule.kind == kind).map(of)
    }

    fn protected(&self, place: &str) -> bool {
        let setting = self.protection.as_ref().and_then(|protection| protection.pointer(place));
        setting.is_some_and(|setting| setting != &Value::Bool(false) && !setting.is_null())
    }
}

/// Finds what stands against work on a branch.
pub(super) fn findings(branch: &Branch<'_>, guard: &Guard) -> Vec<Finding> {
    match branch.role {
        Role::Stable => of_stable(branch.name, guard),
        Role::Auto | Role::Ours => of_ours(branch.name, guard),
    }
}

fn of_stable(name: &str, guard: &Guard) -> Vec<Finding> {
    let mut found = Vec::new();
    if guard.rules("merge_queue").next().is_some() {
        found.push(Finding::fatal(
            format!("`{name}` has a merge queue, which refuses every direct push"),
            format!("take the merge queue off `{name}`: nothing lands here but what was tested as it is"),
        ));
    }
    if guard.holds_us("required_signatures") || guard.protected("/required_signatures/enabled") {
        found.push(Finding::fatal(
            format!("`{name}` requires signed commits, and ours are not signed"),
            "let the App bypass a ruleset that holds this rule alone",
        ));
    }
    if guard.holds_us("pull_request") {
        found.push(Finding::fatal(
            format!("`{name}` requires pull requests, also of the App"),
            "make two rulesets: one that requires pull requests, with the App on its bypass list, and one that \
             requires the checks, without",
        ));
    }
    if guard.protected("/required_pull_request_reviews") {
        found.push(Finding::warning(
            format!("branch protection of `{name}` requires pull requests"),
            "put the App on its bypass list, or move the rule into a ruleset of its own that the App may bypass",
        ));
    }
    if guard.rules("required_status_checks").any(|bypass| bypass == Bypass::Always) {
        found.push(Finding::fatal(
            format!("the App may bypass the ruleset that requires the checks of `{name}`"),
            "take it off that ruleset's bypass list, so that GitHub refuses what isn't green whoever pushes it; \
             where pull requests are required too, make that another ruleset",
        ));
    }
    if guard.holds_us("update") || guard.protected("/lock_branch/enabled") {
        found.push(Finding::fatal(
            format!("`{name}` takes no pushes from the App"),
            "put the App on the bypass list of the rule that restricts updates, or unlock the branch",
        ));
    }
    if guard.rules("required_status_checks").next().is_none() && !guard.protected("/required_status_checks") {
        found.push(Finding::warning(
            format!("GitHub requires no checks of `{name}`, so this service alone keeps red commits off it"),
            "require them in a ruleset too, without a bypass for the App",
        ));
    }
    found
}

/// Rules that a rebuilt branch can't keep.
const IN_THE_WAY: [(&str, &str); 6] = [
    ("non_fast_forward", "forbids force pushes"),
    ("update", "restricts updates"),
    ("pull_request", "requires pull requests"),
    ("required_status_checks", "requires checks before a push"),
    ("required_signatures", "requires signed commits"),
    ("merge_queue", "has a merge queue"),
];

fn of_ours(name: &str, guard: &Guard) -> Vec<Finding> {
    let held: Vec<&str> =
        IN_THE_WAY.iter().filter(|(kind, _)| guard.holds_us(kind)).map(|(_, says)| *says).collect();
    let mut found = Vec::new();
    if !held.is_empty() {
        found.push(Finding::fatal(
            format!(
                "a rule of `{name}` {}, also for the App, which rebuilds this branch",
                held.join(" and ")
            ),
            format!("leave `{name}` out of that ruleset, or put the App on its bypass list"),
        ));
    }
    if guard.protection.is_some() && !guard.protected("/allow_force_pushes/enabled") {
        found.push(Finding::fatal(
            format!("branch protection of `{name}` forbids force pushes, by which the App rebuilds it"),
            format!("allow them there, or leave `{name}` unprotected and restrict updates by a ruleset"),
        ));
    }
    if guard.rules("update").next().is_none() && !guard.protected("/restrictions") {
        found.push(Finding::warning(
            format!("everybody who may write may push `{name}`"),
            format!("restrict updates of `{name}` by a ruleset, with the App alone on its bypass list"),
        ));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn guard(rules: &[(&str, Bypass)]) -> Guard {
        let mut guard = Guard::default();
        for (id, (kind, bypass)) in (1..).zip(rules) {
            guard.rules.push(serde_json::from_value(json!({ "type": kind, "ruleset_id": id })).unwrap());
            guard.bypass.insert(id, *bypass);
        }
        guard
    }

    fn on(role: Role, guard: &Guard) -> Vec<String> {
        let shown =
            |finding: Finding| format!("{} {}", if finding.fatal { "!" } else { "?" }, finding.problem);
        findings(&Branch { name: "b", role }, guard).into_iter().map(shown).collect()
    }

    #[test]
    fn stable_as_it_should_be_has_no_findings() {
        let good = guard(&[
            ("required_status_checks", Bypass::Never),
            ("pull_request", Bypass::Always),
            ("non_fast_forward", Bypass::Never),
            ("deletion", Bypass::Never),
        ]);
        assert!(on(Role::Stable, &good).is_empty());
    }

    #[test]
    fn each_mistake_on_stable_is_found() {
        let cases = [
            ("merge_queue", Bypass::Always, "! `b` has a merge queue"),
            ("required_signatures", Bypass::Never, "! `b` requires signed commits"),
            ("pull_request", Bypass::Never, "! `b` requires pull requests, also of the App"),
            (
                "required_status_checks",
                Bypass::Always,
                "! the App may bypass the ruleset that requires the checks",
            ),
            ("update", Bypass::Never, "! `b` takes no pushes"),
        ];
        for (kind, bypass, shown) in cases {
            let found =
                on(Role::Stable, &guard(&[("required_status_checks", Bypass::Never), (kind, bypass)]));
            assert!(found.len() == 1 && found[0].starts_with(shown), "{kind}: {found:?}");
        }
        let found = on(Role::Stable, &guard(&[]));
        assert!(found.len() == 1 && found[0].starts_with("? GitHub requires no checks"), "{found:?}");
    }

    #[test]
    fn branch_protection_is_looked_at_too() {
        let protection = json!({
            "required_status_checks": { "contexts": ["ci"] },
            "required_pull_request_reviews": {},
            "required_signatures": { "enabled": true },
            "lock_branch": { "enabled": true },
            "allow_force_pushes": { "enabled": false }
        });
        let guard = Guard { protection: Some(protection), ..Guard::default() };
        assert_eq!(on(Role::Stable, &guard).len(), 3);
        assert!(on(Role::Auto, &guard)[0].contains("forbids force pushes"));
    }

    #[test]
    fn auto_must_be_ours_and_ours_alone() {
        assert!(
            on(Role::Auto, &guard(&[("update", Bypass::Always), ("non_fast_forward", Bypass::Always)]))
                .is_empty()
        );
        let found = on(Role::Auto, &guard(&[("update", Bypass::Never), ("non_fast_forward", Bypass::Never)]));
        assert_eq!(
            found,
            [
                "! a rule of `b` forbids force pushes and restricts updates, also for the App, which rebuilds this branch"
            ]
        );
        let found = on(Role::Ours, &guard(&[]));
        assert!(found.len() == 1 && found[0].starts_with("? everybody who may write"), "{found:?}");
    }
}
