//! Workflows that would leave a commit of auto without a result.

mod pushes;
mod yaml;

use std::collections::BTreeMap;

use cfgupdater_core::Finding;
use serde_json::Value;

/// A workflow of the repository.
#[derive(Debug)]
pub(super) struct Workflow {
    file: String,
    content: Value,
}

impl Workflow {
    /// Reads a workflow; `None` where its text is no YAML, which GitHub doesn't run either.
    pub(super) fn read(file: &str, text: &str) -> Option<Self> {
        Some(Self { file: file.to_owned(), content: yaml::read(text)? })
    }

    /// Tells whether it runs on pushes of a branch.
    fn tests(&self, branch: &str) -> bool {
        pushes::filters(&self.content).is_some_and(|filters| pushes::take(filters, branch))
    }

    /// Tells whether it doesn't run on pushes that leave certain paths as they are.
    fn is_choosy(&self) -> bool {
        let filtered = |filters: &Value| filters.get("paths").or(filters.get("paths-ignore")).is_some();
        pushes::filters(&self.content).is_some_and(filtered)
    }

    /// Tells whether the whole or one of its jobs cancels what ran before.
    fn cancels(&self) -> bool {
        let jobs = self.jobs().map(|(_, job)| job);
        std::iter::once(&self.content).chain(jobs).any(|of| {
            let word = of["concurrency"]["cancel-in-progress"].as_str().unwrap_or_default().trim();
            let inner = word.strip_prefix("${{").and_then(|word| word.strip_suffix("}}"));
            inner.unwrap_or(word).trim() == "true"
        })
    }

    fn jobs(&self) -> impl Iterator<Item = (&str, &Value)> {
        let jobs = self.content["jobs"].as_object().into_iter().flatten();
        jobs.map(|(id, job)| (id.as_str(), job))
    }

    /// Lists the names under which its jobs report, as far as they can be known beforehand.
    fn checks(&self) -> impl Iterator<Item = &str> {
        self.jobs()
            .filter(|(_, job)| job["strategy"]["matrix"].is_null())
            .map(|(id, job)| job["name"].as_str().unwrap_or(id))
            .filter(|name| !name.contains("${{"))
    }
}

/// Finds what is wrong with the workflows that test `auto` and `probe`. These are hints: CI may well be elsewhere, and
/// where there is no workflow it is.
pub(super) fn findings(workflows: &[Workflow], auto: &str, probe: &str) -> Vec<Finding> {
    let testing: Vec<&Workflow> = workflows.iter().filter(|workflow| workflow.tests(auto)).collect();
    let mut found: Vec<Finding> = testing.iter().flat_map(|workflow| of_one(workflow, auto)).collect();
    found.extend(used_twice(&testing));
    let untested = |branch: &&str| !workflows.iter().any(|workflow| workflow.tests(branch));
    let untested: Vec<&str> = [auto, probe].into_iter().filter(untested).collect();
    if !untested.is_empty() && !workflows.is_empty() {
        let names = untested.join("` and `");
        found.push(Finding::warning(
            format!("no workflow runs on pushes of `{names}`, so commits there may never get a result"),
            format!("add `{names}` to the branches under `on: push` of the workflow that checks commits"),
        ));
    }
    found
}

fn of_one(workflow: &Workflow, auto: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    let file = &workflow.file;
    if workflow.is_choosy() {
        found.push(Finding::warning(
            format!("workflow {file} runs only if certain paths changed; a required check of it never comes for other commits"),
            "take the filter off the workflow and skip its steps instead, or don't require its checks",
        ));
    }
    if workflow.cancels() {
        found.push(Finding::warning(
            format!("workflow {file} cancels its runs when a branch moves on, so commits of `{auto}` may never get a result"),
            format!("write `cancel-in-progress: ${{{{ github.ref_name != '{auto}' }}}}`"),
        ));
    }
    found
}

/// GitHub shows one result of a name and App, whichever came last.
fn used_twice(testing: &[&Workflow]) -> Vec<Finding> {
    let mut users: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for workflow in testing {
        for name in workflow.checks() {
            users.entry(name).or_default().push(&workflow.file);
        }
    }
    let twice = users.into_iter().filter(|(_, files)| files.len() > 1);
    let finding = |(name, files): (&str, Vec<&str>)| {
        Finding::warning(
            format!(
                "jobs of {} are all called `{name}`, and the newest of them counts for all",
                files.join(" and ")
            ),
            "give each a name of its own, before one of them is required",
        )
    };
    twice.map(finding).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(texts: &[&str]) -> Vec<String> {
        let workflows: Vec<Workflow> =
            (1..).zip(texts).filter_map(|(n, text)| Workflow::read(&format!("{n}.yml"), text)).collect();
        findings(&workflows, "auto", "probe").into_iter().map(|finding| finding.problem).collect()
    }

    /// Makes sure that one workflow has one fault, which is told so.
    fn one(text: &str, says: &str) {
        let found = problems(&[text]);
        assert!(found.len() == 1 && found[0].contains(says), "{text}: {found:?}");
    }

    #[test]
    fn a_filter_of_paths_is_found_however_it_is_written() {
        for push in
            ["\n    paths:\n      - images/**", " { paths: ['images/**'] }", " {paths-ignore: [docs]}"]
        {
            one(&format!("on:\n  push:{push}\n"), "certain paths");
        }
        assert_eq!(problems(&["on: [push]\n# paths:\nx:\n  paths: [y]\n"]), [""; 0]);
    }

    #[test]
    fn cancellation_is_found_however_it_is_written() {
        for cancels in [
            "concurrency:\n  cancel-in-progress: true  # saves time\n",
            "concurrency: { group: x, cancel-in-progress: '${{ true }}' }\n",
            "jobs:\n  ci:\n    concurrency: {cancel-in-progress: true}\n",
        ] {
            one(&format!("on: push\n{cancels}"), "cancels its runs");
        }
        let chosen = "on: push\nconcurrency:\n  cancel-in-progress: ${{ github.ref_name != 'auto' }}\n";
        assert_eq!(problems(&[chosen]), [""; 0]);
    }

    #[test]
    fn a_branch_that_nothing_runs_on_is_found() {
        one("on:\n  pull_request:\n    paths: [x]\n", "no workflow runs on pushes of `auto` and `probe`");
        one("on:\n  push: {branches: [main, auto]}\n", "no workflow runs on pushes of `probe`");
        let other = "on:\n  push: {branches: [probe]}\n";
        assert_eq!(problems(&["on:\n  push: {branches: [main, auto]}\n", other]), [""; 0]);
        assert_eq!(problems(&[]), [""; 0], "CI may be elsewhere");
    }

    #[test]
    fn names_of_jobs_that_are_used_twice_are_found() {
        let lint = "on: push\njobs:\n  a:\n    name: ci\n  build: {}\n";
        let found = problems(&["on: push\njobs: {ci: {}, other: {}}\n", lint]);
        assert_eq!(
            found,
            ["jobs of 1.yml and 2.yml are all called `ci`, and the newest of them counts for all"]
        );
        let apart =
            "on: push\njobs: {ci: {name: \"ci ${{ matrix.os }}\"}, build: {strategy: {matrix: {os: [a]}}}}\n";
        assert_eq!(problems(&["on: push\njobs: {ci: {}, build: {}}\n", apart]), [""; 0]);
    }

    #[test]
    fn the_remedy_is_an_expression_that_can_be_pasted() {
        let workflow =
            Workflow::read("ci.yml", "on: push\nconcurrency: {cancel-in-progress: true}\n").unwrap();
        let found = findings(&[workflow], "auto", "probe");
        assert_eq!(found[0].remedy, "write `cancel-in-progress: ${{ github.ref_name != 'auto' }}`");
    }

    #[test]
    fn the_workflow_that_we_ship_has_no_fault() {
        let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/github/workflows/checks.yml");
        let workflow = Workflow::read("checks.yml", &std::fs::read_to_string(shipped).unwrap()).unwrap();
        assert_eq!(findings(&[workflow], "auto", "cfgupdater/probe"), []);
    }
}
