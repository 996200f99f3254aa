//! What the rules of our branches would refuse, and what they should refuse and don't.

use cfgupdater_core::Finding;

use super::guard::{Guard, Protection};

/// What we do with a branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Deploy tools follow it; people push it too.
    Stable,
    /// Written by the service alone, and rebuilt at will.
    Ours,
}

/// A mistake that a guard may have. `{}` stands for the branch.
struct Mistake {
    fatal: bool,
    applies: fn(&Guard) -> bool,
    problem: &'static str,
    remedy: &'static str,
}

/// Finds what stands against work on a branch.
pub(super) fn findings(name: &str, role: Role, guard: &Guard) -> Vec<Finding> {
    let told = |text: &str| text.replace("{}", name);
    let tell = |mistake: &Mistake| {
        let made = if mistake.fatal { Finding::fatal } else { Finding::warning };
        made(told(mistake.problem), told(mistake.remedy))
    };
    let (mistakes, in_the_way) = match role {
        Role::Stable => (&OF_STABLE[..], None),
        Role::Ours => (&OF_OURS[..], in_the_way(name, guard)),
    };
    let made = mistakes.iter().filter(|mistake| (mistake.applies)(guard)).map(tell);
    in_the_way
        .into_iter()
        .chain(made)
        .chain(unclear(name, role, guard))
        .chain(unjudged(name, guard))
        .collect()
}

/// Where branch protection requires pull requests, and below that, which Apps need none.
const REVIEWS: &str = "/required_pull_request_reviews";
const EXEMPT: &str = "/bypass_pull_request_allowances/apps";

/// Branch protection names those who may push, on whichever branch, and leaves the App out.
const NOT_NAMED: Mistake = Mistake {
    fatal: true,
    applies: |guard| guard.app.is_some() && guard.set_for_us("/restrictions", "/apps"),
    problem: "branch protection of `{}` says who may push, and the App isn't named",
    remedy: "name the App under \"Restrict who can push to matching branches\"",
};

/// What a branch that people push too may do wrong.
const OF_STABLE: [Mistake; 9] = [
    Mistake {
        fatal: true,
        applies: |guard| guard.has("merge_queue"),
        problem: "`{}` has a merge queue, which refuses every direct push",
        remedy: "take the merge queue off `{}`: nothing lands here but what was tested as it is",
    },
    Mistake {
        fatal: true,
        applies: |guard| {
            guard.holds_us("required_signatures") || guard.set("/required_signatures/enabled").is_some()
        },
        problem: "`{}` requires signed commits, and ours are not signed",
        remedy: "sign them by `ssh_signing_key_file`, or let the App bypass a ruleset that holds this rule alone",
    },
    Mistake {
        fatal: true,
        applies: |guard| guard.holds_us("pull_request"),
        problem: "`{}` requires pull requests, also of the App",
        remedy: "make two rulesets: one that requires pull requests, with the App on its bypass list, and one that \
                 requires the checks, without",
    },
    Mistake {
        fatal: true,
        applies: |guard| guard.app.is_some() && guard.set_for_us(REVIEWS, EXEMPT),
        problem: "branch protection of `{}` requires pull requests, also of the App",
        remedy: "put the App on its bypass list, or move the rule into a ruleset of its own that the App may bypass",
    },
    Mistake {
        fatal: false,
        applies: |guard| guard.app.is_none() && guard.set(REVIEWS).is_some(),
        problem: "branch protection of `{}` requires pull requests, perhaps also of the token's account",
        remedy: "put the account on its bypass list, or move the rule into a ruleset of its own that it may bypass",
    },
    Mistake {
        fatal: true,
        applies: |guard| guard.lets_us_pass("required_status_checks"),
        problem: "the App may bypass the ruleset that requires the checks of `{}`",
        remedy: "take it off that ruleset's bypass list, so that GitHub refuses what isn't green whoever pushes it; \
                 where pull requests are required too, make that another ruleset",
    },
    Mistake {
        fatal: true,
        applies: |guard| guard.holds_us("update") || guard.set("/lock_branch/enabled").is_some(),
        problem: "`{}` takes no pushes from the App",
        remedy: "put the App on the bypass list of the rule that restricts updates, or unlock the branch",
    },
    NOT_NAMED,
    Mistake {
        fatal: false,
        applies: |guard| {
            !guard.has("required_status_checks") && guard.set("/required_status_checks").is_none()
        },
        problem: "GitHub requires no checks of `{}`, so this service alone keeps red commits off it",
        remedy: "require them in a ruleset too, without a bypass for the App",
    },
];

/// What a branch that is rebuilt by the service alone may do wrong, beside what is [`IN_THE_WAY`].
const OF_OURS: [Mistake; 3] = [
    Mistake {
        fatal: true,
        applies: |guard| {
            matches!(guard.protection, Protection::Set(_))
                && guard.set("/allow_force_pushes/enabled").is_none()
        },
        problem: "branch protection of `{}` forbids force pushes, by which the App rebuilds it",
        remedy: "allow them there, or leave `{}` unprotected and restrict updates by a ruleset",
    },
    NOT_NAMED,
    Mistake {
        fatal: false,
        applies: |guard| !guard.has("update") && guard.set("/restrictions").is_none(),
        problem: "everybody who may write may push `{}`",
        remedy: "restrict updates of `{}` by a ruleset, with the App alone on its bypass list",
    },
];

/// Rules that a rebuilt branch can't keep: the kind in a ruleset, the place in branch protection, what it does.
const IN_THE_WAY: [(&str, &str, &str); 7] = [
    ("creation", "", "restricts creations"),
    ("non_fast_forward", "", "forbids force pushes"),
    ("update", "/lock_branch/enabled", "restricts updates"),
    ("pull_request", REVIEWS, "requires pull requests"),
    ("required_status_checks", "/required_status_checks", "requires checks before a push"),
    ("required_signatures", "/required_signatures/enabled", "requires signed commits"),
    ("merge_queue", "", "has a merge queue"),
];

fn in_the_way(name: &str, guard: &Guard) -> Option<Finding> {
    let held = |(kind, place, _): &&(&str, &str, &str)| {
        guard.holds_us(kind) || !place.is_empty() && guard.set_for_us(place, EXEMPT)
    };
    let held: Vec<&str> = IN_THE_WAY.iter().filter(held).map(|(_, _, says)| *says).collect();
    (!held.is_empty()).then(|| {
        Finding::fatal(
            format!(
                "a rule of `{name}` {}, also for the App, which rebuilds this branch",
                held.join(" and ")
            ),
            format!("leave `{name}` out of that rule, or put the App on its bypass list"),
        )
    })
}

/// Kinds of rules that are judged above or that nothing we push can break, and whether they may hold for the App on the
/// stable branch, and on the others.
const JUDGED: [(&str, bool, bool); 10] = [
    ("creation", true, false),
    ("update", false, false),
    ("non_fast_forward", true, false),
    ("pull_request", false, false),
    ("required_status_checks", false, false),
    ("required_signatures", false, false),
    ("merge_queue", true, false),
    ("deletion", true, true),
    ("required_linear_history", true, true),
    ("copilot_code_review", true, true),
];

/// Says of which rules nobody can tell whether they hold for the App.
fn unclear(name: &str, role: Role, guard: &Guard) -> Option<Finding> {
    let matters = |kind: &&str| {
        JUDGED.iter().any(|(judged, on_stable, on_ours)| {
            judged == kind && !(if role == Role::Stable { *on_stable } else { *on_ours })
        })
    };
    let kinds: Vec<&str> = guard.unclear().into_iter().filter(matters).collect();
    (!kinds.is_empty()).then(|| {
        Finding::warning(
            format!("whether the App may bypass the rules {} of `{name}` can't be seen", kinds.join(", ")),
            "look at the bypass lists of these rulesets: the App belongs on all but the one that requires the checks",
        )
    })
}

/// Names rules that may refuse a push for reasons which nobody looks at here.
fn unjudged(name: &str, guard: &Guard) -> Option<Finding> {
    let judged = |kind: &&str| JUDGED.iter().any(|(judged, ..)| judged == kind);
    let kinds: Vec<&str> = guard.holding().into_iter().filter(|kind| !judged(kind)).collect();
    (!kinds.is_empty()).then(|| {
        Finding::warning(
            format!(
                "the rules {} of `{name}` hold for the App, and may refuse what it pushes",
                kinds.join(", ")
            ),
            "make sure that the App's commits keep them, or put the App on the bypass list of that ruleset",
        )
    })
}

#[cfg(test)]
mod tests;
