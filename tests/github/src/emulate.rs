//! [`Emulate`]: a GitHub with state that somebody else wrote, the npm package `emulate`.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{APP, INSTALLATION, KEY, REPOSITORY, npm};

/// A token of a person who may do everything, as CI has one.
const PERSON: &str = "canary_of_ci";

/// A running emulate; ends when dropped.
#[derive(Debug)]
pub struct Emulate {
    base: String,
    child: Child,
    /// It ends when this is closed, also where nobody drops it.
    _stdin: Option<ChildStdin>,
    _seed: TempDir,
    agent: ureq::Agent,
    taken: Mutex<BTreeSet<String>>,
}

impl Emulate {
    /// Starts one that delivers the App's webhooks, signed, to an address.
    ///
    /// # Errors
    /// Says why it can't be run here.
    pub fn start(webhook_url: &str, webhook_secret: &str) -> Result<Self, String> {
        let module = npm::file("emulate/dist/api.js")?;
        let directory = tempfile::tempdir().expect("a temporary directory");
        let file = directory.path().join("seed.json");
        std::fs::write(&file, seed(webhook_url, webhook_secret).to_string()).expect("a file can be written");
        let mut child = Command::new("node")
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/emulate/start.mjs"))
            .args([&module, &file])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("node can't be run: {error}"))?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("it is piped")).read_line(&mut line).expect("it is text");
        let (_, port) = line.trim().rsplit_once(':').expect("emulate says where it listens");
        let config = ureq::Agent::config_builder().http_status_as_error(false).proxy(None).build();
        Ok(Self {
            base: format!("http://127.0.0.1:{port}"),
            _stdin: child.stdin.take(),
            child,
            _seed: directory,
            agent: config.into(),
            taken: Mutex::default(),
        })
    }

    /// Returns where it is.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Asks something as a person who may do everything; `null` where the answer has no JSON.
    pub fn ask(&self, method: &str, target: &str, body: &Value) -> (u16, Value) {
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{target}", self.base))
            .header("authorization", format!("Bearer {PERSON}"))
            .header("content-type", "application/json");
        let answer = if method == "GET" {
            self.agent.run(request.body(()).expect("a request can be built"))
        } else {
            self.agent.run(request.body(body.to_string()).expect("a request can be built"))
        };
        let mut answer = answer.expect("emulate answers");
        let status = answer.status().as_u16();
        (status, answer.body_mut().read_json().unwrap_or_default())
    }

    /// Does something in the repository that must succeed, and returns the answer.
    ///
    /// # Panics
    /// Shows the answer where it didn't.
    pub fn of_repository(&self, method: &str, target: &str, body: &Value) -> Value {
        let (status, answer) = self.ask(method, &format!("/repos/{REPOSITORY}{target}"), body);
        assert!((200..300).contains(&status), "{method} {target}: {status} {answer}");
        answer
    }

    /// Makes a check run, and returns its number; whoever listens is told by a webhook.
    pub fn run(&self, sha: &str, name: &str, word: &str) -> u64 {
        let unfinished = ["queued", "in_progress"].contains(&word);
        let body = if unfinished {
            json!({ "name": name, "head_sha": sha, "status": word })
        } else {
            json!({ "name": name, "head_sha": sha, "status": "completed", "conclusion": word })
        };
        self.of_repository("POST", "/check-runs", &body)["id"].as_u64().expect("a run has a number")
    }

    /// Requires checks of a branch by branch protection.
    pub fn protect(&self, branch: &str, contexts: &[&str]) {
        let body = json!({
            "required_status_checks": { "strict": false, "contexts": contexts }, "enforce_admins": false,
            "required_pull_request_reviews": null, "restrictions": null
        });
        self.of_repository("PUT", &format!("/branches/{branch}/protection"), &body);
    }

    /// Takes every commit of a repository that it doesn't have: the API of one server, the git of another.
    pub fn take_all(&self, repository: &Path) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        for commit in git(repository, &["rev-list", "--topo-order", "--reverse", "--all"]).lines() {
            if taken.insert(commit.to_owned()) {
                self.take(repository, commit);
            }
        }
    }

    /// Takes a commit, whose number it works out by itself.
    fn take(&self, repository: &Path, commit: &str) {
        let listed = git(repository, &["ls-tree", "-r", commit]);
        let entries: Vec<Value> = listed
            .lines()
            .map(|line| {
                let (head, path) = line.split_once('\t').expect("git lists a path");
                let head: Vec<&str> = head.split(' ').collect();
                let content = git(repository, &["cat-file", "blob", head[2]]);
                json!({ "path": path, "mode": head[0], "type": head[1], "content": content })
            })
            .collect();
        let tree = self.of_repository("POST", "/git/trees", &json!({ "tree": entries }))["sha"].clone();
        let format = "--format=%P%x00%an%x00%ae%x00%aI%x00%cn%x00%ce%x00%cI";
        let shown = git(repository, &["log", "-1", format, commit]);
        let field: Vec<&str> = shown.trim_end().split('\0').collect();
        let raw = git(repository, &["cat-file", "commit", commit]);
        let (_, message) = raw.split_once("\n\n").expect("a commit has a message");
        let parents: Vec<&str> = field[0].split_whitespace().collect();
        let body = json!({
            "message": message, "tree": tree, "parents": parents,
            "author": { "name": field[1], "email": field[2], "date": field[3] },
            "committer": { "name": field[4], "email": field[5], "date": field[6] }
        });
        let made = self.of_repository("POST", "/git/commits", &body);
        assert_eq!(made["sha"], commit, "emulate names commits as git does: {made}");
    }
}

impl Drop for Emulate {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn git(repository: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git").arg("-C").arg(repository).args(arguments).output();
    let output = output.expect("git can be run");
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("tests' files are text")
}

fn seed(webhook_url: &str, webhook_secret: &str) -> Value {
    let (owner, name) = REPOSITORY.split_once('/').expect("a repository has an owner");
    let permissions = json!({
        "administration": "read", "checks": "read", "contents": "write", "metadata": "read", "statuses": "read"
    });
    let key = std::fs::read_to_string(KEY).expect("the App's key is readable");
    let github = json!({
        "users": [{ "login": "octocat" }],
        "orgs": [{ "login": owner, "members": [{ "login": "octocat", "role": "admin" }] }],
        "repos": [{ "owner": owner, "name": name, "auto_init": true, "default_branch": "master" }],
        "apps": [{
            "app_id": APP, "slug": "cfgupdater", "name": "cfgupdater", "private_key": key,
            "permissions": permissions, "events": ["check_run", "status", "push", "branch_protection_rule"],
            "webhook_url": webhook_url, "webhook_secret": webhook_secret,
            "installations": [{
                "installation_id": INSTALLATION, "account": owner, "repository_selection": "selected",
                "repositories": [REPOSITORY], "permissions": permissions
            }]
        }]
    });
    json!({ "tokens": { PERSON: { "login": "octocat", "scopes": ["repo"] } }, "github": github })
}
