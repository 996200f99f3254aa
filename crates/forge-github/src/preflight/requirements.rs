//! What GitHub requires of the stable branch, beside what is waited for here.

use std::collections::BTreeSet;

use cfgupdater_core::{CheckRun, Finding, RequiredCheck};

/// Says what follows from branch protection that nobody may look at.
pub(super) fn hidden(stable: &str, configured: &BTreeSet<RequiredCheck>) -> Finding {
    let problem =
        format!("branch protection of `{stable}` can't be looked at, so what it would refuse isn't known");
    if configured.is_empty() {
        let remedy = "give the App the permission Administration: read-only, or name the required checks under [repo.checks]";
        return Finding::fatal(format!("{problem}, and nothing lands without it"), remedy);
    }
    Finding::warning(problem, "give the App the permission Administration: read-only, or use rulesets alone")
}

/// Finds checks without which GitHub takes no push, and which are not waited for.
pub(super) fn not_waited_for(
    stable: &str,
    required: &BTreeSet<RequiredCheck>,
    configured: &BTreeSet<RequiredCheck>,
) -> Vec<Finding> {
    if configured.is_empty() {
        return Vec::new();
    }
    let waited_for = |check: &&RequiredCheck| !configured.iter().any(|known| known.name == check.name);
    let names: BTreeSet<&str> = required.iter().filter(waited_for).map(|check| check.name.as_str()).collect();
    let finding = |name| {
        Finding::warning(
            format!(
                "GitHub requires the check `{name}` of `{stable}`, and [repo.checks] doesn't: pushes are refused until it passed"
            ),
            format!("add `{name}` to `required` under [repo.checks], or leave that out and let GitHub say"),
        )
    };
    names.into_iter().map(finding).collect()
}

/// Finds checks that are bound to an App, and that a status reports: a status tells a login and no App.
pub(super) fn never_satisfied(required: &BTreeSet<RequiredCheck>, reported: &[CheckRun]) -> Vec<Finding> {
    let by_app = |name: &str| {
        let of_bot = reported.iter().filter(|status| status.name.eq_ignore_ascii_case(name));
        of_bot.filter_map(|status| status.source.clone()).find(|login| login.ends_with("[bot]"))
    };
    let bound = required.iter().filter(|check| check.source.is_some());
    let finding = |(name, login): (&str, String)| {
        Finding::warning(
            format!(
                "the check `{name}` is bound to an App, and {login} reports it by a status, which counts for no App here"
            ),
            format!("let that App report `{name}` by a check run, or require it from any source"),
        )
    };
    bound.filter_map(|check| Some(finding((&check.name, by_app(&check.name)?)))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use cfgupdater_core::CheckState;

    fn checks(names: &[&str]) -> BTreeSet<RequiredCheck> {
        names.iter().map(|name| RequiredCheck::named(*name)).collect()
    }

    #[test]
    fn protection_that_is_hidden_stops_everything_only_where_it_is_all_there_is() {
        assert!(hidden("b", &BTreeSet::new()).fatal);
        assert!(!hidden("b", &checks(&["ci"])).fatal);
    }

    #[test]
    fn what_github_requires_beyond_the_configuration_is_named() {
        let found = not_waited_for("b", &checks(&["ci", "lint"]), &checks(&["ci", "more"]));
        assert!(found.len() == 1 && found[0].problem.contains("the check `lint` of `b`"), "{found:?}");
        assert_eq!(not_waited_for("b", &checks(&["ci"]), &BTreeSet::new()), [], "GitHub says");
    }

    #[test]
    fn a_status_of_a_bound_app_is_found() {
        let status = |by: &str| {
            let mut run = CheckRun::new("CI", 1, CheckState::Success);
            run.source = Some(by.to_owned());
            [run]
        };
        let bound = BTreeSet::from([RequiredCheck { name: "ci".to_owned(), source: Some("7".to_owned()) }]);
        let found = never_satisfied(&bound, &status("jenkins[bot]"));
        assert!(
            found.len() == 1 && found[0].problem.contains("jenkins[bot] reports it by a status"),
            "{found:?}"
        );
        assert_eq!(never_satisfied(&bound, &status("octocat")), [], "a person is no App");
        assert_eq!(never_satisfied(&checks(&["ci"]), &status("jenkins[bot]")), [], "any source will do");
    }
}
