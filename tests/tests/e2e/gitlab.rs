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
        let (gitlab, remote, place) = (FakeGitlab::start(), Remote::new(), tempfile::tempdir().unwrap());
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
    let base = site.gitlab.world().run(&site.remote.master(), "auto", "failed");
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
    assert!(base < pipeline);
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
    let why = site.service.get("/readyz").text;
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
    // What is repeated is answered alike.
    for key in ["a", "a", "a"] {
        assert_eq!(site.deliver(&pipeline_hook("auto"), &[ours, ("Idempotency-Key", key)]), 202);
    }
    assert_eq!(site.end_of(&told), "landed");
    assert_eq!(site.remote.master(), sha);
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
