//! The program, with real git.
#![allow(clippy::unwrap_used, reason = "helpers of tests are not seen as tests by the lint")]

use std::io::Write;
use std::process::{Command, Stdio};

use cfgupdater_testkit::git;

#[test]
fn a_message_leads_to_a_commit_that_lands_and_nonsense_stops_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let remote = directory.path().join("remote.git");
    std::fs::create_dir(&remote).unwrap();
    git(&remote, &["init", "--quiet", "--bare", "--initial-branch=master", "."]);
    let tree = git(&remote, &["mktree"]);
    let first = git(&remote, &["commit-tree", "-m", "initial commit", &tree]);
    git(&remote, &["update-ref", "refs/heads/master", &first]);
    let (sha, digest) = ("ab".repeat(20), "cd".repeat(32));
    let images =
        format!(r#"{{"web":{{"Digest":"r.example.com/web@sha256:{digest}","Tag":"r.example.com/web:v1"}}}}"#);
    let messages = format!("nonsense\n{{\"announce\":{{\"app_sha\":\"{sha}\",\"images\":{images}}}}}\n");

    let mut program = Command::new(env!("CARGO_BIN_EXE_embed"))
        .arg(format!("file://{}", remote.display()))
        .arg(directory.path().join("data"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    program.stdin.take().unwrap().write_all(messages.as_bytes()).unwrap();
    let output = program.wait_with_output().unwrap();
    assert!(output.status.success());

    let said = String::from_utf8(output.stdout).unwrap();
    let answers: Vec<&str> = said.lines().collect();
    assert!(answers[0].contains("refused"), "{said}");
    assert!(answers[1].contains("committed"), "{said}");
    assert!(git(&remote, &["show", "master:images/staging/tags.json"]).contains("r.example.com/web:v1"));
}
