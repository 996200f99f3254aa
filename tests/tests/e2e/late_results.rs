//! Results for a SHA that landed, was rebuilt away or is foreign never move a branch.

use cfgupdater_tests::{Remote, Service, git};

/// Branches alone: the notes that hold the results do move.
fn branches(remote: &Remote) -> String {
    git(remote.path(), &["for-each-ref", "--format=%(refname) %(objectname)", "refs/heads"])
}

fn rest(service: &Service) {
    let looked = || service.repo()["observations"].as_u64().unwrap();
    let before = looked();
    cfgupdater_tests::eventually("three more looks", || (looked() >= before + 3).then_some(()));
}

#[test]
fn red_and_green_for_landed_rebuilt_and_foreign_commits_change_nothing() {
    let remote = Remote::new();
    let service = Service::start(&remote);
    service.status(&remote.master(), "ci", "success");
    let landed = service.announce(1);
    let landed_sha = landed["commit"].as_str().unwrap();
    service.status(landed_sha, "ci", "success");
    service.end_of(landed["intent"].as_str().unwrap());

    let gone = service.announce(2);
    let waiting = service.announce(3);
    let gone_sha = gone["commit"].as_str().unwrap();
    let rebuilt_sha = waiting["commit"].as_str().unwrap();
    service.status(gone_sha, "ci", "failure");
    service.end_of(gone["intent"].as_str().unwrap());

    let clone = remote.person();
    clone.commit("elsewhere.txt", "x\n", "on a branch of its own");
    git(&clone.path(), &["push", "--quiet", "origin", "HEAD:refs/heads/feature"]);
    let foreign_sha = git(&clone.path(), &["rev-parse", "HEAD"]);

    rest(&service);
    let before = branches(&remote);
    for sha in [landed_sha, gone_sha, rebuilt_sha, &foreign_sha] {
        for state in ["failure", "success"] {
            service.status(sha, "ci", state);
        }
    }
    rest(&service);
    assert_eq!(branches(&remote), before);
    assert_eq!(remote.master(), landed_sha);
}
