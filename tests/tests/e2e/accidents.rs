//! People and accidents: what the service does about them, and what it leaves to an operator.

use cfgupdater_tests::{Options, Remote, Service, eventually, git};
use serde_json::{Value, json};

fn accept(service: &Service) -> Value {
    service.server().post("/v1/repos/cfg-app/accept", &json!({"reason": "looked at it"})).ok()
}

/// Announces build `n`, lets it pass, and waits until it has landed.
fn land(service: &Service, n: u32) -> String {
    let told = service.announce(n);
    service.status(told["commit"].as_str().unwrap(), "ci", "success");
    let end = service.end_of(told["intent"].as_str().unwrap());
    end["commit"].as_str().unwrap().to_owned()
}

#[test]
fn a_deleted_auto_is_made_again() {
    let remote = Remote::new();
    let service = Service::start(&remote);
    let told = service.announce(1);
    let commit = told["commit"].as_str().unwrap();
    git(remote.path(), &["update-ref", "-d", "refs/heads/auto"]);
    eventually("auto", || (remote.tip("auto").as_deref() == Some(commit)).then_some(()));
    service.status(commit, "ci", "success");
    assert_eq!(service.end_of(told["intent"].as_str().unwrap())["end"], "landed");
}

#[test]
fn auto_moved_behind_stable_is_made_again() {
    let remote = Remote::new();
    let service = Service::start(&remote);
    let first = remote.master();
    land(&service, 1);
    let told = service.announce(2);
    git(remote.path(), &["update-ref", "refs/heads/auto", &first]);
    let commit = told["commit"].as_str().unwrap();
    eventually("auto", || (remote.auto() == commit).then_some(()));
}

#[test]
fn an_unrelated_auto_is_refused_until_an_operator_accepts_that_it_is_parked() {
    let remote = Remote::new();
    let person = remote.person();
    person.commit("notes.md", "mine\n", "my own branch");
    git(&person.path(), &["push", "--quiet", "origin", "HEAD:refs/heads/auto"]);
    let theirs = remote.auto();
    let service = Service::unsettled(&remote, &Options::default());
    service.eventually_why("holds commits but there is no state");
    assert_eq!(remote.auto(), theirs);
    assert!(remote.tip("cfgupdater/state").is_none(), "nothing was written");
    service.announce_reply(1).refused(503);
    accept(&service);
    eventually("auto at stable", || (remote.auto() == remote.master()).then_some(()));
    assert_eq!(remote.tip(&format!("cfgupdater/parked/{theirs}")), Some(theirs));
    land(&service, 1);
}

#[test]
fn a_rewound_master_is_not_repaired() {
    let remote = Remote::new();
    let service = Service::start(&remote);
    let first = remote.master();
    land(&service, 1);
    git(remote.path(), &["update-ref", "refs/heads/master", &first]);
    service.eventually_why("no longer contains");
    service.announce_reply(2).refused(503);
    assert_eq!(remote.master(), first, "a person's decision is not undone");
    accept(&service);
    land(&service, 2);
    git(remote.path(), &["merge-base", "--is-ancestor", &first, "master"]);
}

#[test]
fn a_deleted_state_holds_everything_and_what_git_proves_is_restored() {
    let remote = Remote::new();
    let service = Service::start(&remote);
    land(&service, 1);
    let waiting = service.announce(2);
    git(remote.path(), &["update-ref", "-d", "refs/heads/cfgupdater/state"]);
    service.eventually_why("cite state");
    service.status(waiting["commit"].as_str().unwrap(), "ci", "success");
    service.announce_reply(3).refused(503);
    assert_ne!(remote.master(), waiting["commit"].as_str().unwrap(), "nothing lands meanwhile");
    let told = accept(&service);
    assert_eq!(told["intents"], json!([waiting["intent"]]), "the intent on auto proves itself");
    assert_eq!(service.end_of(waiting["intent"].as_str().unwrap())["end"], "landed");
    assert_eq!(service.announce(1)["outcome"], "duplicate", "what landed is known from stable");
    land(&service, 3);
    remote.fsck();
}

#[test]
fn a_rewound_state_holds_everything_until_it_is_pushed_back() {
    let remote = Remote::new();
    let service = Service::start(&remote);
    let old = remote.tip("cfgupdater/state").unwrap();
    land(&service, 1);
    let newest = remote.tip("cfgupdater/state").unwrap();
    git(remote.path(), &["update-ref", "refs/heads/cfgupdater/state", &old]);
    service.eventually_why("cite state");
    service.announce_reply(2).refused(503);
    git(remote.path(), &["update-ref", "refs/heads/cfgupdater/state", &newest]);
    eventually("the end of the fault", || (!service.why().contains("cite state")).then_some(()));
    land(&service, 2);
}

#[test]
fn a_state_edited_by_hand_is_noticed_and_can_be_accepted() {
    let remote = Remote::new();
    let service = Service::start(&remote);
    let told = service.announce(1);
    let person = remote.person();
    git(&person.path(), &["fetch", "--quiet", "origin", "cfgupdater/state"]);
    git(&person.path(), &["checkout", "--quiet", "FETCH_HEAD"]);
    let file = format!("intents/{}.json", told["intent"].as_str().unwrap());
    git(&person.path(), &["rm", "--quiet", "--", &file]);
    git(&person.path(), &["commit", "--quiet", "-m", "tidy up"]);
    git(&person.path(), &["push", "--quiet", "origin", "HEAD:refs/heads/cfgupdater/state"]);
    service.eventually_why("was not made by this service");
    service.announce_reply(2).refused(503);
    accept(&service);
    eventually("the end of the fault", || (!service.why().contains("not made by")).then_some(()));
    land(&service, 3);
}

#[test]
fn an_unreadable_state_cannot_be_accepted() {
    let remote = Remote::new();
    let service = Service::start(&remote);
    let good = remote.tip("cfgupdater/state").unwrap();
    let person = remote.person();
    git(&person.path(), &["fetch", "--quiet", "origin", "cfgupdater/state"]);
    git(&person.path(), &["checkout", "--quiet", "FETCH_HEAD"]);
    person.commit("repo.json", "{", "oops");
    git(&person.path(), &["push", "--quiet", "origin", "HEAD:refs/heads/cfgupdater/state"]);
    service.eventually_why("repo.json");
    let path = "/v1/repos/cfg-app/accept";
    service.server().post(path, &json!({"reason": "never mind"})).refused(409);
    git(remote.path(), &["update-ref", "refs/heads/cfgupdater/state", &good]);
    eventually("the end of the fault", || (!service.why().contains("repo.json")).then_some(()));
    land(&service, 1);
}

#[test]
fn the_same_change_made_by_a_person_subsumes_the_intent() {
    let remote = Remote::new();
    let service = Service::start(&remote);
    let told = service.announce(1);
    let commit = told["commit"].as_str().unwrap();
    let person = remote.person();
    git(&person.path(), &["fetch", "--quiet", "origin", "auto"]);
    git(&person.path(), &["checkout", "--quiet", commit, "--", "images"]);
    git(&person.path(), &["commit", "--quiet", "-m", "images by hand"]);
    let by_hand = person.push();
    let end = service.end_of(told["intent"].as_str().unwrap());
    assert_eq!((&end["end"], &end["by"]["commit"]), (&json!("subsumed"), &json!(by_hand)));
}

#[test]
fn a_repository_restored_from_a_backup_goes_on_from_there() {
    let remote = Remote::new();
    let service = Service::start(&remote);
    land(&service, 1);
    let backup = tempfile::tempdir().unwrap();
    git(backup.path(), &["clone", "--quiet", "--mirror", &remote.url(), "."]);
    land(&service, 2);
    drop(service);
    let into = remote.url();
    git(backup.path(), &["push", "--quiet", "--mirror", &into]);
    let service = Service::start(&remote);
    assert_eq!(service.announce(1)["outcome"], "duplicate");
    assert_eq!(service.announce(2)["outcome"], "committed", "what the backup doesn't know is accepted anew");
    remote.fsck();
}

#[test]
fn a_wave_that_is_renamed_withdraws_what_was_on_its_way_and_goes_on() {
    let remote = Remote::new();
    let service = Service::start(&remote);
    let told = service.announce(1);
    drop(service);
    let renamed = Options { waves: &[("early", &["staging-1"])], ..Options::default() };
    let service = Service::with(&remote, &renamed);
    let end = service.end_of(told["intent"].as_str().unwrap());
    assert_eq!(end["end"], "withdrawn");
    land(&service, 2);
    assert!(remote.file("master", "images/early/tags.json").is_some());
}

#[test]
fn backing_out_leaves_an_ordinary_repository() {
    let remote = Remote::new();
    let service = Service::start(&remote);
    let landed = land(&service, 1);
    service.stop();
    let refs = ["auto", "cfgupdater/state", "refs/notes/cfgupdater/checks"];
    let person = remote.person();
    git(&person.path(), &[&["push", "--quiet", "origin", "--delete"], &refs[..]].concat());
    assert_eq!(remote.refs(), format!("refs/heads/master {landed}"));
    person.commit("README.md", "by hand again\n", "goes on").push();
    remote.fsck();
}

#[test]
fn a_target_that_comes_or_goes_changes_what_a_wave_waits_for() {
    let remote = Remote::new();
    let service = Service::with(
        &remote,
        &Options { waves: &[("one", &["a", "b"]), ("two", &["c"])], ..Options::default() },
    );
    let commit = land(&service, 1);
    service.deployed("one", "a", &commit, "succeeded").ok();
    service.eventually_why("waiting for b");
    drop(service);
    let more = Options { waves: &[("one", &["a", "b", "new"]), ("two", &["c"])], ..Options::default() };
    let service = Service::with(&remote, &more);
    service.eventually_why("waiting for b, new");
    drop(service);
    let fewer = Options { waves: &[("one", &["a"]), ("two", &["c"])], ..Options::default() };
    let service = Service::with(&remote, &fewer);
    eventually("the promotion", || (remote.auto() != remote.master()).then_some(()));
    assert_eq!(remote.trailer(&remote.auto(), "Autocommit-Target"), "two");
    service.deployed("one", "b", &commit, "succeeded").refused(404);
}

#[test]
fn a_wave_that_is_added_between_two_others_is_passed_from_then_on() {
    let remote = Remote::new();
    let service = Service::with(
        &remote,
        &Options { waves: &[("one", &["a"]), ("three", &["c"])], ..Options::default() },
    );
    let commit = land(&service, 1);
    drop(service);
    let more =
        Options { waves: &[("one", &["a"]), ("two", &["b"]), ("three", &["c"])], ..Options::default() };
    let service = Service::with(&remote, &more);
    service.deployed("one", "a", &commit, "succeeded").ok();
    eventually("the promotion", || (remote.auto() != remote.master()).then_some(()));
    assert_eq!(remote.trailer(&remote.auto(), "Autocommit-Target"), "two");
}

#[test]
fn one_set_is_taken_over_beside_another_flow() {
    let remote = Remote::new();
    let person = remote.person();
    person.commit("deploy/staging/other/tags.json", "{}\n", "another flow's images");
    person.commit("deploy/staging/app/values.yaml", "replicas: 2\n", "a person's file");
    let theirs = person.push();
    let options = Options { image_set: "path = \"deploy/{wave}/app\"", ..Options::default() };
    let service = Service::with(&remote, &options);
    let commit = land(&service, 1);
    let changed = git(remote.path(), &["diff", "--name-only", &theirs, &commit]);
    assert_eq!(changed, "deploy/staging/app/digests.json\ndeploy/staging/app/tags.json");
    // The other flow goes on meanwhile.
    let person = remote.person();
    let next = person.commit("deploy/staging/other/tags.json", "{\"a\":1}\n", "their next release").push();
    let second = land(&service, 2);
    assert_eq!(git(remote.path(), &["rev-parse", &format!("{second}^")]), next);
}

#[test]
fn what_a_newer_release_made_is_left_alone() {
    let remote = Remote::new();
    let person = remote.person();
    let message = "chore: update app\n\nAutocommit-Version: 2\nAutocommit-Slot: app/staging\n";
    person.commit("images/staging/tags.json", "{}\n", message);
    git(&person.path(), &["push", "--quiet", "origin", "HEAD:refs/heads/master"]);
    let service = Service::unsettled(&remote, &Options::default());
    service.eventually_why("a newer release made it, in format 2");
    service.announce_reply(1).refused(503);
    assert!(remote.tip("cfgupdater/state").is_none(), "nothing was written");
}
