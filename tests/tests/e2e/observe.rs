//! `mode = "observe"`: a first day on a live repository, without a single write.

use cfgupdater_tests::{Options, Remote, Service, app_sha, images};

#[test]
fn an_observing_service_says_what_it_would_do_and_writes_nothing() {
    let remote = Remote::new();
    let acting = Service::start(&remote);
    let told = acting.announce(1);
    acting.status(told["commit"].as_str().unwrap(), "ci", "success");
    let commit = acting.end_of(told["intent"].as_str().unwrap())["commit"].as_str().unwrap().to_owned();
    for target in ["staging-1", "staging-2"] {
        acting.deployed("staging", target, &commit, "succeeded").ok();
    }
    // Taking auto back makes the acting service's work undone, as seen by the one that only observes.
    drop(acting);
    cfgupdater_tests::git(remote.path(), &["update-ref", "refs/heads/auto", &commit]);
    let refs = remote.refs();
    let options = Options { repo: "mode = \"observe\"".to_owned(), ..Options::default() };
    let service = Service::unsettled(&remote, &options);
    service.eventually_why("would be built on");
    let path = format!("/v1/repos/cfg-app/images?app_sha={}", app_sha(2));
    let detail = service.server().post(&path, &images(&["Service1"], 2)).refused(503);
    assert!(detail.contains("only observes"), "{detail}");
    let previewed = service.server().post(&format!("{path}&dry_run=true"), &images(&["Service1"], 2)).ok();
    assert_eq!(previewed["outcome"], "committed");
    assert_eq!(previewed["changes"][0]["service"], "Service1");
    assert_eq!(remote.refs(), refs);
}

#[test]
fn one_that_observes_a_repository_it_never_wrote_to_leaves_it_alone() {
    let remote = Remote::new();
    let refs = remote.refs();
    let options = Options { repo: "mode = \"observe\"".to_owned(), ..Options::default() };
    let service = Service::unsettled(&remote, &options);
    let looked = || service.repo()["observations"].as_u64().unwrap();
    let before = looked();
    cfgupdater_tests::eventually("several looks", || (looked() > before + 3).then_some(()));
    assert_eq!(remote.refs(), refs);
    assert!(service.repo()["reachable"].as_bool().unwrap());
}
