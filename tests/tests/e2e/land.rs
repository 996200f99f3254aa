//! Master moves only to a commit whose required checks all passed at that very SHA.

use cfgupdater_tests::{Options, Remote, Service};

#[test]
fn pending_is_ignored_and_green_lands_at_that_very_sha() {
    let remote = Remote::new();
    let service = Service::start(&remote);
    let told = service.announce(1);
    let (intent, sha) = (told["intent"].as_str().unwrap(), remote.auto());
    service.status(&sha, "ci", "pending");
    service.eventually_why("waits for check ci (running)");
    assert_ne!(remote.master(), sha);
    service.status(&sha, "ci", "success");
    let end = service.end_of(intent);
    assert_eq!((&end["end"], &end["commit"]), (&"landed".into(), &sha.as_str().into()));
    assert_eq!(remote.master(), sha);
    assert_eq!(service.announce(1)["end"]["end"], "landed", "a duplicate is told the end");
}

#[test]
fn one_of_two_required_checks_is_not_enough() {
    let remote = Remote::new();
    let service = Service::with(&remote, &Options { required: &["ci", "lint"], ..Options::default() });
    let told = service.announce(1);
    let sha = remote.auto();
    let master = remote.master();
    service.status(&sha, "ci", "success");
    service.status(&sha, "other", "success");
    service.eventually_why("waits for check lint (not started)");
    assert_eq!(remote.master(), master);
    service.status(&sha, "lint", "success");
    assert_eq!(service.end_of(told["intent"].as_str().unwrap())["end"], "landed");
    assert_eq!(remote.master(), sha);
}

#[test]
fn the_results_are_git_notes_that_anybody_can_read() {
    let remote = Remote::new();
    let service = Service::start(&remote);
    service.announce(1);
    let sha = remote.auto();
    service.status(&sha, "ci", "success");
    let note =
        cfgupdater_tests::git(remote.path(), &["notes", "--ref=refs/notes/cfgupdater/checks", "show", &sha]);
    assert!(note.contains("\"ci\"") && note.contains("success"), "{note}");
}

#[test]
fn nothing_lands_where_no_check_is_required() {
    let remote = Remote::new();
    let service = Service::with(&remote, &Options { required: &[], ..Options::default() });
    service.announce(1);
    let (sha, master) = (remote.auto(), remote.master());
    service.status(&sha, "ci", "success");
    service.eventually_why("no check is required");
    assert_eq!(remote.master(), master);
}
