//! People push to master whenever they like.

use cfgupdater_testkit::git_command;
use cfgupdater_tests::{Remote, Service, eventually, git};

#[test]
fn auto_is_rebuilt_on_a_persons_commit_and_old_results_count_for_nothing() {
    let remote = Remote::new();
    let service = Service::start(&remote);
    let told = service.announce(1);
    let old = remote.auto();
    let person = remote.person().commit("docs/notes.md", "hello\n", "docs: notes").push();
    let rebuilt = eventually("auto on the person's commit", || {
        let commits = remote.commits("master..auto");
        (commits.len() == 1 && commits[0] != old).then(|| commits[0].clone())
    });
    assert_eq!(git(remote.path(), &["rev-parse", &format!("{rebuilt}^")]), person);
    service.status(&old, "ci", "success");
    assert_eq!(remote.master(), person, "results never transfer between commits");
    service.status(&rebuilt, "ci", "success");
    assert_eq!(service.end_of(told["intent"].as_str().unwrap())["end"], "landed");
    assert_eq!(remote.master(), rebuilt);
    assert_eq!(remote.file("master", "docs/notes.md").unwrap(), "hello");
}

#[test]
fn while_master_is_red_nothing_is_evicted_and_why_says_so() {
    let remote = Remote::new();
    let service = Service::start(&remote);
    let person = remote.person().commit("broken.txt", "x\n", "oops").push();
    service.status(&person, "ci", "failure");
    let told = service.announce(1);
    let sha = told["commit"].as_str().unwrap();
    service.status(sha, "ci", "failure");
    service.eventually_why("is red itself");
    assert_eq!(remote.auto(), sha);
    assert!(
        service.get(&format!("/v1/repos/cfg-app/intents/{}", told["intent"].as_str().unwrap())).ok()["end"]
            .is_null()
    );
    service.status(&person, "ci", "success");
    assert_eq!(service.end_of(told["intent"].as_str().unwrap())["end"], "evicted");
}

#[test]
fn a_persons_own_image_edit_takes_precedence() {
    let remote = Remote::new();
    let service = Service::start(&remote);
    let told = service.announce(1);
    let clone = remote.person();
    clone.commit("images/staging/tags.json", "{\"A\": \"r.example.com/a:v9\"}\n", "pin a");
    let digest = format!("{{\"A\": \"r.example.com/a@sha256:{}\"}}\n", "9".repeat(64));
    clone.commit("images/staging/digests.json", &digest, "pin a");
    clone.push();
    assert_eq!(service.end_of(told["intent"].as_str().unwrap())["end"], "superseded");
    eventually("auto without the intent", || remote.commits("master..auto").is_empty().then_some(()));
}

#[test]
fn a_commit_of_somebody_else_on_auto_is_parked() {
    let remote = Remote::new();
    let service = Service::start(&remote);
    service.announce(1);
    let ours = remote.auto();
    let clone = remote.person();
    git(&clone.path(), &["checkout", "--quiet", "origin/auto"]);
    clone.commit("stray.txt", "x\n", "pushed to the wrong branch");
    git(&clone.path(), &["push", "--quiet", "origin", "HEAD:refs/heads/auto"]);
    let stray = git(&clone.path(), &["rev-parse", "HEAD"]);
    eventually("auto without the stray commit", || (remote.auto() == ours).then_some(()));
    assert_eq!(remote.tip(&format!("cfgupdater/parked/{stray}")), Some(stray));
}

#[test]
fn a_copy_of_our_commit_on_auto_is_made_again() {
    let remote = Remote::new();
    let service = Service::start(&remote);
    let ours = service.announce(1)["commit"].as_str().unwrap().to_owned();
    let person = remote.person();
    git(&person.path(), &["fetch", "--quiet", "origin", "auto"]);
    git(&person.path(), &["checkout", "--quiet", "FETCH_HEAD"]);
    let mut amend = git_command(&person.path(), &["commit", "--quiet", "--amend", "--no-edit"]);
    assert!(amend.env("GIT_COMMITTER_DATE", "2026-01-01T00:00:00Z").status().unwrap().success());
    git(&person.path(), &["push", "--quiet", "--force", "origin", "HEAD:refs/heads/auto"]);
    eventually("a commit of ours on auto", || (remote.auto() == ours).then_some(()));
}
