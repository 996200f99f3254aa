//! The commands that CI jobs, deploy tools and people use, against a running service.

use std::process::{Command, Output};

use cfgupdater_tests::{Remote, Service, app_sha, binary, images};
use serde_json::Value;

/// Runs a command as the holder of a token.
fn run(service: &Service, token: &str, arguments: &[&str]) -> Output {
    Command::new(binary())
        .args(arguments)
        .args(["--server", service.server().base(), "--repo", "cfg-app"])
        .env("CFGUPDATER_TOKEN", token)
        .env_remove("CFGUPDATER_LOG")
        .output()
        .unwrap()
}

fn text(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn json(output: &Output) -> Value {
    serde_json::from_str(&text(output)).unwrap()
}

/// Announces build `n` by the command, and returns the answer.
fn announce(service: &Service, n: u32, more: &[&str]) -> Output {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), images(&["Service1"], n).to_string()).unwrap();
    let sha = app_sha(n);
    let arguments = [&["announce", file.path().to_str().unwrap(), "--app-sha", &sha], more].concat();
    run(service, "token-announce", &arguments)
}

#[test]
fn a_release_is_announced_deployed_and_followed_by_commands_alone() {
    let remote = Remote::new();
    let service = Service::start(&remote);
    let told = json(&announce(&service, 1, &["--json"]));
    assert_eq!(told["outcome"], "committed");
    let intent = told["intent"].as_str().unwrap();
    let why = text(&run(&service, "token-read", &["why"]));
    assert!(why.contains("ci"), "{why}");
    let status = text(&run(&service, "token-read", &["status"]));
    assert!(status.contains("on auto") && status.contains("missing"), "{status}");

    service.status(told["commit"].as_str().unwrap(), "ci", "success");
    let waited = run(
        &service,
        "token-read",
        &["status", "--wait", "--intent", intent, "--until", "landed", "--timeout", "30s"],
    );
    assert!(text(&waited).contains("landed"));
    let newest = run(&service, "token-read", &["status", "--wait", "--until", "landed", "--timeout", "30s"]);
    assert_eq!(text(&newest), text(&waited), "the newest announcement is meant where none is named");
    let master = remote.master();
    assert_eq!(told["commit"], Value::String(master.clone()));

    for target in ["staging-1", "staging-2"] {
        let arguments = [
            "deployed",
            "--wave",
            "staging",
            "--target",
            target,
            "--status",
            "succeeded",
            "--revision",
            &master,
        ];
        text(&run(&service, "token-all", &arguments));
    }
    let log = text(&run(&service, "token-read", &["log"]));
    for word in ["accepted", "landed", "runs", "promote app", "introduce app"] {
        assert!(log.contains(word), "{word} is missing in {log}");
    }
}

#[test]
fn exit_codes_tell_scripts_why() {
    let remote = Remote::new();
    let service = Service::start(&remote);
    let code = |output: &Output| output.status.code().unwrap();
    // Nobody is blamed on top of a stable tip that nobody judged.
    service.status(&remote.master(), "ci", "success");
    let told = json(&announce(&service, 1, &["--json"]));
    let intent = told["intent"].as_str().unwrap().to_owned();
    let waiting = ["status", "--wait", "--intent", &intent, "--timeout", "200ms"];
    let late = run(&service, "token-read", &waiting);
    assert_eq!(code(&late), 4);
    let said = String::from_utf8_lossy(&late.stderr).into_owned();
    assert!(said.contains("ci"), "what it waits for is said: {said}");
    service.status(told["commit"].as_str().unwrap(), "ci", "failure");
    let given_up =
        run(&service, "token-read", &["status", "--wait", "--intent", &intent, "--timeout", "30s"]);
    assert_eq!(code(&given_up), 3, "{given_up:?}");
    assert_eq!(code(&announce(&service, 1, &["--wait"])), 3, "announcing it again doesn't turn CI green");
    assert_eq!(code(&run(&service, "wrong", &["status"])), 1);
    assert_eq!(code(&run(&service, "token-read", &["status", "--surprise"])), 2);
    let nobody = Command::new(binary())
        .args(["status", "--server", "http://127.0.0.1:1", "--repo", "cfg-app", "--retry-for", "0s"])
        .output()
        .unwrap();
    assert_eq!(code(&nobody), 5, "{nobody:?}");
}

#[test]
fn waiting_for_production_ends_when_production_has_the_release() {
    let remote = Remote::new();
    let service = Service::start(&remote);
    let told = json(&announce(&service, 1, &["--json"]));
    let arguments = [
        "status",
        "--wait",
        "--intent",
        told["intent"].as_str().unwrap(),
        "--until",
        "wave=production",
        "--timeout",
        "30s",
    ];
    let waited = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| run(&service, "token-read", &arguments));
        for wave in [&["staging-1", "staging-2"][..], &["internal-1"], &["prod-1", "prod-2"]] {
            let name = wave[0].split('-').next().unwrap().replace("prod", "production");
            let commit = cfgupdater_tests::eventually("a commit on auto", || {
                let auto = remote.auto();
                (auto != remote.master() && remote.trailer(&auto, "Autocommit-Target") == name)
                    .then_some(auto)
            });
            service.status(&commit, "ci", "success");
            cfgupdater_tests::eventually("the landing", || (remote.master() == commit).then_some(()));
            for target in wave {
                service.deployed(&name, target, &commit, "succeeded").ok();
            }
        }
        waiting.join().unwrap()
    });
    assert!(text(&waited).contains("production"), "{waited:?}");
}

#[test]
fn secrets_are_not_taken_from_the_command_line_and_not_shown() {
    let remote = Remote::new();
    let service = Service::start(&remote);
    let refused = run(&service, "token-canary-0815", &["status"]);
    let said =
        format!("{}{}", String::from_utf8_lossy(&refused.stdout), String::from_utf8_lossy(&refused.stderr));
    assert!(!refused.status.success() && !said.contains("canary"), "{said}");
    let on_argv = run(&service, "x", &["status", "--token", "secret"]);
    assert_eq!(on_argv.status.code(), Some(2), "there is no such option");
}
