//! An announcement becomes one commit on auto, once.

use cfgupdater_tests::{Options, Remote, Service, app_sha, git};

#[test]
fn an_announcement_becomes_the_commit_of_the_reference_architecture() {
    let remote = Remote::new();
    let master = remote.master();
    let service = Service::start(&remote);
    let told = service.announce(1);
    assert_eq!(told["outcome"], "committed", "{told}");
    assert_eq!(told["commit"], remote.auto());
    assert_eq!(remote.master(), master, "master moves only by checks");
    assert_eq!(remote.commits("master..auto").len(), 1);

    let sha = app_sha(1);
    let start = format!(
        "chore: update app to {}\n\nAutocommit-App-SHA: {sha}\nAutocommit-Target: staging\nAutocommit-Reason: new images published\n",
        &sha[..10]
    );
    assert!(remote.message("auto").starts_with(&start), "{}", remote.message("auto"));
    assert_eq!(remote.trailer("auto", "Autocommit-App-SHA"), sha);
    assert_eq!(remote.trailer("auto", "Autocommit-Id"), told["intent"].as_str().unwrap());
    assert_eq!(remote.trailer("auto", "Autocommit-Actor"), "all");

    let changed = git(remote.path(), &["diff-tree", "-r", "--name-only", "--no-commit-id", "auto"]);
    assert_eq!(changed, "images/staging/digests.json\nimages/staging/tags.json");
    let tags = format!(
        "{{\n  \"Service1\": \"registry.example.com/service1:{sha}\",\n  \"Service2\": \"registry.example.com/service2:{sha}\"\n}}"
    );
    assert_eq!(remote.file("auto", "images/staging/tags.json").unwrap(), tags);
    assert!(remote.file("auto", "images/staging/digests.json").unwrap().contains("service2@sha256:00000001"));
    remote.fsck();
}

#[test]
fn the_commit_that_the_trailers_cite_accepted_the_intent() {
    let remote = Remote::new();
    let service = Service::start(&remote);
    let told = service.announce(1);
    let cited = remote.trailer("auto", "Autocommit-State");
    let path = format!("intents/{}.json", told["intent"].as_str().unwrap());
    assert!(remote.file(&cited, &path).is_some());
    assert!(remote.file(&format!("{cited}^"), &path).is_none(), "it is the first to hold the intent");
}

#[test]
fn repeating_a_call_makes_no_second_intent() {
    let remote = Remote::new();
    let first = Service::start(&remote);
    let told = first.announce(1);
    let refs = remote.refs();
    let again = first.announce(1);
    assert_eq!((&again["outcome"], &again["intent"]), (&"duplicate".into(), &told["intent"]));

    let second = Service::start(&remote);
    assert_eq!(second.announce(1)["outcome"], "duplicate", "a second replica");
    drop((first, second));
    let restarted = Service::start(&remote);
    let told = restarted.announce(1);
    assert_eq!(told["outcome"], "duplicate", "an empty data directory");
    assert_eq!(told["commit"], remote.auto());
    assert_eq!(remote.refs(), refs, "nothing was written");
}

#[test]
fn at_rest_nothing_is_written() {
    let remote = Remote::new();
    let service = Service::with(&remote, &Options { resync: "100ms", ..Options::default() });
    service.announce(1);
    let refs = remote.refs();
    let looked = || service.repo()["observations"].as_u64().unwrap();
    let before = looked();
    cfgupdater_tests::eventually("50 more looks", || (looked() >= before + 50).then_some(()));
    assert_eq!(remote.refs(), refs);
}

#[test]
fn announcements_at_once_are_all_accepted_in_an_order() {
    let remote = Remote::new();
    let service = Service::start(&remote);
    let outcomes = std::thread::scope(|scope| {
        let calls: Vec<_> = (1..=8)
            .map(|n| {
                scope.spawn({
                    let service = &service;
                    move || service.announce(n)
                })
            })
            .collect();
        calls
            .into_iter()
            .map(|call| call.join().unwrap()["outcome"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    });
    assert!(outcomes.iter().all(|outcome| outcome == "committed"), "{outcomes:?}");
    assert_eq!(remote.commits("master..auto").len(), 8);
    remote.fsck();
}
