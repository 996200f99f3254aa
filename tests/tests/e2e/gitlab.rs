//! The main job with `kind = "gitlab"`: git over HTTP with the project's token, branches that are protected, and a
//! GitLab below a subpath.

use cfgupdater_tests::{Options, Remote, Service, eventually, git, serve};
use cfgupdater_tests_gitlab::{FakeGitlab, TOKEN};
use serde_json::json;
use tempfile::TempDir;

const SECRET: &str = "canary-of-the-webhook";

/// Protected branches: over HTTP only the bot may push, and nobody may push the stable branch by force. Whoever is on the
/// machine is a person who pushes by other means.
const PROTECTED: &str = "#!/bin/sh\n\
    refuse() { echo \"GitLab: $1\" >&2; exit 1; }\n\
    case \"$1\" in refs/heads/master|refs/heads/auto|refs/heads/cfgupdater/*) ;; *) exit 0;; esac\n\
    [ -z \"$GATEWAY_INTERFACE$REMOTE_USER\" ] || [ \"$REMOTE_USER\" = bot ] || \
    refuse 'You are not allowed to push code to protected branches on this project.'\n\
    [ \"$1\" = refs/heads/master ] || exit 0\n\
    git merge-base --is-ancestor \"$2\" \"$3\" || \
    refuse 'You are not allowed to force push code to a protected branch on this project.'\n";

/// Rules by which the bot may push everything but the stable branch.
const NOT_ON_MASTER: &str = "#!/bin/sh\n\
    [ \"$1\" = refs/heads/master ] || exit 0\n\
    echo 'GitLab: You are not allowed to push code to protected branches on this project.' >&2\n\
    exit 1\n";

/// A GitLab with one project, and a service that takes care of it.
struct Site {
    gitlab: FakeGitlab,
    remote: Remote,
    service: Service,
    place: TempDir,
}

impl Site {
    fn new(resync: &'static str) -> Self {
        Self::with(resync, "")
    }

    /// Adds lines for `[repo.forge]` and tables that follow.
    fn with(resync: &'static str, more: &str) -> Self {
        Self::on(FakeGitlab::start(), resync, more)
    }

    fn on(gitlab: FakeGitlab, resync: &'static str, more: &str) -> Self {
        let (remote, place) = (Remote::new(), tempfile::tempdir().unwrap());
        let root = place.path().join("git");
        serve(&remote, &root, PROTECTED);
        gitlab.world().git_root = Some(root);
        let (token, secret) = (place.path().join("token"), place.path().join("secret"));
        std::fs::write(&token, TOKEN).unwrap();
        std::fs::write(&secret, SECRET).unwrap();
        let forge = format!(
            "api_url = {:?}\ntoken_file = \"{}\"\nwebhook_secret_file = \"{}\"\n{more}",
            gitlab.api_url(),
            token.display(),
            secret.display(),
        );
        let repo = "stable = \"master\"\n".to_owned();
        let url = Some(gitlab.git_url());
        let options = Options { kind: "gitlab", url, forge, repo, resync, ..Options::default() };
        let service = Service::with(&remote, &options);
        Self { gitlab, remote, service, place }
    }

    /// Runs a pipeline of auto that passes.
    fn pass(&self, sha: &str) {
        self.gitlab.world().run(sha, "auto", "success");
    }

    /// Delivers a webhook, tells GitLab how it was answered, and returns that.
    fn deliver(&self, body: &[u8], headers: &[(&str, &str)]) -> u16 {
        let mut fields = vec![("X-Gitlab-Event", "Pipeline Hook"), ("Content-Type", "application/json")];
        fields.extend(headers);
        let status =
            self.service.server().post_with_headers("/v1/repos/cfg-app/hooks/forge", body, &fields).status;
        self.gitlab.world().delivered(status);
        status
    }

    /// Exchanges the rules for pushes.
    fn protect(&self, hook: &str) {
        let hooks = self.remote.path().join("hooks");
        std::fs::copy(hooks.join("update"), hooks.join("next")).unwrap();
        std::fs::write(hooks.join("next"), hook).unwrap();
        std::fs::rename(hooks.join("next"), hooks.join("update")).unwrap();
    }

    fn observations(&self) -> u64 {
        self.service.repo()["observations"].as_u64().unwrap()
    }

    fn end_of(&self, told: &serde_json::Value) -> serde_json::Value {
        self.service.end_of(told["intent"].as_str().unwrap())["end"].clone()
    }
}

fn pipeline_hook(branch: &str) -> Vec<u8> {
    let body = json!({
        "object_kind": "pipeline", "object_attributes": { "ref": branch, "source": "push", "status": "success" },
        "project": { "id": 4711, "path_with_namespace": "acme/cfg" }
    });
    body.to_string().into_bytes()
}

#[test]
fn the_main_job_up_to_production() {
    let site = Site::new("500ms");
    let told = site.service.announce(1);
    let mut landed = site.remote.auto();
    // Neither an imitation nor another branch's pipeline is the pipeline of auto.
    site.gitlab.world().status(&landed, "feature", "pipeline", "success", "mallory");
    site.gitlab.world().run(&landed, "feature", "success");
    site.service.eventually_why("waits for check pipeline (by gitlab-ci) (not started)");
    let pipeline = site.gitlab.world().run(&landed, "auto", "running");
    site.service.eventually_why("waits for check pipeline (by gitlab-ci) (running)");
    site.gitlab.world().job(pipeline, "ci", "success");
    assert_eq!(site.end_of(&told), "landed");
    assert_eq!(site.remote.master(), landed);
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
    let metrics = site.service.get("/metrics").text;
    assert!(metrics.contains("cfgupdater_forge_requests_remaining{repo=\"cfg-app\"}"), "{metrics}");
    assert!(site.gitlab.world().pushes.iter().all(|password| password == TOKEN));
}

#[test]
fn a_red_pipeline_that_is_retried_before_anybody_can_be_blamed_lands() {
    let site = Site::new("500ms");
    // What people pushed is red, so that nobody is evicted.
    site.gitlab.world().run(&site.remote.master(), "auto", "failed");
    let told = site.service.announce(1);
    let sha = site.remote.auto();
    let pipeline = site.gitlab.world().run(&sha, "auto", "failed");
    eventually("red to be seen", || {
        site.service.repo().to_string().contains("\"verdict\":\"red\"").then_some(())
    });
    assert_eq!(site.remote.auto(), sha);
    let again = site.gitlab.world().job(pipeline, "ci", "running");
    site.service.eventually_why("waits for check pipeline (by gitlab-ci) (running)");
    site.gitlab.world().update_job(again, "success");
    assert_eq!(site.end_of(&told), "landed");
}

#[test]
fn red_is_evicted_whether_a_second_pipeline_or_a_child_says_so() {
    let site = Site::new("500ms");
    site.pass(&site.remote.master());
    // The newest of two pipelines is red.
    let told = site.service.announce(1);
    let sha = site.remote.auto();
    {
        let mut world = site.gitlab.world();
        let first = world.pipeline(&sha, "auto", "push");
        world.tell(first, "running");
        world.run(&sha, "auto", "failed");
        world.tell(first, "success");
    }
    assert_eq!(site.end_of(&told), "evicted");
    // The parent passed, and waited for no child.
    let told = site.service.announce(2);
    let sha = site.remote.auto();
    {
        let mut world = site.gitlab.world();
        let child = world.pipeline(&sha, "auto", "parent_pipeline");
        world.job(child, "e2e", "failed");
        let parent = world.pipeline(&sha, "auto", "push");
        world.bridge(parent, "children", "success", child);
    }
    assert_eq!(site.end_of(&told), "evicted");
    assert_ne!(site.remote.master(), sha);
}

#[test]
fn a_status_of_a_jobs_name_lands_no_red_commit() {
    let site = Site::new("500ms");
    let base = site.remote.master();
    site.pass(&base);
    let told = site.service.announce(1);
    let sha = site.remote.auto();
    {
        let mut world = site.gitlab.world();
        let pipeline = world.pipeline(&sha, "auto", "push");
        world.job(pipeline, "lint", "failed");
        // From now on GitLab itself calls the pipeline a success.
        world.status(&sha, "auto", "lint", "success", "mallory");
    }
    assert_eq!(site.end_of(&told), "evicted");
    assert_eq!(site.remote.master(), base);
}

#[test]
fn what_ci_could_not_do_evicts_nobody() {
    let site = Site::new("500ms");
    site.pass(&site.remote.master());
    let told = site.service.announce(1);
    let sha = site.remote.auto();
    let pipeline = site.gitlab.world().pipeline(&sha, "auto", "push");
    {
        let mut world = site.gitlab.world();
        let job = world.job(pipeline, "ci", "running");
        world.fail_job(job, "runner_system_failure");
    }
    site.service.eventually_why("runner_system_failure");
    assert_eq!(site.remote.auto(), sha);
    site.gitlab.world().job(pipeline, "ci", "success");
    assert_eq!(site.end_of(&told), "landed");
}

#[test]
fn while_gitlab_cancels_pipelines_nothing_is_put_on_a_commit_that_is_tested() {
    let gitlab = FakeGitlab::start();
    gitlab.world().project = json!({ "auto_cancel_pending_pipelines": "enabled" });
    let site = Site::on(gitlab, "500ms", "");
    eventually("the settings to be looked at", || site.service.repo()["preflight"].as_array().map(|_| ()));
    let told = site.service.announce(1);
    let first = site.remote.auto();
    let pipeline = site.gitlab.world().run(&first, "auto", "running");
    let next = site.service.announce(2);
    assert_eq!((next["outcome"].as_str(), site.remote.auto()), (Some("queued"), first.clone()));
    site.gitlab.world().job(pipeline, "ci", "success");
    assert_eq!(site.end_of(&told), "landed");
    let second = eventually("the next", || Some(site.remote.auto()).filter(|auto| *auto != first));
    site.pass(&second);
    assert_eq!(site.end_of(&next), "landed");
}

#[test]
fn a_bot_that_may_not_push_to_master_is_told_in_gitlabs_words_and_nobody_is_evicted() {
    let site = Site::new("500ms");
    let base = site.remote.master();
    site.pass(&base);
    site.protect(NOT_ON_MASTER);
    let told = site.service.announce(1);
    let sha = site.remote.auto();
    site.pass(&sha);
    site.service
        .eventually_why("GitLab: You are not allowed to push code to protected branches on this project.");
    site.service.eventually_why("let the service's account push there");
    assert_eq!((site.remote.master(), site.remote.auto()), (base, sha.clone()));
    site.protect(PROTECTED);
    assert_eq!(site.end_of(&told), "landed");
    assert_eq!(site.remote.master(), sha);
}

#[test]
fn an_external_status_that_comes_late_and_tells_nobody_is_found() {
    // The timer alone would look in an hour.
    let site = Site::with("1h", "[repo.checks]\nrequired = [\"scan\"]\n");
    let told = site.service.announce(1);
    let sha = site.remote.auto();
    site.pass(&sha);
    assert_eq!(site.deliver(&pipeline_hook("auto"), &[("X-Gitlab-Token", SECRET)]), 202);
    site.service.eventually_why("waits for check scan");
    assert!(!site.service.why().contains("pipeline"), "{}", site.service.why());
    assert_ne!(site.remote.master(), sha);
    site.gitlab.world().status(&sha, "auto", "scan", "success", "sonar");
    assert_eq!(site.end_of(&told), "landed");
}

#[test]
fn a_token_that_expires_is_told_and_the_next_one_is_taken_without_a_restart() {
    let site = Site::new("500ms");
    let told = site.service.announce(1);
    let sha = site.remote.auto();
    site.gitlab.world().rotate("glpat-canarythenextone");
    site.pass(&sha);
    eventually("the service not to be ready", || (site.service.get("/readyz").status != 200).then_some(()));
    let ready = site.service.get("/readyz").text;
    assert!(ready.contains("cfg-app") && !ready.contains("glpat-"), "{ready}");
    // Whichever was asked first, GitLab or its git, says so in its own words.
    let why = eventually("a reason", || {
        let why = site.service.why();
        (why.contains("Authentication failed") || why.contains("Token is expired")).then_some(why)
    });
    assert!(why.contains(&site.gitlab.git_url()) || why.contains(&sha), "{why}");
    assert!(why.contains("check the configured credentials") || why.contains("check the token"), "{why}");
    assert!(!why.contains("glpat-"), "{why}");
    assert_ne!(site.remote.master(), sha);
    std::fs::write(site.place.path().join("token"), "glpat-canarythenextone").unwrap();
    assert_eq!(site.end_of(&told), "landed");
    eventually("the service to be ready", || (site.service.get("/readyz").status == 200).then_some(()));
    let log = site.service.stop();
    for secret in ["glpat-", SECRET] {
        assert!(!log.contains(secret), "{log}");
    }
    assert!(!git(site.remote.path(), &["log", "--all", "--format=%B"]).contains("glpat-"));
}

#[test]
fn webhooks_are_answered_so_that_nothing_disables_them_and_forged_ones_are_refused() {
    let site = Site::new("1h");
    let told = site.service.announce(1);
    let sha = site.remote.auto();
    let ours = ("X-Gitlab-Token", SECRET);
    for body in [&b""[..], b"{", b"[]", b"{\"object_kind\":\"something_new\"}", &pipeline_hook("feature")] {
        assert_eq!(site.deliver(body, &[ours]), 202, "{body:?}");
    }
    assert!(site.gitlab.world().hook_is_enabled(), "what is authentic is answered 2xx, whatever it says");
    for headers in [&[][..], &[("X-Gitlab-Token", "guess")], &[("X-Hub-Signature-256", "sha256=00")]] {
        assert_eq!(site.deliver(&pipeline_hook("auto"), headers), 401, "{headers:?}");
    }
    site.pass(&sha);
    assert_eq!(site.deliver(&pipeline_hook("auto"), &[ours, ("Idempotency-Key", "a")]), 202);
    assert_eq!(site.end_of(&told), "landed");
    assert_eq!(site.remote.master(), sha);
}

#[test]
fn a_delivery_that_is_repeated_makes_nobody_look_and_the_next_one_does() {
    let site = Site::new("1h");
    // Nothing waits, so that nobody looks by himself.
    site.pass(&site.remote.master());
    let deliver = |key| {
        let headers = [("X-Gitlab-Token", SECRET), ("Idempotency-Key", key)];
        assert_eq!(site.deliver(&pipeline_hook("auto"), &headers), 202);
    };
    let first = site.observations();
    let keys = ["a", "b", "c", "d"];
    for key in keys {
        let seen = site.observations();
        deliver(key);
        eventually("a look after the webhook", || (site.observations() > seen).then_some(()));
        (0..5).for_each(|_| deliver(key));
    }
    // One look may have been going on when the first was counted.
    let looks = site.observations() - first;
    assert!(looks <= keys.len() as u64 + 1, "{looks} looks");
}

#[test]
fn a_push_that_breaks_off_lands_once() {
    let site = Site::new("500ms");
    let told = site.service.announce(1);
    let sha = site.remote.auto();
    // The push of master is applied, and its answer lost.
    site.gitlab.world().break_next_push = true;
    site.pass(&sha);
    assert_eq!(site.end_of(&told), "landed");
    assert_eq!(site.remote.master(), sha);
}
