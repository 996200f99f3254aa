//! Who may do what, and what nobody gets to see.

use std::process::Command;

use cfgupdater_testkit::can_run;
use cfgupdater_tests::{Options, Remote, Service, app_sha, binary, images};
use serde_json::{Value, json};

/// The scope each call of the description needs; `None` for what is open to everybody.
fn needed(method: &str, path: &str) -> Option<&'static str> {
    match (method, path) {
        ("get", "/healthz" | "/readyz" | "/metrics") => None,
        // Refused for want of a signature, whatever the token.
        ("post", "/v1/repos/{repo}/hooks/forge" | "/v1/repos/{repo}/hooks/flux") => None,
        ("post", "/v1/repos/{repo}/images") => Some("announce"),
        ("post", "/v1/repos/{repo}/deployments" | "/v1/repos/{repo}/hooks/argocd") => Some("report"),
        ("post", "/v1/repos/{repo}/statuses/{sha}") => Some("status"),
        ("get", _) => Some("read"),
        ("post", _) => Some("operate"),
        other => panic!("the table doesn't know {other:?}"),
    }
}

fn body(path: &str, remote: &Remote) -> Value {
    let master = remote.master();
    match path.rsplit('/').next().unwrap() {
        "images" => images(&["Service1"], 1),
        "deployments" => {
            json!({"wave": "staging", "target": "staging-1", "status": "succeeded", "revision": master})
        }
        "{sha}" => json!({"context": "ci", "state": "pending"}),
        "rollback" => json!({"to": master, "reason": "x"}),
        _ => json!({"reason": "x"}),
    }
}

/// The tokens of the tests with the scope that opens something to them.
const TOKENS: [(&str, &str); 6] = [
    ("", ""),
    ("forged", ""),
    ("token-announce", "announce"),
    ("token-report", "report"),
    ("token-status", "status"),
    ("token-read", "read"),
];

#[test]
fn every_call_opens_to_its_scope_and_to_no_other() {
    let remote = Remote::new();
    let service = Service::start(&remote);
    let description = service.get("/openapi.json").ok();
    let mut calls = 0;
    for (path, methods) in description["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            let Some(scope) = needed(method, path) else { continue };
            calls += 1;
            let full = path
                .replace("{repo}", "cfg-app")
                .replace("{wave}", "staging")
                .replace("{target}", "staging-1")
                .replace("{sha}", &remote.master())
                .replace("{context}", "ci")
                .replace("{id}", &"0".repeat(32));
            let full =
                if path.ends_with("/images") { format!("{full}?app_sha={}", app_sha(1)) } else { full };
            for (token, opens) in TOKENS {
                let server = service.server().with_token(token);
                let reply = if method == "get" {
                    server.get(&full)
                } else {
                    server.post(&full, &body(path, &remote))
                };
                let expected = match (opens, opens == scope) {
                    ("", _) => reply.status == 401,
                    (_, false) => reply.status == 403,
                    (_, true) => ![401, 403].contains(&reply.status),
                };
                assert!(expected, "{method} {path} with `{token}`: {reply:?}");
            }
        }
    }
    assert!(calls > 15, "{calls} calls are described");
}

#[test]
fn a_secret_is_seen_nowhere() {
    let remote = Remote::new();
    let directory = tempfile::tempdir().unwrap();
    let secret = "canary-b0a1-4711";
    let file = directory.path().join("token");
    std::fs::write(&file, format!("{secret}\nnext-{secret}\n")).unwrap();
    let config = directory.path().join("cfgupdater.toml");
    let text = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\ndata_dir = \"data\"\n[[server.token]]\nname = \"ci\"\nfile = \"token\"\n\
         scopes = [\"announce\", \"read\", \"status\"]\n[[repo]]\nname = \"cfg-app\"\nurl = \"{}\"\n\
         [repo.forge]\nkind = \"local\"\n[repo.checks]\nrequired = [\"ci\"]\n[[repo.image_set]]\nname = \"app\"\n\
         [[repo.wave]]\nname = \"staging\"\ntargets = [\"staging-1\"]\n",
        remote.url()
    );
    std::fs::write(&config, text).unwrap();
    let service = Service::of_file(&config, &[("CFGUPDATER_LOG", "trace")]);
    for token in [secret, &format!("next-{secret}")] {
        let server = service.server().with_token(token);
        server.post(&format!("/v1/repos/cfg-app/images?app_sha={}", app_sha(1)), &images(&["A"], 1)).ok();
        server.get("/v1/repos/cfg-app").ok();
    }
    service.server().with_token(&format!("{secret}x")).get("/v1/repos/cfg-app").refused(401);
    let client = Command::new(binary())
        .args(["status", "--repo", "cfg-app", "--server", service.server().base(), "--token-file"])
        .arg(&file)
        .env("CFGUPDATER_LOG", "trace")
        .output()
        .unwrap();
    assert!(client.status.success());
    let arguments = std::fs::read(format!("/proc/{}/cmdline", service.pid())).unwrap_or_default();
    let metrics = service.get("/metrics").text;
    let written = cfgupdater_tests::git(remote.path(), &["log", "--all", "-p"]);
    let log = service.stop();
    assert!(log.contains("request"), "the log was read");
    let seen = [
        log,
        metrics,
        written,
        String::from_utf8_lossy(&arguments).into_owned(),
        String::from_utf8_lossy(&client.stdout).into_owned(),
        String::from_utf8_lossy(&client.stderr).into_owned(),
    ];
    for text in seen {
        assert!(!text.contains("canary-b0a1"), "{text}");
    }
}

#[test]
fn tls_is_served_from_files_and_trusted_by_file() {
    let remote = Remote::new();
    let directory = tempfile::tempdir().unwrap();
    let issued = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let certificate = directory.path().join("tls.crt");
    std::fs::write(&certificate, issued.cert.pem()).unwrap();
    std::fs::write(directory.path().join("tls.key"), issued.signing_key.serialize_pem()).unwrap();
    let server = format!(
        "[server.tls]\ncert_file = \"{0}/tls.crt\"\nkey_file = \"{0}/tls.key\"",
        directory.path().display()
    );
    let service = Service::unready(&remote, &Options { server, ..Options::default() });
    assert!(service.server().base().starts_with("https://127.0.0.1:"));
    let status = |more: &[&str]| {
        Command::new(binary())
            .args(["status", "--repo", "cfg-app", "--server", service.server().base(), "--retry-for", "20s"])
            .args(more)
            .env("CFGUPDATER_TOKEN", "token-read")
            .output()
            .unwrap()
    };
    let trusted = status(&["--ca-file", certificate.to_str().unwrap()]);
    assert!(trusted.status.success(), "{trusted:?}");
    let untrusted = status(&[]);
    assert_eq!(untrusted.status.code(), Some(5), "{untrusted:?}");
}

#[test]
fn without_tokens_only_loopback_is_served() {
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("cfgupdater.toml");
    std::fs::write(&config, "[server]\nlisten = \"0.0.0.0:0\"\nauth = \"none\"\n").unwrap();
    let output = Command::new(binary()).arg("serve").arg("--config").arg(&config).output().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("loopback"), "{output:?}");
}

#[test]
fn a_browser_shows_the_page_to_whoever_may_read() {
    let remote = Remote::new();
    let service = Service::start(&remote);
    let page = |login: &str| {
        let output = Command::new("curl")
            .args(["--silent", "--include", "--user", login, &format!("{}/", service.server().base())])
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    if !can_run(&["curl"]) {
        return;
    }
    assert!(page("ann:token-read").contains("<h2>cfg-app</h2>"));
    let asked = page("ann:forged");
    assert!(asked.starts_with("HTTP/1.1 401") && asked.contains("Basic realm="), "{asked}");
    assert!(page("ann:token-announce").starts_with("HTTP/1.1 403"));
    service.server().with_token("").get("/").refused(401);
    let api = format!("{}/v1/repos", service.server().base());
    let output = Command::new("curl").args(["--silent", "--user", "ann:token-read", &api]).output().unwrap();
    assert!(String::from_utf8(output.stdout).unwrap().contains("401"), "the page alone takes a login");
}
