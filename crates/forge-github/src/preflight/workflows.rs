//! Workflows that would leave a commit of auto without a result.

use cfgupdater_core::Finding;

/// Finds what a workflow that runs on pushes does wrong. It looks at lines and not at YAML as a whole: these are hints.
pub(super) fn findings(file: &str, text: &str, auto: &str) -> Vec<Finding> {
    let lines: Vec<&str> = text
        .lines()
        .map(|line| line.split(" #").next().unwrap_or_default().trim())
        .filter(|line| !line.starts_with('#'))
        .collect();
    let on_push = lines.iter().any(|line| {
        line.starts_with("push:") || *line == "- push" || line.starts_with("on:") && line.contains("push")
    });
    if !on_push {
        return Vec::new();
    }
    let mut found = Vec::new();
    if lines.iter().any(|line| line.starts_with("paths:") || line.starts_with("paths-ignore:")) {
        found.push(Finding::warning(
            format!("workflow {file} runs only if certain paths changed; a required check of it never comes for other commits"),
            "take the filter off the workflow and skip its steps instead, or don't require its checks",
        ));
    }
    if lines.contains(&"cancel-in-progress: true") {
        found.push(Finding::warning(
            format!("workflow {file} cancels its runs when a branch moves on, so commits of `{auto}` may never get a result"),
            format!("write `cancel-in-progress: ${{{{ github.ref_name != '{auto}' }}}}`"),
        ));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<String> {
        findings("ci.yml", text, "auto").into_iter().map(|finding| finding.problem).collect()
    }

    #[test]
    fn filters_and_cancellation_are_found_where_pushes_are_tested() {
        let found = problems(
            "on:\n  push:\n    paths:\n      - images/**\nconcurrency:\n  cancel-in-progress: true  # saves time\n",
        );
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!(problems("on: [push]\nconcurrency:\n  cancel-in-progress: true\n").len(), 1);
        assert_eq!(problems("on:\n  pull_request:\n    paths:\n      - x\n"), [""; 0]);
        assert_eq!(problems("on: [push]\n# paths:\n"), [""; 0]);
    }

    #[test]
    fn the_remedy_is_an_expression_that_can_be_pasted() {
        let found = findings("ci.yml", "on: [push]\ncancel-in-progress: true\n", "auto");
        assert_eq!(found[0].remedy, "write `cancel-in-progress: ${{ github.ref_name != 'auto' }}`");
    }
}
