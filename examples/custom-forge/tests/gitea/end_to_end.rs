//! The main job by the binary of this package: real git, a Gitea, and nobody looking but the service itself.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use cfgupdater_forge_http::{Form, Secret, sign_hmac};
use cfgupdater_testkit::git;
use serde_json::{Value, json};

use crate::server::{Gitea, PROJECT};
use crate::webhooks::{headers, status_event};

const PATIENCE: Duration = Duration::from_mins(2);
const SECRET: &str = "gitea-webhook-secret";

#[tokio::test(flavor = "multi_thread")]
async fn a_set_is_introduced_lands_is_promoted_and_a_bad_one_is_evicted() {
    let gitea = Gitea::start("robot-token").await;
    gitea.set_contexts(Some(vec!["ci/*".to_owned()]));
    let site = Site::start(&gitea);

    let first = site.announce(1).await;
    let auto = site.moved("auto", &first["commit"]).await;
    gitea.add_status(auto, "ci/build", "success", "robot");
    gitea.add_status(auto, "ci/test", "pending", "robot");
    site.deliver().await;
    site.why("ci/*").await;
    assert_ne!(site.tip("master"), auto.to_string(), "one of two checks still runs");
    gitea.add_status(auto, "ci/test", "success", "robot");
    site.deliver().await;
    site.eventually("the first build to land", || site.tip("master") == auto.to_string()).await;

    let report = json!({"wave": "staging", "target": "staging-1", "status": "succeeded", "revision": auto});
    site.post("/v1/repos/cfg-app/deployments", &report).await;
    let ahead = || site.tip("auto") != auto.to_string();
    site.eventually("the promotion to be on auto", ahead).await;
    let promotion = site.tip("auto").parse().unwrap();
    gitea.add_status(promotion, "ci/build", "success", "robot");
    site.deliver().await;
    site.eventually("the promotion to land", || site.tip("master") == site.tip("auto")).await;
    assert_eq!(site.images("staging"), site.images("production"));

    let bad = site.announce(2).await;
    let auto = site.moved("auto", &bad["commit"]).await;
    gitea.add_status(auto, "ci/build", "failure", "robot");
    site.deliver().await;
    let end = site.end_of(&bad["intent"]).await;
    assert!(end.to_string().contains("evicted"), "{end}");
    site.eventually("auto to be at stable again", || site.tip("auto") == site.tip("master")).await;
}

/// A configuration repository and the service on it; ended when dropped.
struct Site {
    directory: tempfile::TempDir,
    service: Child,
    base: String,
    client: reqwest::Client,
}

impl Drop for Site {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.service.kill();
        let _ = self.service.wait();
    }
}

impl Site {
    fn start(gitea: &Gitea) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        std::fs::create_dir(path.join("remote.git")).unwrap();
        git(&path.join("remote.git"), &["init", "--quiet", "--bare", "--initial-branch=master", "."]);
        let clone = path.join("clone");
        git(path, &["clone", "--quiet", "remote.git", "clone"]);
        git(&clone, &["commit", "--quiet", "--allow-empty", "-m", "initial commit"]);
        git(&clone, &["push", "--quiet", "origin", "HEAD:master"]);
        let first = git(&clone, &["rev-parse", "HEAD"]).parse().unwrap();
        gitea.add_status(first, "ci/build", "success", "robot");
        for (name, text) in [("token", "robot-token"), ("secret", SECRET), ("api", "operator-token")] {
            std::fs::write(path.join(name), text).unwrap();
        }
        std::fs::write(path.join("cfgupdater.toml"), configuration(path, &gitea.api_url)).unwrap();
        let mut service = Command::new(env!("CARGO_BIN_EXE_cfgupdater-gitea"))
            .arg(path.join("cfgupdater.toml"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(service.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let base = line.trim().strip_prefix("listening on ").expect("it listens").to_owned();
        let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
        Self { directory, service, base, client }
    }

    fn remote(&self) -> std::path::PathBuf {
        self.directory.path().join("remote.git")
    }

    fn tip(&self, branch: &str) -> String {
        git(&self.remote(), &["for-each-ref", "--format=%(objectname)", &format!("refs/heads/{branch}")])
    }

    fn images(&self, wave: &str) -> String {
        git(&self.remote(), &["show", &format!("master:images/{wave}/tags.json")])
    }

    async fn eventually(&self, what: &str, holds: impl Fn() -> bool) {
        let start = Instant::now();
        while !holds() {
            assert!(start.elapsed() < PATIENCE, "waited in vain for {what}: {}", self.status().await);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until a branch is where an answer said, and returns the commit.
    async fn moved(&self, branch: &str, commit: &Value) -> cfgupdater_core::CommitId {
        let commit = commit.as_str().expect("it was committed").to_owned();
        self.eventually("the commit to be pushed", || self.tip(branch) == commit).await;
        commit.parse().unwrap()
    }

    /// Waits until the service says of something that waits what it waits for.
    async fn why(&self, says: &str) {
        let start = Instant::now();
        while !self.status().await["why"].to_string().contains(says) {
            assert!(start.elapsed() < PATIENCE, "no reason says {says}: {}", self.status().await);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn end_of(&self, intent: &Value) -> Value {
        let start = Instant::now();
        loop {
            let id = intent.as_str().unwrap();
            let found = self.get(&format!("/v1/repos/cfg-app/intents/{id}?wait=5")).await;
            if !found["end"].is_null() {
                return found["end"].clone();
            }
            assert!(start.elapsed() < PATIENCE, "the intent doesn't end: {}", self.status().await);
        }
    }

    async fn status(&self) -> Value {
        self.get("/v1/repos/cfg-app").await
    }

    async fn get(&self, path: &str) -> Value {
        let request = self.client.get(format!("{}{path}", self.base)).bearer_auth("operator-token");
        request.send().await.unwrap().json().await.unwrap()
    }

    async fn post(&self, path: &str, body: &Value) -> Value {
        let request = self.client.post(format!("{}{path}", self.base)).bearer_auth("operator-token");
        let response = request.json(body).send().await.unwrap();
        let status = response.status();
        let text = response.text().await.unwrap();
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap()
    }

    async fn announce(&self, build: u32) -> Value {
        let (digest, tag) = (format!("{build:08x}").repeat(8), format!("{build:08x}").repeat(5));
        let name = "registry.example.com/web";
        let images =
            json!({"web": {"Digest": format!("{name}@sha256:{digest}"), "Tag": format!("{name}:{tag}")}});
        self.post(&format!("/v1/repos/cfg-app/images?app_sha={tag}"), &images).await
    }

    /// Delivers a webhook as Gitea does.
    async fn deliver(&self) {
        let body = status_event();
        let signature = sign_hmac(&Secret::new(SECRET).unwrap(), body.as_bytes(), Form::Bare);
        let mut request = self.client.post(format!("{}/v1/repos/cfg-app/hooks/forge", self.base));
        for (name, value) in headers("status") {
            request = request.header(name, value);
        }
        let answered = request.header("x-gitea-signature", signature).body(body).send().await.unwrap();
        assert!(answered.status().is_success(), "{}", answered.status());
    }
}

fn configuration(directory: &Path, api_url: &str) -> String {
    let directory = directory.display();
    format!(
        r#"[server]
listen = "127.0.0.1:0"
data_dir = "data"
[[server.token]]
name = "operator"
file = "api"
scopes = ["announce", "report", "operate", "read"]
[[repo]]
name = "cfg-app"
url = "file://{directory}/remote.git"
batch_window = "20ms"
[repo.forge]
kind = "gitea"
api_url = "{api_url}"
project = "{PROJECT}"
token_file = "token"
webhook_secret_file = "secret"
[[repo.image_set]]
name = "app"
[[repo.wave]]
name = "staging"
targets = ["staging-1"]
[[repo.wave]]
name = "production"
targets = ["prod-1"]
"#
    )
}
