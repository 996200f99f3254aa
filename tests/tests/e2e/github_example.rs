//! `examples/github` says what works: its program lands what its workflows announce.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use cfgupdater_forge_http::{Form, Secret, sign_hmac};
use cfgupdater_tests::{PATIENCE, Remote, Server, app_sha, binary, built, eventually, images, serve};
use cfgupdater_tests_github::{APP, FakeGithub, KEY};
use saphyr::{LoadableYamlNode, Yaml};
use serde_json::json;
use tempfile::TempDir;

use crate::github::SECRET;

/// The program of the example, on a GitHub with one repository; killed when dropped.
struct Site {
    github: FakeGithub,
    remote: Remote,
    place: TempDir,
    program: Child,
    /// What it goes on to say, which must not be cut off.
    said: BufReader<ChildStdout>,
    server: Server,
}

impl Site {
    fn start() -> Self {
        let (github, remote, place) = (FakeGithub::start(), Remote::new(), tempfile::tempdir().unwrap());
        serve(&remote, &place.path().join("git"), "#!/bin/sh\n");
        github.world().git_root = Some(place.path().join("git"));
        github.world().rule(&[("ci", Some(15368))]);
        std::fs::write(place.path().join("webhook"), SECRET).unwrap();
        std::fs::write(place.path().join("images.json"), images(&["Service1"], 1).to_string()).unwrap();
        let mut program = Command::new(built("github"))
            .envs([
                ("REPOSITORY_URL", github.git_url()),
                ("API_URL", github.api_url()),
                ("APP_ID", APP.to_string()),
            ])
            .envs([("REPOSITORY", "acme/cfg"), ("PRIVATE_KEY_FILE", KEY), ("LISTEN", "127.0.0.1:0")])
            .env("WEBHOOK_SECRET_FILE", place.path().join("webhook"))
            .env("DATA_DIR", place.path().join("data"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(program.stdout.take().unwrap());
        // Before that it says what was found of the settings.
        let base = said
            .by_ref()
            .lines()
            .map(Result::unwrap)
            .find_map(|line| line.strip_prefix("listening on ").map(str::to_owned));
        let server = Server::new(&base.expect("the program says where it listens"), "none");
        let site = Self { github, remote, place, program, said, server };
        eventually("auto", || site.remote.tip("auto"));
        site
    }

    /// Runs what a workflow runs as its last step, as GitHub does.
    fn announces(&self, workflow: &str) -> Child {
        let bin = self.place.path().join("bin");
        std::fs::create_dir_all(&bin).unwrap();
        // It may be there from an earlier step.
        let _ = std::os::unix::fs::symlink(binary(), bin.join("cfgupdater"));
        let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
        let base = self.server.base();
        Command::new("bash")
            .args(["-e", "-o", "pipefail", "-c", &last_run(workflow)])
            .current_dir(self.place.path())
            .envs([
                ("GITHUB_SHA", app_sha(1).as_str()),
                ("GITHUB_RUN_NUMBER", "7"),
                ("GITHUB_RUN_ATTEMPT", "1"),
            ])
            .envs([("SERVER", base), ("TOKEN", "none"), ("PATH", &path)])
            .envs([("CFGUPDATER_SERVER", base), ("CFGUPDATER_REPO", "cfg-app"), ("CFGUPDATER_TOKEN", "none")])
            .spawn()
            .unwrap()
    }

    /// Passes the check of a commit, and has GitHub say so.
    fn pass(&self, sha: &str) {
        self.github.world().run(sha, "ci", "success", 15368);
        let body = json!({ "action": "completed", "repository": { "full_name": "acme/cfg" } }).to_string();
        let signature = sign_hmac(&Secret::new(SECRET).unwrap(), body.as_bytes(), Form::Prefixed);
        let headers = [("X-GitHub-Event", "check_run"), ("X-Hub-Signature-256", signature.as_str())];
        let told = self.server.post_with_headers("/v1/repos/cfg-app/hooks/forge", body.as_bytes(), &headers);
        assert_eq!(told.status, 202);
    }

    /// Asks the program to stop, and returns whether it did so in an orderly way.
    fn stop(mut self) -> bool {
        Command::new("kill").args(["-TERM", &self.program.id().to_string()]).status().unwrap();
        let start = std::time::Instant::now();
        let status = eventually("the program to end", || self.program.try_wait().unwrap());
        assert!(start.elapsed() < PATIENCE);
        let mut rest = String::new();
        self.said.read_to_string(&mut rest).unwrap();
        status.success()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

fn example(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("examples/github").join(path)
}

/// Returns what the last step of a workflow runs.
fn last_run(workflow: &str) -> String {
    let text = std::fs::read_to_string(example(&format!("workflows/{workflow}"))).unwrap();
    let read = Yaml::load_from_str(&text).unwrap();
    let steps = read[0]["jobs"]["images"]["steps"].as_sequence().unwrap();
    steps.last().unwrap()["run"].as_str().unwrap().to_owned()
}

#[test]
fn what_the_workflows_announce_is_landed_by_the_program() {
    let site = Site::start();
    let mut by_curl = site.announces("announce-curl.yml");
    assert!(by_curl.wait().unwrap().success());
    let sha = eventually("the announcement on auto", || {
        site.remote.tip("auto").filter(|auto| *auto != site.remote.master())
    });
    // The same by the client changes nothing, and waits until it has landed.
    let mut by_client = site.announces("announce.yml");
    site.pass(&sha);
    assert!(by_client.wait().unwrap().success());
    assert_eq!(site.remote.master(), sha);
    assert!(site.remote.file(&sha, "images/staging/tags.json").is_some());
    assert_eq!(site.remote.trailer(&sha, "Autocommit-App-SHA"), app_sha(1).as_str());
    assert!(site.stop(), "it ends in an orderly way");
}
