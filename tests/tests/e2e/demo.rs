//! The demo tells the whole main job, and what it tells is in the repository it leaves behind.

use std::path::{Path, PathBuf};
use std::process::Command;

use cfgupdater_tests::{binary, git};

/// Runs the demo with temporary files in `directory`, and returns what it printed.
fn demo(directory: &Path) -> String {
    let output = Command::new(binary()).arg("demo").arg("--once").env("TMPDIR", directory).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    said
}

fn only_entry(directory: &Path) -> PathBuf {
    let mut entries = std::fs::read_dir(directory).unwrap();
    let entry = entries.next().unwrap().unwrap().path();
    assert!(entries.next().is_none(), "the demo leaves one directory behind");
    entry
}

#[test]
fn the_story_is_told_and_is_true() {
    let directory = tempfile::tempdir().unwrap();
    let said = demo(directory.path());
    let place = only_entry(directory.path());
    let remote = place.join("cfg-app.git");
    assert!(said.contains(&place.display().to_string()), "{said}");
    for told in ["announce", "accepted", "checked", "landed", "runs", "evicted", "person", "CVE-2026-1000"] {
        assert!(said.contains(told), "{told} is missing in {said}");
    }
    let master = git(&remote, &["log", "--first-parent", "--reverse", "--format=%s", "master"]);
    let subjects: Vec<&str> = master.lines().collect();
    let kinds: Vec<&str> = subjects.iter().map(|subject| subject.split(' ').nth(1).unwrap()).collect();
    assert_eq!(
        kinds,
        ["a", "update", "promote", "promote", "five", "update", "promote", "promote"],
        "{master}"
    );
    let images = |wave: &str| git(&remote, &["rev-parse", &format!("master:images/{wave}")]);
    assert_eq!(images("staging"), images("production"));
    let state = git(&remote, &["log", "--format=%B", "cfgupdater/state"]);
    assert_eq!(state.lines().filter(|line| line.starts_with("Autocommit-Check: ci")).count(), 1, "{state}");
    git(&remote, &["fsck", "--strict", "--no-dangling"]);
}
