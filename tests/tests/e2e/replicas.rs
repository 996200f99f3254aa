//! Two replicas that share nothing but the repository: announcements from many clients, and deaths at any moment.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, RwLock};

use cfgupdater_tests::{Remote, Server, Service, app_sha, eventually, git, images};
use serde_json::Value;

/// What clients were promised, by intent.
type Promised = Mutex<BTreeMap<String, u32>>;

fn path(n: u32) -> String {
    format!("/v1/repos/cfg-app/images?app_sha={}", app_sha(n))
}

/// Announces build `n` as CI does: to any replica, again and again, until one takes it.
fn announce(replicas: &[RwLock<Option<Service>>], n: u32, promised: &Promised) {
    for attempt in 0_u32.. {
        let replica = &replicas[(n + attempt) as usize % replicas.len()];
        let server = replica.read().unwrap().as_ref().map(|service| service.server().clone());
        let Some(reply) = server.and_then(|server| server.try_post(&path(n), &images(&["Service1"], n)))
        else {
            std::thread::yield_now();
            continue;
        };
        if (200..300).contains(&reply.status) {
            let intent = reply.body["intent"].as_str().unwrap().to_owned();
            let before = promised.lock().unwrap().insert(intent, n);
            assert!(before.is_none_or(|before| before == n));
            return;
        }
        assert_eq!(reply.status, 503, "{reply:?}");
    }
}

/// Lets every commit that comes to auto pass, until told to stop.
fn play_ci(remote: &Remote, replicas: &[RwLock<Option<Service>>], over: &AtomicBool) {
    let mut passed = BTreeSet::new();
    while !over.load(Ordering::SeqCst) {
        let Some(auto) = remote.tip("auto") else { continue };
        if passed.contains(&auto) {
            std::thread::sleep(std::time::Duration::from_millis(20));
            continue;
        }
        for replica in replicas {
            let server = replica.read().unwrap().as_ref().map(|service| service.server().clone());
            let path = format!("/v1/repos/cfg-app/statuses/{auto}");
            let body = serde_json::json!({"context": "ci", "state": "success"});
            let said = server.and_then(|server: Server| server.try_post(&path, &body));
            if said.is_some_and(|reply| reply.status < 300) {
                passed.insert(auto);
                break;
            }
        }
    }
}

/// Reports that every target of staging runs what master has, until told to stop.
fn play_deployer(remote: &Remote, replicas: &[RwLock<Option<Service>>], over: &AtomicBool) {
    while !over.load(Ordering::SeqCst) {
        std::thread::sleep(std::time::Duration::from_millis(100));
        let revision = remote.master();
        for (target, replica) in ["staging-1", "staging-2"].into_iter().zip(replicas) {
            let server = replica.read().unwrap().as_ref().map(|service| service.server().clone());
            let body = serde_json::json!({"wave": "staging", "target": target, "status": "succeeded", "revision": revision});
            // One that is lost is made again in the next round.
            let _ = server.and_then(|server| server.try_post("/v1/repos/cfg-app/deployments", &body));
        }
    }
}

/// Waits until every promised intent has an end, and checks that each has one and landed once at most.
fn settle(remote: &Remote, service: &Service, promised: &Promised) {
    let promised = promised.lock().unwrap();
    for (intent, n) in promised.iter() {
        let end = service.end_of(intent);
        let known = ["landed", "superseded", "subsumed"];
        assert!(known.contains(&end["end"].as_str().unwrap()), "build {n}: {end}");
    }
    let ids = git(remote.path(), &["log", "--format=%(trailers:key=Autocommit-Id,valueonly)", "master"]);
    let ids: Vec<&str> = ids.lines().filter(|id| !id.is_empty()).collect();
    assert_eq!(ids.len(), ids.iter().collect::<BTreeSet<_>>().len(), "no intent landed twice");
    let log = service.log();
    for intent in promised.keys() {
        let ends = log
            .iter()
            .filter(|item| item["record"] == "ended" && item["id"] == Value::String(intent.clone()));
        assert_eq!(ends.count(), 1, "intent {intent} has one end");
    }
    remote.fsck();
}

/// Tells those who play that it is over, also where the test fails: it would wait for them.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Lets clients announce 50 builds at two replicas, with checks and reports going on, while something happens to the
/// replicas; all of them must have an end.
fn announce_fifty(clients: u32, meanwhile: impl FnOnce(&Remote, &[RwLock<Option<Service>>])) {
    let remote = Remote::new();
    let replicas = [Service::start(&remote), Service::start(&remote)].map(|one| RwLock::new(Some(one)));
    let (promised, over, next) = (Promised::default(), AtomicBool::new(false), AtomicU32::new(1));
    std::thread::scope(|scope| {
        let _over = Over(&over);
        scope.spawn(|| play_ci(&remote, &replicas, &over));
        scope.spawn(|| play_deployer(&remote, &replicas, &over));
        let clients: Vec<_> = (0..clients)
            .map(|_| {
                scope.spawn(|| {
                    while let Some(n) = Some(next.fetch_add(1, Ordering::SeqCst)).filter(|n| *n <= 50) {
                        announce(&replicas, n, &promised);
                    }
                })
            })
            .collect();
        meanwhile(&remote, &replicas);
        for client in clients {
            client.join().unwrap();
        }
        settle(&remote, replicas[0].read().unwrap().as_ref().unwrap(), &promised);
    });
    assert_eq!(promised.lock().unwrap().len(), 50);
}

#[test]
fn fifty_announcements_of_ten_clients_at_two_replicas_all_have_an_end() {
    announce_fifty(10, |_, _| {});
}

#[test]
fn replicas_that_are_killed_at_random_lose_and_double_nothing() {
    const KILLS: usize = 100;
    let seed = std::env::var("CFGUPDATER_TEST_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(7);
    println!("CFGUPDATER_TEST_SEED={seed}");
    let mut dice = fastrand::Rng::with_seed(seed);
    announce_fifty(5, |remote, replicas| {
        for _ in 0..KILLS {
            let victim = &replicas[dice.usize(..2)];
            std::thread::sleep(std::time::Duration::from_millis(dice.u64(20..200)));
            drop(victim.write().unwrap().take());
            *victim.write().unwrap() = Some(Service::unready(remote, &cfgupdater_tests::Options::default()));
        }
    });
}

#[test]
fn with_every_nudge_lost_the_timer_alone_converges() {
    let remote = Remote::new();
    let service = Service::start(&remote);
    let told = service.announce(1);
    let commit = told["commit"].as_str().unwrap();
    // The result comes by git itself: nobody tells the service that it is there.
    let line =
        r#"{"context":"ci","number":1,"state":"success","at":"2026-01-01T00:00:00Z","source":"elsewhere"}"#;
    git(remote.path(), &["notes", "--ref=cfgupdater/checks", "add", "-m", line, commit]);
    eventually("the landing", || (remote.master() == commit).then_some(()));
}

#[test]
fn what_one_replica_accepted_the_other_knows() {
    let remote = Remote::new();
    let (one, other) = (Service::start(&remote), Service::start(&remote));
    let told = one.announce(1);
    let again = other.announce(1);
    assert_eq!((&again["outcome"], &again["intent"]), (&Value::from("duplicate"), &told["intent"]));
    other.status(told["commit"].as_str().unwrap(), "ci", "success");
    assert_eq!(one.end_of(told["intent"].as_str().unwrap())["end"], "landed");
    let commit = remote.master();
    one.deployed("staging", "staging-1", &commit, "succeeded").ok();
    other.deployed("staging", "staging-2", &commit, "succeeded").ok();
    eventually("the promotion", || (remote.auto() != remote.master()).then_some(()));
    assert_eq!(remote.trailer(&remote.auto(), "Autocommit-Target"), "internal");
}

#[test]
fn sequences_order_what_arrives_out_of_order_at_two_replicas() {
    let remote = Remote::new();
    let replicas = [Service::start(&remote), Service::start(&remote)];
    let announce = |replica: usize, n: u32| {
        let path = format!("{}&sequence={n}", path(n));
        replicas[replica].server().post(&path, &images(&["Service1"], n)).ok()
    };
    let told = [2, 5, 3, 4, 7, 6, 1]
        .map(|n| (n, announce(n as usize % 2, n)["outcome"].as_str().unwrap().to_owned()));
    let stale: Vec<u32> = told.iter().filter(|(_, outcome)| outcome == "stale").map(|(n, _)| *n).collect();
    assert_eq!(stale, [3, 4, 6, 1]);
    let without = replicas[0].server().post(&path(9), &images(&["Service1"], 9));
    without.refused(409);
    replicas[0].status(&remote.auto(), "ci", "success");
    eventually("the landing", || (remote.master() == remote.auto()).then_some(()));
    let shas = git(
        remote.path(),
        &["log", "--reverse", "--format=%(trailers:key=Autocommit-App-SHA,valueonly)", "master"],
    );
    let landed: Vec<&str> = shas.lines().filter(|sha| !sha.is_empty()).collect();
    assert_eq!(landed, [2, 5, 7].map(app_sha));
}

#[test]
fn three_announcements_within_a_second_land_in_their_order() {
    let remote = Remote::new();
    let replicas = [Service::start(&remote), Service::start(&remote)];
    let intents =
        [1, 2, 3].map(|n| replicas[n as usize % 2].announce(n)["intent"].as_str().unwrap().to_owned());
    replicas[0].status(&remote.auto(), "ci", "success");
    for intent in intents {
        assert_eq!(replicas[0].end_of(&intent)["end"], "landed");
    }
    let shas = git(
        remote.path(),
        &["log", "--reverse", "--format=%(trailers:key=Autocommit-App-SHA,valueonly)", "master"],
    );
    let landed: Vec<&str> = shas.lines().filter(|sha| !sha.is_empty()).collect();
    assert_eq!(landed, [1, 2, 3].map(app_sha));
}
