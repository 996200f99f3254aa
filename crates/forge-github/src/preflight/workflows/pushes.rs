//! Which pushes a workflow runs on.
//!
//! Source: <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#onpushbranchestagsbranches-ignoretags-ignore>.

use serde_json::Value;

/// Returns the filters of a workflow's pushes, null where it has none; `None` where it doesn't run on pushes.
pub(super) fn filters(workflow: &Value) -> Option<&Value> {
    match &workflow["on"] {
        Value::String(event) => (event == "push").then_some(&Value::Null),
        Value::Array(events) => events.iter().any(|event| event == "push").then_some(&Value::Null),
        events => events.get("push"),
    }
}

/// Tells whether pushes of a branch get through the filters.
pub(super) fn take(filters: &Value, branch: &str) -> bool {
    let patterns = |key: &str| filters.get(key).map(texts);
    if let Some(wanted) = patterns("branches") {
        // The last pattern that fits decides.
        return wanted.iter().fold(false, |taken, pattern| match pattern.strip_prefix('!') {
            Some(not) => taken && !fits(not, branch),
            None => taken || fits(pattern, branch),
        });
    }
    if let Some(ignored) = patterns("branches-ignore") {
        return !ignored.iter().any(|pattern| fits(pattern, branch));
    }
    // Who names tags alone wants no branches.
    filters.get("tags").is_none() && filters.get("tags-ignore").is_none()
}

/// Reads one text or a list of them.
fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        other => other.as_str().into_iter().collect(),
    }
}

/// Tells whether a branch fits a pattern. Patterns with other marks than stars are rare, and taken to fit.
fn fits(pattern: &str, branch: &str) -> bool {
    if pattern.contains(['?', '+', '[', ']', '\\']) {
        return true;
    }
    match pattern.split_once('*') {
        None => pattern == branch,
        Some((start, rest)) => branch.strip_prefix(start).is_some_and(|left| match rest.strip_prefix('*') {
            Some(rest) => ends(left).any(|left| fits(rest, left)),
            None => ends(left)
                .take_while(|end| !left[..left.len() - end.len()].contains('/'))
                .any(|left| fits(rest, left)),
        }),
    }
}

/// Lists what may be left of a text once its beginning is taken off, the whole of it first.
fn ends(text: &str) -> impl Iterator<Item = &str> {
    text.char_indices().map(|(at, _)| &text[at..]).chain([""])
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn branches_fit_as_github_says() {
        for (pattern, branch, fit) in [
            ("auto", "auto", true),
            ("auto", "auto2", false),
            ("*", "auto", true),
            ("*", "cfgupdater/probe", false),
            ("**", "cfgupdater/probe", true),
            ("cfgupdater/**", "cfgupdater/probe", true),
            ("cfgupdater/*", "cfgupdater/probe", true),
            ("*/probe", "cfgupdater/probe", true),
            ("release/**", "auto", false),
            ("a*o", "auto", true),
        ] {
            assert_eq!(fits(pattern, branch), fit, "{pattern} {branch}");
        }
    }

    #[test]
    fn filters_are_of_branches_or_leave_them_out() {
        for (filters, taken) in [
            (json!(null), true),
            (json!({ "branches": "auto" }), true),
            (json!({ "branches": ["**", "!auto"] }), false),
            (json!({ "branches": ["!auto", "a*"] }), true),
            (json!({ "branches-ignore": ["auto"] }), false),
            (json!({ "branches-ignore": ["main"] }), true),
            (json!({ "tags": ["v*"] }), false),
            (json!({ "paths": ["x"] }), true),
        ] {
            assert_eq!(take(&filters, "auto"), taken, "{filters}");
        }
    }

    #[test]
    fn push_is_found_however_events_are_written() {
        for on in [json!("push"), json!(["pull_request", "push"]), json!({ "push": "" })] {
            assert!(filters(&json!({ "on": on })).is_some(), "{on}");
        }
        for on in [
            json!("pull_request"),
            json!(["workflow_dispatch"]),
            json!({ "pull_request": { "paths": ["push"] } }),
        ] {
            assert!(filters(&json!({ "on": on })).is_none(), "{on}");
        }
    }
}
