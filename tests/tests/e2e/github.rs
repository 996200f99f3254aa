//! The main job with `kind = "github"`: git over HTTP with the installation's token, and a GitHub that itself refuses
//! what is not green.

use std::path::Path;

use cfgupdater_forge_http::{Form, Secret, sign_hmac};
use cfgupdater_tests::{Options, Remote, Service, eventually, git, serve};
use cfgupdater_tests_forge_server::{tls_before, tunnels};
use cfgupdater_tests_github::{APP, FakeGithub, INSTALLATION, KEY, Trouble};
use serde_json::{Value, json};
use tempfile::TempDir;

/// The App whose check runs count.
const ACTIONS: u64 = 15368;

pub(crate) const SECRET: &str = "canary-of-the-webhook";

/// A GitHub with one repository, and a service that takes care of it.
struct Site {
    github: FakeGithub,
    remote: Remote,
    service: Service,
    _place: TempDir,
}

/// How a service finds a GitHub.
struct Way {
    api_url: String,
    git_url: String,
    /// Lines for `[repo.forge]`.
    forge: String,
    variables: Vec<(&'static str, String)>,
}

impl Site {
    /// Requires `ci` of GitHub Actions by a ruleset, and `lint` of anybody by branch protection.
    fn new(resync: &'static str) -> Self {
        Self::behind(resync, |github| Way {
            api_url: github.api_url(),
            git_url: github.git_url(),
            forge: String::new(),
            variables: Vec::new(),
        })
    }

    /// As [`Site::new`], and the service finds the GitHub in a way of its own.
    fn behind(resync: &'static str, way: impl FnOnce(&FakeGithub) -> Way) -> Self {
        let (github, remote, place) = (FakeGithub::start(), Remote::new(), tempfile::tempdir().unwrap());
        let way = way(&github);
        std::fs::create_dir_all(place.path().join("green")).unwrap();
        serve(&remote, &place.path().join("git"), &gate(place.path()));
        {
            let mut world = github.world();
            world.git_root = Some(place.path().join("git"));
            world.green_directory = Some(place.path().join("green"));
            world.gate = vec!["ci".to_owned(), "lint".to_owned()];
            world.rule(&[("ci", Some(15368))]);
            world.protect(&[("lint", None)]);
        }
        let secret = place.path().join("secret");
        std::fs::write(&secret, SECRET).unwrap();
        let forge = format!(
            "api_url = {:?}\nproject = \"acme/cfg\"\napp_id = {APP}\nprivate_key_file = {KEY:?}\n\
             webhook_secret_file = \"{}\"\npushes_per_minute = 0\n{}",
            way.api_url,
            secret.display(),
            way.forge,
        );
        let (url, variables) = (Some(way.git_url), way.variables);
        let options = Options { kind: "github", url, forge, resync, variables, ..Options::default() };
        let service = Service::with(&remote, &options);
        Self { github, remote, service, _place: place }
    }

    /// Reports both required checks of a commit, one as a check run and one as a status.
    fn pass(&self, sha: &str) {
        let mut world = self.github.world();
        world.run(sha, "ci", "success", ACTIONS);
        world.status(sha, "lint", "success", "octocat");
    }

    /// Delivers a webhook, and returns the status of the answer.
    fn deliver(&self, event: &str, body: &str, headers: &[(&str, &str)]) -> u16 {
        let mut fields = vec![("X-GitHub-Event", event), ("Content-Type", "application/json")];
        fields.extend(headers);
        self.service
            .server()
            .post_with_headers("/v1/repos/cfg-app/hooks/forge", body.as_bytes(), &fields)
            .status
    }

    /// Tells that a check of a commit changed.
    fn tell(&self, sha: &str) {
        self.tell_of("check_run", &json!({ "action": "completed", "check_run": { "head_sha": sha } }));
    }

    /// Delivers an authentic webhook of this repository.
    fn tell_of(&self, event: &str, about: &Value) {
        let mut body = about.clone();
        body["repository"] = json!({ "full_name": "acme/cfg" });
        body["installation"] = json!({ "id": INSTALLATION });
        let body = body.to_string();
        let signature = sign_hmac(&Secret::new(SECRET).unwrap(), body.as_bytes(), Form::Prefixed);
        assert_eq!(self.deliver(event, &body, &[("X-Hub-Signature-256", &signature)]), 202);
    }

    /// Tells that a check of a commit changed, and waits until that was looked at and nothing is left to be done.
    fn looked_after_a_webhook(&self, sha: &str) {
        let seen = self.observations();
        self.tell(sha);
        eventually("a look after the webhook", || (self.observations() > seen).then_some(()));
    }

    /// Waits until GitHub has refused a question, or one was not asked since it had refused another.
    fn eventually_limited(&self) {
        let says = ["asks for fewer requests", "wants no request"];
        eventually("a limit", || says.iter().any(|says| self.service.why().contains(says)).then_some(()));
    }

    fn observations(&self) -> u64 {
        self.service.repo()["observations"].as_u64().unwrap()
    }
}

/// The rule that master takes green commits alone, as GitHub refuses others.
fn gate(place: &Path) -> String {
    format!(
        "#!/bin/sh\n[ \"$1\" = refs/heads/master ] || exit 0\n[ -e \"{}/$3\" ] && exit 0\n\
         echo 'error: GH006: Protected branch update failed for refs/heads/master.' >&2\n\
         echo 'error: Required status check is expected.' >&2\nexit 1\n",
        place.join("green").display()
    )
}

#[test]
fn the_main_job_up_to_production() {
    let site = Site::new("500ms");
    let told = site.service.announce(1);
    let first = site.remote.auto();
    site.github.world().run(&first, "ci", "success", 99);
    site.github.world().status(&first, "lint", "success", "octocat");
    site.service.eventually_why("waits for check ci (by 15368) (not started)");
    assert_ne!(site.remote.master(), first, "a run of another App is not it");
    site.github.world().run(&first, "lint", "in_progress", ACTIONS);
    site.github.world().run(&first, "ci", "success", ACTIONS);
    site.service.eventually_why("waits for check lint (running)");
    site.github.world().run(&first, "lint", "success", ACTIONS);
    // The other App's `ci` passed too: GitHub's own gate is open as well.
    assert_eq!(site.service.end_of(told["intent"].as_str().unwrap())["end"], "landed");
    let mut landed = site.remote.master();
    assert_eq!(landed, first);
    for (wave, targets) in [
        ("staging", &["staging-1", "staging-2"][..]),
        ("internal", &["internal-1"]),
        ("production", &["prod-1", "prod-2"]),
    ] {
        for target in targets {
            assert_eq!(site.service.deployed(wave, target, &landed, "succeeded").status, 200);
        }
        if wave == "production" {
            break;
        }
        let promoted =
            eventually("the promotion", || Some(site.remote.auto()).filter(|auto| *auto != landed));
        site.pass(&promoted);
        eventually("the promotion to land", || (site.remote.master() == promoted).then_some(()));
        landed = promoted;
    }
    assert!(site.remote.file(&landed, "images/production/tags.json").is_some());
    let world = site.github.world();
    let tokens: std::collections::BTreeSet<&String> = world.pushes.iter().collect();
    assert!(tokens.iter().all(|token| token.starts_with("ghs_")), "pushed with the installation's token");
}

#[test]
fn red_is_evicted_and_a_run_that_is_asked_for_again_is_waited_for() {
    let site = Site::new("500ms");
    site.pass(&site.remote.master());
    let told = site.service.announce(1);
    let sha = site.remote.auto();
    site.github.world().status(&sha, "lint", "success", "octocat");
    site.github.world().run(&sha, "ci", "cancelled", ACTIONS);
    site.service.eventually_why("waits for check ci");
    let again = site.github.world().run(&sha, "ci", "queued", ACTIONS);
    site.service.eventually_why("waits for check ci");
    site.github.world().update_run(&sha, again, "success");
    assert_eq!(site.service.end_of(told["intent"].as_str().unwrap())["end"], "landed");
    let told = site.service.announce(2);
    site.github.world().run(&site.remote.auto(), "ci", "failure", ACTIONS);
    assert_eq!(site.service.end_of(told["intent"].as_str().unwrap())["end"], "evicted");
}

#[test]
fn a_required_run_goes_from_red_over_pending_to_green() {
    let site = Site::new("500ms");
    let told = site.service.announce(1);
    let sha = site.remote.auto();
    site.github.world().status(&sha, "lint", "success", "octocat");
    site.github.world().run(&sha, "ci", "failure", ACTIONS);
    // Nobody tested what it stands on, so nobody is to blame yet.
    site.service.eventually_why("has no verdict of its own yet");
    let again = site.github.world().run(&sha, "ci", "queued", ACTIONS);
    site.service.eventually_why("waits for check ci (by 15368) (running)");
    assert_ne!(site.remote.master(), sha);
    site.github.world().update_run(&sha, again, "success");
    assert_eq!(site.service.end_of(told["intent"].as_str().unwrap())["end"], "landed");
    assert_eq!(site.remote.master(), sha);
}

#[test]
fn what_is_required_is_found_on_the_third_page() {
    let site = Site::new("500ms");
    let told = site.service.announce(1);
    let sha = site.remote.auto();
    let ci = {
        let mut world = site.github.world();
        // The newest come first, so that these two end up on the last page.
        let ci = world.run(&sha, "ci", "in_progress", ACTIONS);
        world.run(&sha, "lint", "success", ACTIONS);
        for n in 0..250 {
            world.run(&sha, &format!("job {n}"), "success", ACTIONS);
        }
        ci
    };
    site.service.eventually_why("waits for check ci (by 15368) (running)");
    assert!(site.github.world().requests_of("check-runs?filter=latest&per_page=100&page=3") > 0);
    site.github.world().update_run(&sha, ci, "success");
    assert_eq!(site.service.end_of(told["intent"].as_str().unwrap())["end"], "landed");
    assert_eq!(site.remote.master(), sha);
}

#[test]
fn a_landing_that_github_refuses_for_a_moment_is_tried_again() {
    let site = Site::new("500ms");
    let told = site.service.announce(1);
    let sha = site.remote.auto();
    // The gate has not seen yet what the API tells already.
    site.github.world().gate.push("seen by the gate".to_owned());
    site.pass(&sha);
    site.service.eventually_why("GH006");
    assert_ne!(site.remote.master(), sha);
    site.github.world().status(&sha, "seen by the gate", "success", "octocat");
    assert_eq!(site.service.end_of(told["intent"].as_str().unwrap())["end"], "landed");
    assert_eq!(site.remote.master(), sha);
}

#[test]
fn api_and_git_go_through_the_proxy_of_the_environment_to_a_private_server() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let certificate = rcgen::generate_simple_self_signed(vec!["github.test".to_owned()]).unwrap();
    let authority = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(authority.path(), certificate.cert.pem()).unwrap();
    let asked = std::cell::OnceCell::new();
    let site = Site::behind("500ms", |github| {
        let plain = github.api_url().trim_start_matches("http://").trim_end_matches("/api/v3").to_owned();
        let encrypted = runtime.block_on(tls_before(plain, &certificate));
        let to = encrypted.replace("https://localhost", "127.0.0.1");
        let (proxy, hosts) = runtime.block_on(tunnels(to));
        asked.set(hosts).unwrap();
        // Who runs these tests may have a proxy of his own.
        let set = [("HTTPS_PROXY", &proxy), ("https_proxy", &proxy)];
        let unset = ["NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy"].map(|name| (name, String::new()));
        Way {
            api_url: "https://github.test/api/v3".to_owned(),
            git_url: "https://github.test/acme/cfg.git".to_owned(),
            forge: format!("ca_file = {:?}\n", authority.path()),
            variables: set.map(|(name, value)| (name, value.clone())).into_iter().chain(unset).collect(),
        }
    });
    let told = site.service.announce(1);
    site.pass(&site.remote.auto());
    assert_eq!(site.service.end_of(told["intent"].as_str().unwrap())["end"], "landed");
    let asked = asked.get().unwrap().lock().unwrap();
    assert_eq!(*asked, ["github.test:443".to_owned()].into(), "nobody else was asked for");
}

#[test]
fn a_token_that_git_is_refused_is_replaced_without_any_webhook() {
    let site = Site::new("500ms");
    let told = site.service.announce(1);
    let sha = site.remote.auto();
    // As after an installation was suspended and resumed: git asks first, and what it is refused must not be kept.
    site.github.world().expire_tokens();
    site.pass(&sha);
    assert_eq!(site.service.end_of(told["intent"].as_str().unwrap())["end"], "landed");
    assert_eq!(site.remote.master(), sha);
}

#[test]
fn limits_and_broken_pushes_delay_and_change_nothing_else() {
    let site = Site::new("500ms");
    site.github.world().trouble = Trouble::RateLimited(Some(2));
    site.service.eventually_why("asks for fewer requests");
    site.github.world().trouble = Trouble::None;
    let told = site.service.announce(1);
    let sha = site.remote.auto();
    // The push of master is applied, and its answer lost.
    site.github.world().break_next_push = true;
    site.pass(&sha);
    let end = site.service.end_of(told["intent"].as_str().unwrap());
    assert_eq!((&end["end"], &end["commit"]), (&"landed".into(), &sha.as_str().into()));
    assert_eq!(site.remote.master(), sha);
    let metrics = site.service.get("/metrics").text;
    assert!(metrics.contains("cfgupdater_forge_requests_remaining{repo=\"cfg-app\"}"), "{metrics}");
    assert!(!metrics.contains("cfgupdater_forge_limited_total{repo=\"cfg-app\"} 0\n"), "{metrics}");
}

#[test]
fn a_limit_in_the_middle_of_a_decision_is_waited_for() {
    let site = Site::new("500ms");
    let told = site.service.announce(1);
    let sha = site.remote.auto();
    {
        let mut world = site.github.world();
        world.trouble = Trouble::LimitedFor { seconds: 2, secondary: false };
        world.status(&sha, "lint", "success", "octocat");
        world.run(&sha, "ci", "success", ACTIONS);
    }
    site.eventually_limited();
    assert_ne!(site.remote.master(), sha, "half of the checks are no verdict");
    // Whoever tells of something now makes nobody ask.
    site.tell(&sha);
    assert_eq!(site.service.end_of(told["intent"].as_str().unwrap())["end"], "landed");
    assert_eq!(site.remote.master(), sha);
    assert_eq!(site.github.world().impatient, 0, "nothing was asked before GitHub said");
}

#[test]
fn what_was_read_before_a_limit_decides_nothing_after_it() {
    let site = Site::new("500ms");
    let base = site.remote.master();
    site.pass(&base);
    let told = site.service.announce(1);
    let sha = site.remote.auto();
    {
        let mut world = site.github.world();
        world.trouble = Trouble::LimitedFor { seconds: 2, secondary: true };
        world.status(&sha, "lint", "success", "octocat");
        world.run(&sha, "ci", "success", ACTIONS);
    }
    site.eventually_limited();
    site.github.world().status(&sha, "lint", "failure", "octocat");
    site.tell(&sha);
    assert_eq!(site.service.end_of(told["intent"].as_str().unwrap())["end"], "evicted");
    assert_eq!(site.remote.master(), base);
    assert_eq!(site.github.world().impatient, 0, "nothing was asked before GitHub said");
}

#[test]
fn a_webhook_that_comes_too_late_changes_nothing() {
    let site = Site::new("1h");
    site.pass(&site.remote.master());
    let told = site.service.announce(1);
    let old = site.remote.auto();
    // Somebody pushes, and auto is rebuilt on it; then the old commit's results come.
    let person = site.remote.person();
    person.commit("README.md", "more\n", "explain more");
    let theirs = git(&person.path(), &["rev-parse", "HEAD"]);
    site.pass(&theirs);
    person.push();
    site.tell_of("push", &json!({ "ref": "refs/heads/master", "after": theirs }));
    let rebuilt = eventually("auto to be rebuilt", || Some(site.remote.auto()).filter(|auto| *auto != old));
    for word in ["success", "failure"] {
        site.github.world().run(&old, "ci", word, ACTIONS);
        site.github.world().status(&old, "lint", "success", "octocat");
        site.looked_after_a_webhook(&old);
        assert_eq!((site.remote.master(), site.remote.auto()), (theirs.clone(), rebuilt.clone()), "{word}");
    }
    site.pass(&rebuilt);
    site.tell(&rebuilt);
    assert_eq!(site.service.end_of(told["intent"].as_str().unwrap())["end"], "landed");
    let before = site.remote.refs();
    site.github.world().run(&rebuilt, "ci", "failure", ACTIONS);
    site.looked_after_a_webhook(&rebuilt);
    assert_eq!(site.remote.refs(), before, "what has landed stays");
    assert_eq!(site.service.end_of(told["intent"].as_str().unwrap())["end"], "landed");
}

#[test]
fn a_webhook_is_all_that_is_needed_and_a_forged_one_is_nothing() {
    let site = Site::new("1h");
    let told = site.service.announce(1);
    let sha = site.remote.auto();
    site.pass(&sha);
    let body = json!({ "repository": { "full_name": "acme/cfg" } }).to_string();
    let other = sign_hmac(&Secret::new("guess").unwrap(), body.as_bytes(), Form::Prefixed);
    let bare = sign_hmac(&Secret::new(SECRET).unwrap(), body.as_bytes(), Form::Bare);
    for headers in [
        &[][..],
        &[("X-Hub-Signature-256", other.as_str())],
        &[("X-Gitlab-Token", SECRET), ("X-Gitlab-Event", "Push Hook")],
        &[("X-Gitea-Signature", &bare), ("X-Gitea-Event", "push")],
    ] {
        assert_eq!(site.deliver("check_run", &body, headers), 401, "{headers:?}");
    }
    let foreign = json!({ "repository": { "full_name": "acme/other" } }).to_string();
    let signature = sign_hmac(&Secret::new(SECRET).unwrap(), foreign.as_bytes(), Form::Prefixed);
    assert_eq!(site.deliver("check_run", &foreign, &[("X-Hub-Signature-256", &signature)]), 202);
    let large = "x".repeat(5 * 1024 * 1024);
    assert_eq!(site.deliver("check_run", &large, &[]), 413);
    assert_eq!(site.deliver("check_run", &body, &[("Content-Encoding", "gzip")]), 422);
    assert_ne!(site.remote.master(), sha, "nobody looked");
    site.tell(&sha);
    assert_eq!(site.service.end_of(told["intent"].as_str().unwrap())["end"], "landed");
    let landed = site.remote.master();
    site.tell(&sha);
    assert_eq!(site.remote.master(), landed, "told twice is told once");
}

#[test]
fn what_the_settings_would_refuse_is_in_the_status() {
    let site = Site::new("500ms");
    let preflight =
        eventually("the settings to be looked at", || site.service.repo()["preflight"].as_array().cloned());
    let hint = preflight.iter().find(|finding| {
        finding["problem"]
            .as_str()
            .is_some_and(|problem| problem.contains("everybody who may write may push `auto`"))
    });
    let hint = hint.unwrap_or_else(|| panic!("{preflight:?}"));
    assert_eq!(hint["fatal"], false);
    assert!(!hint["remedy"].as_str().unwrap().is_empty());
    let metrics = site.service.get("/metrics").text;
    let count =
        format!("cfgupdater_preflight_findings{{repo=\"cfg-app\",fatal=\"false\"}} {}\n", preflight.len());
    assert!(metrics.contains(&count), "{metrics}");
    assert!(
        metrics.contains("cfgupdater_preflight_findings{repo=\"cfg-app\",fatal=\"true\"} 0\n"),
        "{metrics}"
    );
}

#[test]
fn no_secret_is_written_anywhere() {
    let site = Site::new("500ms");
    let told = site.service.announce(1);
    site.pass(&site.remote.auto());
    site.service.end_of(told["intent"].as_str().unwrap());
    let log = site.service.stop();
    for secret in ["ghs_", SECRET, "BEGIN RSA"] {
        assert!(!log.contains(secret), "{log}");
    }
    let written = git(site.remote.path(), &["log", "--all", "--format=%B"]);
    assert!(!written.contains("ghs_"));
}
