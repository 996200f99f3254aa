//! `check-config` finds what is wrong before the service does.

use std::process::{Command, Output};

use cfgupdater_tests::{Remote, binary};

fn check(config: &str) -> Output {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("cfgupdater.toml");
    std::fs::write(&file, config).unwrap();
    Command::new(binary())
        .arg("check-config")
        .arg("--config")
        .arg(&file)
        .env("APP_CI_TOKEN", "t0ken")
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// The configuration of the documentation, on a repository that exists.
fn documented(url: &str) -> String {
    format!(
        r#"[server]
listen = "127.0.0.1:8080"
data_dir = "cfgupdater-data"
[[server.token]]
name = "app-ci"
env = "APP_CI_TOKEN"
scopes = ["announce:app"]

[[repo]]
name = "cfg-app"
url = "{url}"
[repo.forge]
kind = "local"
[repo.checks]
required = ["ci"]
[[repo.image_set]]
name = "app"
[[repo.wave]]
name = "staging"
targets = ["staging-1", "staging-2"]
[[repo.wave]]
name = "internal"
targets = ["internal-1"]
[[repo.wave]]
name = "production"
targets = ["prod-1", "prod-2"]
"#
    )
}

#[test]
fn the_documented_configuration_is_fine() {
    let remote = Remote::new();
    let output = check(&documented(&remote.url()));
    assert!(output.status.success(), "{}", said(&output));
}

#[test]
fn each_mistake_is_found_with_its_line() {
    let remote = Remote::new();
    let good = documented(&remote.url());
    let cases = [
        (good.replace("required = ", "requird = "), vec![":15", "requird", "required"]),
        (good.replace(r#"targets = ["internal-1"]"#, "targets = []"), vec![":23", "internal", "target"]),
        (good.replace(r#"name = "internal""#, r#"name = "staging""#), vec!["staging", "twice"]),
        (good.replace("APP_CI_TOKEN", "NOT_SET_ANYWHERE"), vec!["NOT_SET_ANYWHERE"]),
        (good.replace(&remote.url(), "file:///nowhere/at/all.git"), vec!["file:///nowhere/at/all.git"]),
    ];
    for (config, wanted) in cases {
        let output = check(&config);
        assert_eq!(output.status.code(), Some(1), "{wanted:?}: {}", said(&output));
        for text in wanted {
            assert!(said(&output).contains(text), "{text}: {}", said(&output));
        }
    }
}

#[test]
fn a_repository_without_its_stable_branch_is_found() {
    let remote = Remote::new();
    let config = documented(&remote.url()).replace("[repo.forge]", "stable = \"gone\"\n[repo.forge]");
    let output = check(&config);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("stable branch"), "{}", said(&output));
}
