//! The main job on a GitHub that we did not write: emulate signs in the App, keeps the check runs and signs the webhooks.
//!
//! It has no git over HTTP, no statuses and no rulesets, and knows of no push; for these our own GitHub stands in, behind
//! the same address.

use std::sync::{Arc, OnceLock};

use cfgupdater_tests::{Options, Remote, Service, eventually, serve};
use cfgupdater_tests_github::{APP, Emulate, Exchange, FakeGithub, KEY, Relay};
use serde_json::Value;
use tempfile::TempDir;

use crate::github::SECRET;

/// The servers behind the one address.
#[derive(Debug)]
struct Servers {
    emulate: OnceLock<Emulate>,
    /// What the service's URLs start with, once it listens.
    service: OnceLock<String>,
    github: FakeGithub,
    remote: Remote,
}

impl Servers {
    fn base_of(&self, path: &str) -> Option<String> {
        if path.starts_with("/v1/") {
            return self.service.get().cloned();
        }
        let missing = ["/statuses", "/rules", "/app/hook/"].iter().any(|part| path.contains(part));
        if path.starts_with("/acme/cfg.git") {
            return self.github.git_url().strip_suffix("/acme/cfg.git").map(str::to_owned);
        }
        if missing { Some(self.github.api_url()) } else { Some(self.emulate.get()?.base().to_owned()) }
    }

    /// What one server learns, the others know: tokens that emulate made, and commits that were pushed.
    fn tell(&self, exchange: &Exchange) {
        if exchange.path.ends_with("/access_tokens") && exchange.status == 201 {
            let made: Value = serde_json::from_slice(&exchange.body).unwrap();
            self.github.world().tokens.insert(made["token"].as_str().unwrap().to_owned());
        }
        if exchange.path.ends_with("/git-receive-pack") && exchange.method == "POST" {
            self.emulate.get().unwrap().take_all(self.remote.path());
        }
    }
}

struct Site {
    service: Service,
    relay: Relay,
    servers: Arc<Servers>,
    _place: TempDir,
}

impl Site {
    fn start() -> Result<Self, String> {
        let place = tempfile::tempdir().unwrap();
        let servers = Arc::new(Servers {
            emulate: OnceLock::new(),
            service: OnceLock::new(),
            github: FakeGithub::start(),
            remote: Remote::new(),
        });
        serve(&servers.remote, &place.path().join("git"), "#!/bin/sh\n");
        servers.github.world().git_root = Some(place.path().join("git"));
        let (behind, told) = (Arc::clone(&servers), Arc::clone(&servers));
        let relay = Relay::start(
            Arc::new(move |_, path| behind.base_of(path)),
            Arc::new(move |exchange| told.tell(exchange)),
        );
        let base = relay.base();
        let emulate = Emulate::start(&format!("{base}/v1/repos/cfg-app/hooks/forge"), SECRET)?;
        emulate.protect("master", &["ci", "lint"]);
        emulate.take_all(servers.remote.path());
        servers.emulate.set(emulate).unwrap();
        let secret = place.path().join("secret");
        std::fs::write(&secret, SECRET).unwrap();
        let forge = format!(
            "api_url = {base:?}\nproject = \"acme/cfg\"\napp_id = {APP}\nprivate_key_file = {KEY:?}\n\
             webhook_secret_file = \"{}\"\npushes_per_minute = 0\n",
            secret.display(),
        );
        let url = Some(format!("{base}/acme/cfg.git"));
        // The timer looks too late to help: all that happens follows from emulate's webhooks.
        let options = Options { kind: "github", url, forge, resync: "1h", ..Options::default() };
        let service = Service::with(&servers.remote, &options);
        servers.service.set(service.server().base().to_owned()).unwrap();
        Ok(Self { service, relay, servers, _place: place })
    }

    fn emulate(&self) -> &Emulate {
        self.servers.emulate.get().unwrap()
    }

    /// Lists the statuses that the service answered webhooks with.
    fn webhooks(&self) -> Vec<u16> {
        let all = self.relay.exchanges();
        all.iter()
            .filter(|exchange| exchange.path.starts_with("/v1/"))
            .map(|exchange| exchange.status)
            .collect()
    }
}

#[test]
fn an_app_of_emulate_lands_evicts_and_promotes() {
    let site = match Site::start() {
        Ok(site) => site,
        Err(why) => return eprintln!("skipped: {why}"),
    };
    let remote = &site.servers.remote;
    let told = site.service.announce(1);
    let first = remote.auto();
    site.emulate().run(&first, "ci", "success");
    site.service.eventually_why("waits for check lint");
    assert_ne!(remote.master(), first);
    let lint = site.emulate().run(&first, "lint", "in_progress");
    site.service.eventually_why("waits for check lint (running)");
    let passed = serde_json::json!({ "status": "completed", "conclusion": "success" });
    site.emulate().of_repository("PATCH", &format!("/check-runs/{lint}"), &passed);
    assert_eq!(site.service.end_of(told["intent"].as_str().unwrap())["end"], "landed");
    assert_eq!(remote.master(), first);
    for target in ["staging-1", "staging-2"] {
        assert_eq!(site.service.deployed("staging", target, &first, "succeeded").status, 200);
    }
    let promoted = eventually("the promotion", || Some(remote.auto()).filter(|auto| *auto != first));
    site.emulate().run(&promoted, "lint", "success");
    site.emulate().run(&promoted, "ci", "success");
    eventually("the promotion to land", || (remote.master() == promoted).then_some(()));
    let told = site.service.announce(2);
    let second = remote.auto();
    site.emulate().run(&second, "lint", "success");
    site.emulate().run(&second, "ci", "failure");
    assert_eq!(site.service.end_of(told["intent"].as_str().unwrap())["end"], "evicted");
    assert_eq!(remote.master(), promoted);
    let webhooks = site.webhooks();
    assert!(webhooks.len() >= 7 && webhooks.iter().all(|status| *status == 202), "{webhooks:?}");
    assert!(
        site.servers.github.world().violations.is_empty(),
        "{:?}",
        site.servers.github.world().violations
    );
    remote.fsck();
}
