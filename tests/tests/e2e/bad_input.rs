//! Bad input gets a clear error and writes nothing.

use cfgupdater_tests::{Remote, Service, app_sha, images};
use serde_json::json;

fn announce_path(sha: &str) -> String {
    format!("/v1/repos/cfg-app/images?app_sha={sha}")
}

#[test]
fn bad_announcements_are_refused_with_what_is_wrong_and_where() {
    let remote = Remote::new();
    let service = Service::start(&remote);
    let server = service.server();
    let refs = remote.refs();
    let path = announce_path(&app_sha(1));
    let good = images(&["Service1"], 1);
    let refused = |path: &str, body: &[u8], status: u16, says: &str| {
        let detail = server.post_bytes(path, body).refused(status);
        assert!(
            detail.contains(says),
            "{path} {}: {detail}",
            String::from_utf8_lossy(&body[..body.len().min(80)])
        );
    };
    let good_bytes = good.to_string().into_bytes();
    refused(&path, b"{\"A\":", 400, "JSON");
    refused(&path, b"", 400, "JSON");
    refused(&path, b"{}", 422, "at least one service");
    refused(&path, "[".repeat(100_000).as_bytes(), 422, "expected an object");
    let image = &good["Service1"];
    let deep = format!("{{\"Service1\":{}", "{\"Digest\":".repeat(100_000));
    refused(&path, deep.as_bytes(), 422, "");
    let extra = json!({"Service1": {"Digest": image["Digest"], "Tag": image["Tag"], "Extra": 1}});
    refused(&path, extra.to_string().as_bytes(), 422, "Extra");
    let mixed = json!({"Service1": {"Digest": image["Digest"], "Tag": "registry.example.com/other:v1"}});
    refused(&path, mixed.to_string().as_bytes(), 422, "registry.example.com/other");
    for name in ["a/b", "..", "a\nAutocommit-Id: x", "[skip ci]", ""] {
        let body = json!({name: image});
        refused(&path, body.to_string().as_bytes(), 422, "service name");
    }
    let marker =
        json!({"Service1": {"Digest": image["Digest"], "Tag": "registry.example.com/service1:[skip ci]"}});
    refused(&path, marker.to_string().as_bytes(), 422, "tag");
    let twice = format!("{{\"Service1\":{image},\"Service1\":{image}}}");
    refused(&path, twice.as_bytes(), 422, "Service1");
    refused(&announce_path("abc123"), &good_bytes, 422, "6 digits");
    refused("/v1/repos/cfg-app/images", &good_bytes, 422, "app_sha");
    refused(&format!("{path}&set=other"), &good_bytes, 404, "other");
    refused(&format!("{path}&surprise=1"), &good_bytes, 422, "surprise");
    refused(&format!("{path}&attempt=x"), &good_bytes, 422, "attempt");
    refused(&path.replace("cfg-app", "nowhere"), &good_bytes, 404, "nowhere");
    refused(&path, &vec![b' '; 10 * 1024 * 1024], 413, "");
    assert_eq!(remote.refs(), refs, "nothing was written");
}

#[test]
fn bad_reports_are_refused() {
    let remote = Remote::new();
    let service = Service::start(&remote);
    let refs = remote.refs();
    let master = remote.master();
    let refused = |body: serde_json::Value, status: u16, says: &str| {
        let detail = service.server().post("/v1/repos/cfg-app/deployments", &body).refused(status);
        assert!(detail.contains(says), "{body}: {detail}");
    };
    let report = |wave: &str, target: &str, revision: &str| json!({"wave": wave, "target": target, "status": "succeeded", "revision": revision});
    refused(report("nowhere", "staging-1", &master), 404, "nowhere");
    refused(report("staging", "prod-1", &master), 404, "prod-1");
    refused(report("staging", "staging-1", &"ab".repeat(20)), 422, "does not exist");
    refused(report("staging", "staging-1", "abc"), 422, "3 ");
    refused(report("sta/ging", "staging-1", &master), 422, "wave name");
    refused(report("staging", "staging-1\nx", &master), 422, "target name");
    refused(report("staging", "staging-1", &master), 422, "holds no images");
    refused(json!({"wave": "staging", "target": "staging-1", "status": "succeeded"}), 422, "revision");
    refused(
        json!({"wave": "staging", "target": "staging-1", "status": "maybe", "revision": master}),
        422,
        "maybe",
    );
    assert_eq!(remote.refs(), refs);
}

#[test]
fn statuses_name_a_commit_a_context_and_a_known_state() {
    let remote = Remote::new();
    let service = Service::start(&remote);
    let refs = remote.refs();
    let post = |sha: &str, body: serde_json::Value| {
        service.server().post(&format!("/v1/repos/cfg-app/statuses/{sha}"), &body)
    };
    post("abc", json!({"context": "ci", "state": "success"})).refused(422);
    post(&remote.master(), json!({"context": "ci", "state": "fine"})).refused(422);
    post(&remote.master(), json!({"context": "", "state": "success"})).refused(422);
    assert_eq!(remote.refs(), refs);
}

#[test]
fn tokens_open_what_their_scopes_say() {
    let remote = Remote::new();
    let service = Service::start(&remote);
    let refs = remote.refs();
    let server = service.server();
    let body = images(&["Service1"], 1);
    let path = announce_path(&app_sha(1));
    for token in ["", "wrong", "token-al"] {
        server.with_token(token).post(&path, &body).refused(401);
        server.with_token(token).get("/v1/repos/cfg-app").refused(401);
    }
    for token in ["token-report", "token-status", "token-read"] {
        let detail = server.with_token(token).post(&path, &body).refused(403);
        assert!(detail.contains("announce"), "{detail}");
    }
    let report = |target: &str| json!({"wave": "staging", "target": target, "status": "succeeded", "revision": remote.master()});
    server
        .with_token("token-report")
        .post("/v1/repos/cfg-app/deployments", &report("staging-2"))
        .refused(403);
    server
        .with_token("token-announce")
        .post("/v1/repos/cfg-app/deployments", &report("staging-1"))
        .refused(403);
    server.with_token("token-status").get("/v1/repos/cfg-app").refused(403);
    assert_eq!(remote.refs(), refs);
    assert_eq!(server.with_token("token-announce").post(&path, &body).ok()["outcome"], "committed");
}

#[test]
fn unknown_paths_and_methods_are_problems_too() {
    let remote = Remote::new();
    let service = Service::start(&remote);
    service.get("/v1/nothing").refused(404);
    service.get(&announce_path(&app_sha(1))).refused(405);
}

#[test]
fn a_path_that_is_no_text_is_a_problem_like_any_other() {
    let remote = Remote::new();
    let service = Service::start(&remote);
    for path in ["/v1/repos/%ff", "/v1/repos/cfg-app/intents/%ff"] {
        service.get(path).refused(400);
    }
}

#[test]
fn the_audit_trail_is_read_in_pages_of_the_state_branch_alone() {
    let remote = Remote::new();
    let service = Service::start(&remote);
    for n in 1..=3 {
        service.announce(n);
    }
    let whole = service.log();
    let (mut paged, mut after) = (Vec::new(), String::new());
    loop {
        let page = service.get(&format!("/v1/repos/cfg-app/log?limit=2{after}")).ok();
        let items = page["items"].as_array().unwrap();
        let together = items.iter().all(|item| item["state"] == items[0]["state"]);
        assert!(items.len() <= 2 || together, "{page}");
        paged.extend(items.clone());
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    assert_eq!(paged, whole);
    for after in [&remote.master(), &"1".repeat(40), "x"] {
        let detail = service.get(&format!("/v1/repos/cfg-app/log?after={after}")).refused(422);
        assert!(detail.contains("`next`"), "{detail}");
    }
}
