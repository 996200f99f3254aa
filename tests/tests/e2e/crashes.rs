//! A death between any two effects: nothing that was acknowledged is lost or doubled, and the end is the same.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use cfgupdater_tests::{Remote, git};

/// The embedding service that dies at a push of its choice, built together with these tests.
fn crashing() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_crashing"))
}

/// Runs it with an empty directory, as a replica that starts anew.
fn run(remote: &Remote, death: &[&str]) -> ExitStatus {
    let directory = tempfile::tempdir().unwrap();
    let path: &Path = directory.path();
    Command::new(crashing()).arg(remote.url()).arg(path).args(death).status().unwrap()
}

/// Counts how often each intent is in stable's history.
fn landed(remote: &Remote) -> BTreeMap<String, usize> {
    let ids = git(remote.path(), &["log", "--format=%(trailers:key=Autocommit-Id,valueonly)", "master"]);
    let mut landed = BTreeMap::new();
    for id in ids.lines().filter(|id| !id.is_empty()) {
        *landed.entry(id.to_owned()).or_default() += 1;
    }
    landed
}

fn images(remote: &Remote) -> String {
    git(remote.path(), &["rev-parse", "master:images"])
}

#[test]
fn a_death_at_every_push_leads_to_the_same_end() {
    let calm = Remote::new();
    assert!(run(&calm, &[]).success());
    let expected = images(&calm);
    for when in ["before", "after"] {
        for number in 0.. {
            let remote = Remote::new();
            let died = !run(&remote, &[when, &number.to_string()]).success();
            if !died {
                assert!(number > 5, "the job takes several pushes");
                break;
            }
            assert!(run(&remote, &[]).success(), "{when} push {number}");
            assert_eq!(images(&remote), expected, "{when} push {number}");
            let landed = landed(&remote);
            assert!(landed.values().all(|times| *times == 1), "{when} push {number}: {landed:?}");
            remote.fsck();
        }
    }
}

#[test]
fn the_other_git_engine_leads_to_the_same_end() {
    let [gix, libgit2] = [Remote::new(), Remote::new()];
    assert!(run(&gix, &[]).success() && run(&libgit2, &["libgit2"]).success());
    assert_eq!(images(&libgit2), images(&gix));
    assert_eq!(landed(&libgit2).len(), landed(&gix).len());
    libgit2.fsck();
}
