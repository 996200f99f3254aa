//! What is there, and what goes wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::SystemTime;

use serde_json::{Value, json};

use crate::answers;

/// What goes wrong with every request, or with some.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Trouble {
    /// Nothing.
    #[default]
    None,
    /// Too many requests; when to come back in seconds, where that is said.
    RateLimited(Option<u64>),
    /// Nobody may ask anything for so many seconds, from the next question after check runs on; then all is well again.
    LimitedFor {
        /// How long.
        seconds: u64,
        /// The secondary limit, which says how long to wait; the primary one says when it ends.
        secondary: bool,
    },
    /// 503.
    Unavailable,
    /// A page of a list answers 502.
    PageFails(usize),
    /// A page of a list ends in its middle.
    PageIsCut(usize),
    /// A list of check runs lacks its last item.
    PageIsShort,
    /// The API doesn't know this commit yet.
    CommitUnknown(String),
    /// 404 for the repository.
    RepositoryGone,
    /// 401, whoever asks.
    TokenRevoked,
    /// 403 for statuses and check runs.
    ChecksForbidden,
    /// 403 for branch protection.
    RequiredForbidden,
}

/// One repository on a GitHub.
#[derive(Debug, Default)]
pub struct World {
    statuses: BTreeMap<String, Vec<Value>>,
    runs: BTreeMap<String, Vec<Value>>,
    /// The required checks of branch protection; `None` where the branch is not protected.
    pub protection: Option<Value>,
    /// All else that branch protection sets, by branch.
    pub guarded: BTreeMap<String, Value>,
    /// The rules of all rulesets that hold for master.
    pub rules: Vec<Value>,
    /// Those that hold for another branch.
    pub rules_of: BTreeMap<String, Vec<Value>>,
    /// Rulesets by number.
    pub rulesets: BTreeMap<u64, Value>,
    /// The files of `.github/workflows` by name.
    pub workflows: BTreeMap<String, String>,
    /// Tokens of the installation that hold.
    pub tokens: BTreeSet<String>,
    /// Those of them that may not look at branch protection.
    pub(crate) lesser_tokens: BTreeSet<String>,
    /// What each of them was asked to be for.
    pub token_requests: Vec<Value>,
    /// The App lacks this permission.
    pub lacks: Option<String>,
    /// How many requests the App itself has left, where that is not as for all others.
    pub app_remaining: Option<u64>,
    /// Whoever has a plain token may not push.
    pub pushes_refused: bool,
    /// What goes wrong.
    pub trouble: Trouble,
    /// Until when nobody may ask anything.
    pub(crate) limited_until: Option<SystemTime>,
    /// What was asked since then.
    pub(crate) asked_since: BTreeSet<String>,
    /// How many questions came nevertheless that can't have been on their way when GitHub said that none may.
    pub impatient: usize,
    /// How many seconds a new token holds.
    pub token_seconds: u64,
    /// Method and target of every request.
    pub requests: Vec<String>,
    /// What was answered against GitHub's own description.
    pub violations: Vec<String>,
    /// Deliveries of webhooks, newest first.
    pub deliveries: Vec<Value>,
    /// Deliveries that were asked for again.
    pub redelivered: Vec<u64>,
    /// Where repositories are served from.
    pub git_root: Option<PathBuf>,
    /// Answers the next push, which is applied, with 502.
    pub break_next_push: bool,
    /// How many pushes came, and by which login.
    pub pushes: Vec<String>,
    /// The checks without which `green_directory` gets no file of a commit's name.
    pub gate: Vec<String>,
    /// Where the `update` hook looks which commits are green.
    pub green_directory: Option<PathBuf>,
    next_id: u64,
}

impl World {
    /// Posts a status.
    pub fn status(&mut self, sha: &str, context: &str, state: &str, by: &str) {
        let id = self.id();
        self.statuses.entry(sha.to_owned()).or_default().push(answers::status(id, sha, context, state, by));
        self.open_gate(sha);
    }

    /// Makes a check run by an App; a word of its status, or of its conclusion.
    pub fn run(&mut self, sha: &str, name: &str, word: &str, app: u64) -> u64 {
        let id = self.id();
        self.runs.entry(sha.to_owned()).or_default().push(answers::run(id, sha, name, word, app));
        self.open_gate(sha);
        id
    }

    /// Updates a check run.
    pub fn update_run(&mut self, sha: &str, id: u64, word: &str) {
        for run in self.runs.get_mut(sha).into_iter().flatten().filter(|run| run["id"] == id) {
            let (name, app) =
                (run["name"].as_str().unwrap_or_default().to_owned(), run["app"]["id"].as_u64());
            *run = answers::run(id, sha, &name, word, app.unwrap_or_default());
        }
        self.open_gate(sha);
    }

    /// Requires checks by branch protection: names with their Apps.
    pub fn protect(&mut self, checks: &[(&str, Option<i64>)]) {
        let contexts: Vec<&str> = checks.iter().map(|(name, _)| *name).collect();
        let checks: Vec<Value> =
            checks.iter().map(|(name, app)| json!({ "context": name, "app_id": app })).collect();
        self.protection = Some(answers::protection(&contexts, &checks));
    }

    /// Requires checks by a ruleset: names with their Apps.
    pub fn rule(&mut self, checks: &[(&str, Option<i64>)]) {
        let checks: Vec<Value> = checks
            .iter()
            .map(|(name, app)| match app {
                Some(app) => json!({ "context": name, "integration_id": app }),
                None => json!({ "context": name }),
            })
            .collect();
        self.rules.push(answers::checks_rule(&checks));
    }

    /// Returns branch protection of a branch as a whole.
    pub(crate) fn protection_of(&self, branch: &str) -> Option<Value> {
        let checks = self.protection.clone().filter(|_| branch == "master");
        let mut whole = match (self.guarded.get(branch), &checks) {
            (Some(guarded), _) => guarded.clone(),
            (None, Some(_)) => json!({}),
            (None, None) => return None,
        };
        whole["url"] = answers::protection_url(branch).into();
        if let Some(checks) = checks {
            whole["required_status_checks"] = checks;
        }
        Some(whole)
    }

    /// Takes all tokens back; new ones are to be had.
    pub fn expire_tokens(&mut self) {
        self.tokens.clear();
    }

    /// Counts the requests whose target contains `part`.
    pub fn requests_of(&self, part: &str) -> usize {
        self.requests.iter().filter(|request| request.contains(part)).count()
    }

    pub(crate) fn id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    /// Lists the statuses of a commit, newest first.
    pub(crate) fn statuses_of(&self, sha: &str) -> Vec<Value> {
        self.statuses.get(sha).into_iter().flatten().rev().cloned().collect()
    }

    /// Lists the latest run of each name and App, newest first.
    pub(crate) fn latest_runs_of(&self, sha: &str) -> Vec<Value> {
        let mut seen = BTreeSet::new();
        let mut latest = Vec::new();
        for run in self.runs.get(sha).into_iter().flatten().rev() {
            if seen.insert((run["name"].to_string(), run["app"]["id"].to_string())) {
                latest.push(run.clone());
            }
        }
        latest
    }

    /// Opens or closes the gate for a commit, by a rule of its own: every name of the gate was reported, and nowhere
    /// is the last word on it anything but success.
    fn open_gate(&self, sha: &str) {
        let Some(directory) = &self.green_directory else { return };
        let statuses = self.statuses_of(sha);
        let runs = self.latest_runs_of(sha);
        let passed = |name: &String| {
            let status =
                statuses.iter().find(|status| status["context"] == **name).map(|s| s["state"] == "success");
            let mut words: Vec<bool> = runs
                .iter()
                .filter(|run| run["name"] == **name)
                .map(|run| run["conclusion"] == "success")
                .collect();
            words.extend(status);
            !words.is_empty() && words.into_iter().all(|passed| passed)
        };
        let file = directory.join(sha);
        if self.gate.iter().all(passed) {
            std::fs::write(file, "").expect("the directory of green commits is writable");
        } else if file.exists() {
            std::fs::remove_file(file).expect("the directory of green commits is writable");
        }
    }
}
