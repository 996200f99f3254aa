//! A soak: `soak MINUTES`. Announcements come faster than checks end, people push, deploy tools report, and replicas are
//! killed, while memory and mirror are measured. Ends with what became of every announcement.
#![allow(clippy::print_stdout, reason = "a command line speaks on its terminal")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::RwLock;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use cfgupdater_tests::{Options, Remote, Server, Service, app_sha, git, images};

/// A pause between announcements; a check takes several of them.
const ANNOUNCE_EVERY: Duration = Duration::from_millis(300);
const CHECK_TAKES: Duration = Duration::from_secs(1);
const PUSH_EVERY: Duration = Duration::from_secs(5);
const KILL_EVERY: Duration = Duration::from_secs(15);
const MEASURE_EVERY: Duration = Duration::from_secs(30);

/// Two replicas on one repository, each of them gone now and then, and a third.
struct Site {
    remote: Remote,
    replicas: [RwLock<Option<Service>>; 2],
    /// A third one that is never killed, whose memory and mirror are measured.
    steady: RwLock<Option<Service>>,
    over: AtomicBool,
    announced: AtomicU32,
    intents: RwLock<BTreeMap<String, u32>>,
    kills: AtomicU32,
    pushes: AtomicU32,
}

impl Site {
    fn goes_on(&self, pause: Duration) -> bool {
        std::thread::sleep(pause);
        !self.over.load(Ordering::SeqCst)
    }

    /// Returns a replica that serves now.
    fn server(&self, n: u32) -> Option<Server> {
        let one = |n: u32| {
            let replica = self.replicas[(n % 2) as usize].read().ok()?;
            replica.as_ref().map(|service| service.server().clone())
        };
        one(n).or_else(|| one(n + 1))
    }

    fn announce(&self) {
        while self.goes_on(ANNOUNCE_EVERY) {
            let n = self.announced.fetch_add(1, Ordering::SeqCst) + 1;
            let path = format!("/v1/repos/cfg-app/images?app_sha={}", app_sha(n));
            for attempt in 0.. {
                let said = self.server(n + attempt).and_then(|s| s.try_post(&path, &images(&["A", "B"], n)));
                let Some(reply) = said.filter(|reply| reply.status < 300) else { continue };
                let intent = reply.body["intent"].as_str().unwrap_or_default().to_owned();
                self.intents.write().expect("nobody panics").insert(intent, n);
                break;
            }
        }
    }

    /// Plays CI: each new tip of auto gets its result after a while; every tenth build is red.
    fn check(&self) {
        let mut done = BTreeSet::new();
        while self.goes_on(CHECK_TAKES) {
            let Some(tip) = self.remote.tip("auto") else { continue };
            let build = self.remote.trailer(&tip, "Autocommit-App-SHA");
            let number = build.get(..8).and_then(|number| u32::from_str_radix(number, 16).ok()).unwrap_or(1);
            let red =
                number.is_multiple_of(10) && self.remote.trailer(&tip, "Autocommit-Kind") == "introduce";
            for commit in [self.remote.master(), tip.clone()] {
                let state = if red && commit == tip { "failure" } else { "success" };
                let body = serde_json::json!({"context": "ci", "state": state});
                let path = format!("/v1/repos/cfg-app/statuses/{commit}");
                if done.contains(&commit) {
                    continue;
                }
                let said = self.server(0).and_then(|server| server.try_post(&path, &body));
                if said.is_some_and(|reply| reply.status < 300) {
                    done.insert(commit);
                }
            }
        }
    }

    /// Plays the deploy tools: every target runs what master has.
    fn deploy(&self) {
        let waves = [
            ("staging", &["staging-1", "staging-2"][..]),
            ("internal", &["internal-1"]),
            ("production", &["prod-1", "prod-2"]),
        ];
        while self.goes_on(Duration::from_millis(700)) {
            let revision = self.remote.master();
            for (wave, targets) in waves {
                if self.remote.file(&revision, &format!("images/{wave}/tags.json")).is_none() {
                    continue;
                }
                for target in targets {
                    let body = serde_json::json!({"wave": wave, "target": target, "status": "succeeded", "revision": revision});
                    // A report that is lost now is made again in the next round.
                    let _ = self
                        .server(1)
                        .and_then(|server| server.try_post("/v1/repos/cfg-app/deployments", &body));
                }
            }
        }
    }

    fn push(&self) {
        let person = self.remote.person();
        while self.goes_on(PUSH_EVERY) {
            let n = self.pushes.fetch_add(1, Ordering::SeqCst);
            git(&person.path(), &["pull", "--quiet", "--rebase", "origin", "master"]);
            person.commit("notes.md", &format!("{n}\n"), "a person's change");
            // Whoever is overtaken pulls again the next time.
            let push = std::process::Command::new("git");
            let _ = { push }
                .args(["push", "--quiet", "origin", "HEAD:master"])
                .current_dir(person.path())
                .output();
        }
    }

    fn kill(&self) {
        let mut dice = fastrand::Rng::with_seed(7);
        while self.goes_on(KILL_EVERY) {
            let victim = &self.replicas[dice.usize(..2)];
            drop(victim.write().expect("nobody panics").take());
            *victim.write().expect("nobody panics") = Some(Service::unready(&self.remote, &options()));
            self.kills.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn measure(&self, started: Instant) {
        let fields = ["minute", "announced", "landed", "rss MB", "mirror MB", "remote MB"];
        println!("{}", fields.map(|field| format!("{field:>11}")).concat());
        while self.goes_on(MEASURE_EVERY) {
            let minute = started.elapsed().as_secs_f32() / 60.0;
            let Some((pid, data)) = self.measured() else { continue };
            let landed = git(self.remote.path(), &["rev-list", "--count", "--grep=^Autocommit-Id", "master"]);
            let announced = self.announced.load(Ordering::SeqCst);
            let (rss, mirror, remote) = (resident(pid), size(&data), size(self.remote.path()));
            println!("{minute:>11.1}{announced:>11}{landed:>11}{rss:>11.1}{mirror:>11.1}{remote:>11.1}");
        }
    }

    fn measured(&self) -> Option<(u32, std::path::PathBuf)> {
        let steady = self.steady.read().ok()?;
        steady.as_ref().map(|service| (service.pid(), service.data_directory()))
    }
}

fn options() -> Options {
    Options::default()
}

fn resident(pid: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok());
    kilobytes.unwrap_or_default() / 1024.0
}

fn size(directory: &Path) -> f64 {
    let output = std::process::Command::new("du").arg("-sk").arg(directory).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    text.split_whitespace().next().and_then(|kilobytes| kilobytes.parse::<f64>().ok()).unwrap_or_default()
        / 1024.0
}

fn main() {
    let minutes = std::env::args().nth(1).and_then(|minutes| minutes.parse().ok()).unwrap_or(30.0);
    let remote = Remote::new();
    let steady = RwLock::new(Some(Service::start(&remote)));
    let replicas = [(); 2].map(|()| RwLock::new(Some(Service::unready(&remote, &options()))));
    let (over, announced, kills, pushes) = Default::default();
    let site = Site { remote, replicas, steady, over, announced, intents: RwLock::default(), kills, pushes };
    let started = Instant::now();
    std::thread::scope(|scope| {
        for role in [Site::announce, Site::check, Site::deploy, Site::push, Site::kill] {
            scope.spawn({
                let site = &site;
                move || role(site)
            });
        }
        scope.spawn(|| site.measure(started));
        std::thread::sleep(Duration::from_secs_f64(minutes * 60.0));
        site.over.store(true, Ordering::SeqCst);
    });
    finish(&site);
}

/// Lets what is on its way end, and tells what became of every announcement.
fn finish(site: &Site) {
    let steady = site.steady.write().expect("nobody panics").take().expect("it was started");
    let intents = site.intents.read().expect("nobody panics").clone();
    let deadline = Instant::now() + Duration::from_mins(3);
    while !steady.repo()["chain"].as_array().is_none_or(Vec::is_empty) && Instant::now() < deadline {
        for commit in [site.remote.master(), site.remote.auto()] {
            steady.status(&commit, "ci", "success");
        }
        std::thread::sleep(Duration::from_millis(500));
    }
    let mut ends: BTreeMap<String, usize> = BTreeMap::new();
    for intent in intents.keys() {
        let end = steady.end_of(intent)["end"].as_str().unwrap_or("none").to_owned();
        *ends.entry(end).or_default() += 1;
    }
    let ids = git(site.remote.path(), &["log", "--format=%(trailers:key=Autocommit-Id,valueonly)", "master"]);
    let ids: Vec<&str> = ids.lines().filter(|id| !id.is_empty()).collect();
    let doubled = ids.len() - ids.iter().collect::<BTreeSet<_>>().len();
    site.remote.fsck();
    let (kills, pushes) = (site.kills.load(Ordering::SeqCst), site.pushes.load(Ordering::SeqCst));
    println!(
        "{} announcements: {ends:?}; {doubled} landed twice; {kills} kills, {pushes} pushes by people; git fsck --strict is clean",
        intents.len()
    );
}
