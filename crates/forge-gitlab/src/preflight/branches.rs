//! What protected branches would refuse, and what they should refuse and don't.

use cfgupdater_core::Finding;
use serde::Deserialize;

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
    /// Rebuilt by the service alone, by force.
    Rebuilt,
    /// Written by the service alone, never by force.
    Appended,
}

/// Who the token's account is; nothing is known where GitLab doesn't tell.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Bot {
    pub(super) id: Option<u64>,
    pub(super) level: Option<u64>,
}

/// A rule for the branches whose names fit its own.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Protected {
    pub(super) id: u64,
    name: String,
    #[serde(default)]
    push_access_levels: Vec<Access>,
    #[serde(default)]
    allow_force_push: bool,
}

/// Whom a rule lets push: everybody of a role, or somebody.
#[derive(Debug, Clone, Deserialize)]
struct Access {
    #[serde(rename = "access_level")]
    level: Option<u64>,
    user_id: Option<u64>,
    group_id: Option<u64>,
    deploy_key_id: Option<u64>,
}

impl Access {
    /// Tells whether it lets the account push; `None` where that can't be told.
    fn lets(&self, bot: Bot) -> Option<bool> {
        if let Some(user) = self.user_id {
            return bot.id.map(|id| id == user);
        }
        if self.group_id.is_some() {
            return None;
        }
        if self.deploy_key_id.is_some() {
            return Some(false);
        }
        // Nobody is level 0.
        let wanted = self.level.filter(|level| *level > 0);
        wanted.map_or(Some(false), |wanted| bot.level.map(|level| level >= wanted))
    }

    /// Tells whether it lets a whole role push.
    fn is_role(&self) -> bool {
        let bound = self.user_id.is_some() || self.group_id.is_some() || self.deploy_key_id.is_some();
        !bound && self.level.is_some_and(|level| level > 0)
    }
}

/// Finds what stands against work on a branch. Of several rules that fit, GitLab takes the most permissive.
pub(super) fn findings(branch: &Branch<'_>, protected: &[Protected], bot: Bot) -> Vec<Finding> {
    let rules: Vec<&Protected> = protected.iter().filter(|rule| fits(&rule.name, branch.name)).collect();
    let name = branch.name;
    if rules.is_empty() {
        return unprotected(branch);
    }
    let mut found = Vec::new();
    let levels = || rules.iter().flat_map(|rule| &rule.push_access_levels);
    if levels().all(|access| access.lets(bot) == Some(false)) {
        found.push(Finding::fatal(
            format!("`{name}` is protected, and the token's account may not push it"),
            format!("name the account under \"Allowed to push and merge\" of `{name}`"),
        ));
    }
    if branch.role == Role::Rebuilt && !rules.iter().any(|rule| rule.allow_force_push) {
        found.push(Finding::fatal(
            format!("`{name}` is protected against force pushes, by which the service rebuilds it"),
            format!("switch \"Allowed to force push\" on for `{name}`"),
        ));
    }
    if branch.role == Role::Stable && rules.iter().any(|rule| rule.allow_force_push) {
        found.push(Finding::warning(
            format!(
                "`{name}` may be pushed by force, which makes the service stop until somebody accepts it"
            ),
            format!("switch \"Allowed to force push\" off for `{name}`"),
        ));
    }
    if branch.role != Role::Stable && levels().any(Access::is_role) {
        found.push(everybody(name));
    }
    found
}

fn unprotected(branch: &Branch<'_>) -> Vec<Finding> {
    let name = branch.name;
    if branch.role != Role::Stable {
        return vec![everybody(name)];
    }
    vec![Finding::warning(
        format!("`{name}` is not protected, so everybody with the role Developer may push it, also by force"),
        format!("protect it, and name the token's account under \"Allowed to push and merge\" of `{name}`"),
    )]
}

fn everybody(name: &str) -> Finding {
    Finding::warning(
        format!("others than the service may push `{name}`"),
        format!(
            "protect `{name}`, with the token's account alone under \"Allowed to push and merge\"; where GitLab can't name \
             accounts there, with Maintainers alone, and what others push is put aside"
        ),
    )
}

/// Tells whether a rule's name, in which a star stands for anything, fits a branch.
fn fits(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = name.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const BOT: Bot = Bot { id: Some(7), level: Some(40) };

    fn rule(name: &str, access: &Value, force: bool) -> Protected {
        let value = json!({ "id": 1, "name": name, "push_access_levels": access, "allow_force_push": force });
        serde_json::from_value(value).unwrap()
    }

    fn on(role: Role, rules: &[Protected], bot: Bot) -> Vec<String> {
        let shown =
            |finding: Finding| format!("{} {}", if finding.fatal { "!" } else { "?" }, finding.problem);
        findings(&Branch { name: "cfgupdater/x", role }, rules, bot).into_iter().map(shown).collect()
    }

    #[test]
    fn branches_as_they_should_be_have_no_findings() {
        let ours = [rule("cfgupdater/*", &json!([{ "access_level": 40, "user_id": 7 }]), true)];
        assert_eq!(on(Role::Rebuilt, &ours, BOT), [""; 0]);
        assert_eq!(on(Role::Appended, &ours, BOT), [""; 0]);
        let stable = [rule("cfgupdater/x", &json!([{ "access_level": 40 }]), false)];
        assert_eq!(on(Role::Stable, &stable, BOT), [""; 0]);
    }

    #[test]
    fn an_account_that_may_not_push_is_told_so() {
        for access in [
            json!([]),
            json!([{ "access_level": 0 }]),
            json!([{ "access_level": 60 }]),
            json!([{ "access_level": 40, "user_id": 8 }]),
            json!([{ "access_level": 40, "deploy_key_id": 8 }]),
        ] {
            let found = on(Role::Stable, &[rule("*", &access, false)], BOT);
            assert!(found.len() == 1 && found[0].contains("may not push it"), "{access}: {found:?}");
        }
        let group = json!([{ "access_level": 40, "group_id": 3 }]);
        assert_eq!(
            on(Role::Stable, &[rule("*", &group, false)], BOT),
            [""; 0],
            "who is in it isn't known here"
        );
        let user = json!([{ "access_level": 40, "user_id": 8 }]);
        assert_eq!(on(Role::Stable, &[rule("*", &user, false)], Bot::default()), [""; 0]);
    }

    #[test]
    fn a_branch_that_is_rebuilt_takes_force_and_stable_does_not() {
        let user = json!([{ "user_id": 7 }]);
        let found = on(Role::Rebuilt, &[rule("*", &user, false)], BOT);
        assert!(
            found.len() == 1 && found[0].starts_with("! `cfgupdater/x` is protected against force"),
            "{found:?}"
        );
        let found = on(Role::Stable, &[rule("*", &user, true)], BOT);
        assert!(found.len() == 1 && found[0].starts_with("? "), "{found:?}");
        assert_eq!(on(Role::Appended, &[rule("*", &user, false)], BOT), [""; 0]);
    }

    #[test]
    fn ours_must_be_ours_alone() {
        for rules in [vec![], vec![rule("*", &json!([{ "access_level": 30 }]), true)]] {
            let found = on(Role::Rebuilt, &rules, BOT);
            assert_eq!(found, ["? others than the service may push `cfgupdater/x`"]);
        }
        assert!(on(Role::Stable, &[], BOT)[0].contains("is not protected"));
    }

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, name) in [
            ("auto", "auto"),
            ("*", "x/y"),
            ("cfgupdater/*", "cfgupdater/a/b"),
            ("*-stable", "1-stable"),
            ("a*b*c", "aXbYc"),
        ] {
            assert!(fits(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("auto", "automatic"),
            ("cfgupdater/*", "x/cfgupdater/a"),
            ("*-stable", "stable"),
            ("a*b*c", "acb"),
        ] {
            assert!(!fits(pattern, name), "{pattern} {name}");
        }
    }
}
