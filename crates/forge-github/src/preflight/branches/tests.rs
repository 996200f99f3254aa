use super::super::guard::Bypass;
use super::*;
use serde_json::{Value, json};

/// The number of our App.
const APP: u64 = 17;

fn guard(rules: &[(&str, Bypass)]) -> Guard {
    let mut guard = Guard { app: Some(APP), ..Guard::default() };
    for (id, (kind, bypass)) in (1..).zip(rules) {
        guard.rules.push(serde_json::from_value(json!({ "type": kind, "ruleset_id": id })).unwrap());
        guard.bypass.insert(id, *bypass);
    }
    guard
}

fn protected(protection: Value) -> Guard {
    Guard { protection: Protection::Set(protection), app: Some(APP), ..Guard::default() }
}

fn on(role: Role, guard: &Guard) -> Vec<String> {
    let shown = |finding: Finding| format!("{} {}", if finding.fatal { "!" } else { "?" }, finding.problem);
    findings("b", role, guard).into_iter().map(shown).collect()
}

/// Makes sure that one thing is found, which begins so.
fn one(role: Role, guard: &Guard, shown: &str) {
    let found = on(role, guard);
    assert!(found.len() == 1 && found[0].starts_with(shown), "{shown}: {found:?}");
}

#[test]
fn stable_as_it_should_be_has_no_findings() {
    let good = guard(&[
        ("required_status_checks", Bypass::Never),
        ("pull_request", Bypass::Always),
        ("non_fast_forward", Bypass::Never),
        ("creation", Bypass::Never),
        ("deletion", Bypass::Never),
    ]);
    assert_eq!(on(Role::Stable, &good), [""; 0]);
}

#[test]
fn whoever_signs_is_not_told_of_rules_about_signatures() {
    let enabled =
        json!({ "required_signatures": { "enabled": true }, "allow_force_pushes": { "enabled": true } });
    for bypass in [Bypass::Never, Bypass::Unknown] {
        let mut both = guard(&[("required_signatures", bypass), ("required_status_checks", Bypass::Never)]);
        both.protection = Protection::Set(enabled.clone());
        for role in [Role::Stable, Role::Ours] {
            let about = |guard: &Guard| on(role, guard).iter().any(|said| said.contains("sign"));
            assert!(about(&both), "{role:?}: {:?}", on(role, &both));
            both = both.without_signatures();
            assert!(!about(&both), "{role:?}: {:?}", on(role, &both));
            both.rules.push(
                serde_json::from_value(json!({ "type": "required_signatures", "ruleset_id": 1 })).unwrap(),
            );
        }
    }
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
        ("pull_request", Bypass::Unknown, "? whether the App may bypass the rules pull_request of `b`"),
        ("workflows", Bypass::Never, "? the rules workflows of `b` hold for the App"),
        ("required_deployments", Bypass::Never, "? the rules required_deployments of `b` hold"),
    ];
    for (kind, bypass, shown) in cases {
        one(Role::Stable, &guard(&[("required_status_checks", Bypass::Never), (kind, bypass)]), shown);
    }
    one(Role::Stable, &guard(&[]), "? GitHub requires no checks");
    let passed = guard(&[("required_status_checks", Bypass::Never), ("code_scanning", Bypass::Always)]);
    assert_eq!(on(Role::Stable, &passed), [""; 0], "what the App may bypass refuses it nothing");
}

#[test]
fn branch_protection_of_stable_is_looked_at_too() {
    let with = |part: &str, setting: Value| {
        let mut protection = json!({ "required_status_checks": { "contexts": ["ci"] } });
        protection[part] = setting;
        protected(protection)
    };
    for (part, shown) in
        [("required_signatures", "! `b` requires signed commits"), ("lock_branch", "! `b` takes no pushes")]
    {
        one(Role::Stable, &with(part, json!({ "enabled": true })), shown);
        assert_eq!(on(Role::Stable, &with(part, json!({ "enabled": false }))), [""; 0], "{part}");
    }
    let exempt = |id: u64| json!({ "bypass_pull_request_allowances": { "apps": [{ "id": id }] } });
    let reviews = |setting| with("required_pull_request_reviews", setting);
    one(
        Role::Stable,
        &reviews(json!({})),
        "! branch protection of `b` requires pull requests, also of the App",
    );
    one(Role::Stable, &reviews(exempt(99)), "! branch protection of `b` requires pull requests");
    assert_eq!(on(Role::Stable, &reviews(exempt(APP))), [""; 0]);
    let somebody = Guard { app: None, ..reviews(exempt(APP)) };
    one(Role::Stable, &somebody, "? branch protection of `b` requires pull requests, perhaps");
    let restricted = |id: u64| with("restrictions", json!({ "users": [], "apps": [{ "id": id }] }));
    one(Role::Stable, &restricted(99), "! branch protection of `b` says who may push");
    assert_eq!(on(Role::Stable, &restricted(APP)), [""; 0]);
}

#[test]
fn auto_must_be_ours_and_ours_alone() {
    let ours = guard(&[
        ("creation", Bypass::Always),
        ("update", Bypass::Always),
        ("non_fast_forward", Bypass::Always),
    ]);
    assert_eq!(on(Role::Ours, &ours), [""; 0]);
    let shown = "! a rule of `b` forbids force pushes and restricts updates, also for the App, which rebuilds this branch";
    one(Role::Ours, &guard(&[("update", Bypass::Never), ("non_fast_forward", Bypass::Never)]), shown);
    let update = ("update", Bypass::Always);
    one(Role::Ours, &guard(&[update, ("creation", Bypass::Never)]), "! a rule of `b` restricts creations");
    one(
        Role::Ours,
        &guard(&[update, ("creation", Bypass::Unknown)]),
        "? whether the App may bypass the rules creation",
    );
    one(Role::Ours, &guard(&[]), "? everybody who may write");
}

#[test]
fn branch_protection_of_ours_must_not_stand_in_the_way() {
    let with = |part: &str, setting: Value| {
        let apps = json!({ "apps": [{ "id": APP }] });
        let mut protection = json!({ "allow_force_pushes": { "enabled": true }, "restrictions": apps });
        protection[part] = setting;
        protected(protection)
    };
    assert_eq!(on(Role::Ours, &with("enforce_admins", json!({ "enabled": true }))), [""; 0]);
    let enabled = || json!({ "enabled": true });
    for (part, setting, shown) in [
        ("lock_branch", enabled(), "! a rule of `b` restricts updates"),
        ("required_signatures", enabled(), "! a rule of `b` requires signed commits"),
        (
            "required_status_checks",
            json!({ "contexts": [] }),
            "! a rule of `b` requires checks before a push",
        ),
        ("required_pull_request_reviews", json!({}), "! a rule of `b` requires pull requests"),
        (
            "allow_force_pushes",
            json!({ "enabled": false }),
            "! branch protection of `b` forbids force pushes",
        ),
        ("restrictions", json!({ "apps": [] }), "! branch protection of `b` says who may push"),
    ] {
        one(Role::Ours, &with(part, setting), shown);
    }
}
