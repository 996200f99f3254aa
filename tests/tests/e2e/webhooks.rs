//! Webhooks of forges: what becomes of them is counted, and a forge never learns that the repository is out of order.

use cfgupdater_tests::{Options, Remote, Service, eventually};
use cfgupdater_tests_gitlab::{FakeGitlab, TOKEN};
use serde_json::json;
use tempfile::TempDir;

use crate::deploy_hooks::metric;

const SECRET: &str = "canary-of-the-webhook";

/// A service with `kind = "gitlab"` whose git needs no network.
struct Site {
    service: Service,
    remote: Remote,
    place: TempDir,
    _gitlab: FakeGitlab,
}

impl Site {
    fn new(start: fn(&Remote, &Options) -> Service) -> Self {
        let (gitlab, remote, place) = (FakeGitlab::start(), Remote::new(), tempfile::tempdir().unwrap());
        std::fs::write(place.path().join("token"), TOKEN).unwrap();
        std::fs::write(place.path().join("secret"), SECRET).unwrap();
        let forge = format!(
            "api_url = {:?}\nproject = \"acme/cfg\"\ntoken_file = \"{1}/token\"\nwebhook_secret_file = \"{1}/secret\"\n",
            gitlab.api_url(),
            place.path().display(),
        );
        let repo = "stable = \"master\"\n".to_owned();
        let options = Options { kind: "gitlab", forge, repo, resync: "1h", ..Options::default() };
        let service = start(&remote, &options);
        Self { service, remote, place, _gitlab: gitlab }
    }

    fn deliver(&self, headers: &[(&str, &str)]) -> cfgupdater_tests::Reply {
        let body = json!({
            "object_kind": "pipeline", "object_attributes": { "ref": "auto", "source": "push", "status": "success" },
            "project": { "id": 4711, "path_with_namespace": "acme/cfg" }
        });
        let path = "/v1/repos/cfg-app/hooks/forge";
        self.service.server().post_with_headers(path, body.to_string().as_bytes(), headers)
    }

    fn became(&self, outcome: &str) -> u64 {
        let line = format!("cfgupdater_forge_hooks_total{{repo=\"cfg-app\",outcome=\"{outcome}\"}}");
        metric(&self.service, &line)
    }
}

#[test]
fn a_delivery_that_is_repeated_causes_no_second_look() {
    let site = Site::new(Service::with);
    for key in ["a", "a", "b", "a"] {
        let reply = site.deliver(&[("X-Gitlab-Token", SECRET), ("Idempotency-Key", key)]);
        assert_eq!(reply.status, 202, "{reply:?}");
    }
    assert_eq!((site.became("looked"), site.became("repeated")), (2, 2));
}

#[test]
fn what_is_authentic_is_taken_while_the_repository_cant_be_opened() {
    let away = |remote: &Remote, options: &Options| {
        std::fs::rename(remote.path(), remote.path().with_extension("away")).unwrap();
        Service::unready(remote, options)
    };
    let site = Site::new(away);
    assert_eq!(site.service.get("/readyz").status, 503);
    assert_eq!(site.deliver(&[("X-Gitlab-Token", SECRET)]).status, 202);
    assert_eq!(site.deliver(&[("X-Gitlab-Token", "guess")]).status, 401);
    std::fs::rename(site.remote.path().with_extension("away"), site.remote.path()).unwrap();
    eventually("readiness", || (site.service.get("/readyz").status == 200).then_some(()));
    assert_eq!((site.became("looked"), site.became("unauthentic")), (1, 1));
}

#[test]
fn a_secret_that_cant_be_read_is_our_fault_and_told_in_the_log_alone() {
    let site = Site::new(Service::with);
    std::fs::remove_file(site.place.path().join("secret")).unwrap();
    let detail = site.deliver(&[("X-Gitlab-Token", SECRET)]).refused(503);
    let place = site.place.path().to_str().unwrap();
    assert!(!detail.contains(place), "{detail}");
    assert_eq!(site.became("unprovable"), 1);
    let log = site.service.stop();
    assert!(log.contains("refused a webhook") && log.contains(place), "{log}");
    assert!(!log.contains(SECRET), "{log}");
}
