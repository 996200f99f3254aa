//! The program as its callers see it.
#![allow(clippy::unwrap_used, reason = "helpers of tests are not seen as tests by the lint")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use cfgupdater_testkit::git;

#[test]
fn both_sets_of_routes_are_served_each_with_its_own_answers() {
    let directory = tempfile::tempdir().unwrap();
    let site = Site::start(directory.path());
    assert!(site.get("/motto", "").ends_with("open all night"));
    assert!(site.get("/cfgupdater/healthz", "").starts_with("HTTP/1.1 200"));
    let refused = site.get("/cfgupdater/v1/repos/cfg-app", "");
    assert!(refused.starts_with("HTTP/1.1 401") && refused.contains("application/problem+json"), "{refused}");
    let status = site.get("/cfgupdater/v1/repos/cfg-app", "ci-token");
    assert!(status.starts_with("HTTP/1.1 200") && status.contains("\"waves\""), "{status}");
    let nothing = site.get("/nothing", "");
    assert!(nothing.starts_with("HTTP/1.1 404") && !nothing.contains("problem+json"), "{nothing}");
    let nothing = site.get("/cfgupdater/nothing", "");
    assert!(nothing.starts_with("HTTP/1.1 404") && nothing.contains("problem+json"), "{nothing}");
}

#[test]
fn an_announcement_below_the_prefix_is_committed() {
    let directory = tempfile::tempdir().unwrap();
    let site = Site::start(directory.path());
    let (sha, digest) = ("ab".repeat(20), "cd".repeat(32));
    let images =
        format!(r#"{{"web":{{"Digest":"r.example.com/web@sha256:{digest}","Tag":"r.example.com/web:v1"}}}}"#);
    let path = format!("/cfgupdater/v1/repos/cfg-app/images?app_sha={sha}");
    let answer = site.ask("POST", &path, "ci-token", &images);
    assert!(answer.contains("committed"), "{answer}");
}

/// The running program; ended when dropped.
struct Site {
    program: Child,
    address: String,
}

impl Drop for Site {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

impl Site {
    fn start(directory: &Path) -> Self {
        let remote = directory.join("remote.git");
        std::fs::create_dir(&remote).unwrap();
        git(&remote, &["init", "--quiet", "--bare", "--initial-branch=master", "."]);
        let tree = git(&remote, &["mktree"]);
        let first = git(&remote, &["commit-tree", "-m", "initial commit", &tree]);
        git(&remote, &["update-ref", "refs/heads/master", &first]);
        std::fs::write(directory.join("token"), "ci-token").unwrap();
        let mut program = Command::new(env!("CARGO_BIN_EXE_embed-axum"))
            .arg(format!("file://{}", remote.display()))
            .args([directory.join("data"), directory.join("token")])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(program.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on http://").expect("it listens").to_owned();
        Self { program, address }
    }

    fn get(&self, path: &str, token: &str) -> String {
        self.ask("GET", path, token, "")
    }

    /// Makes a request and returns the whole answer.
    fn ask(&self, method: &str, path: &str, token: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let (host, length) = (&self.address, body.len());
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}
