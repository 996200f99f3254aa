//! `examples/gitlab` says what works: its program is run, its files are read and what they say is done.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use cfgupdater_tests::{
    Options, Remote, Server, Service, app_sha, binary, check_config, eventually, images, serve,
};
use cfgupdater_tests_gitlab::{FakeGitlab, TOKEN};
use saphyr::{LoadableYamlNode, Yaml};

fn example(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("examples/gitlab").join(path)
}

fn text(path: &str) -> String {
    std::fs::read_to_string(example(path)).unwrap()
}

/// Lists the texts of a list in YAML, found by its keys.
fn list(yaml: &Yaml<'_>, keys: &[&str]) -> Vec<String> {
    let found = keys.iter().fold(yaml, |yaml, key| &yaml[*key]);
    found.as_vec().unwrap().iter().map(|item| item.as_str().unwrap().to_owned()).collect()
}

/// The example's program; killed when dropped.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Builds the example's program beside the service.
fn built() -> PathBuf {
    let service = binary();
    let mut build = Command::new(env!("CARGO"));
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            build.env_remove(&*name);
        }
    }
    let build = build
        .args(["build", "--quiet", "--locked", "--workspace", "--bin", "gitlab"])
        .args(if cfg!(debug_assertions) { &[][..] } else { &["--release"] })
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()
        .unwrap();
    assert!(build.success());
    service.with_file_name("gitlab")
}

#[test]
fn the_program_lands_an_announcement() {
    let (gitlab, remote, place) = (FakeGitlab::start(), Remote::new(), tempfile::tempdir().unwrap());
    let root = place.path().join("git");
    serve(&remote, &root, "#!/bin/sh\n");
    gitlab.world().git_root = Some(root);
    let (token, secret) = (place.path().join("token"), place.path().join("webhook"));
    std::fs::write(&token, TOKEN).unwrap();
    std::fs::write(&secret, "canary-of-the-webhook").unwrap();
    let mut child = Command::new(built())
        .env("REPOSITORY_URL", gitlab.git_url())
        .env("API_URL", gitlab.api_url())
        .env("TOKEN_FILE", &token)
        .env("WEBHOOK_SECRET_FILE", &secret)
        .env("DATA_DIR", place.path().join("data"))
        .env("LISTEN", "127.0.0.1:0")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let _program = Program(child);
    let base = lines.find_map(|line| line.strip_prefix("listening on ").map(str::to_owned)).unwrap();
    let service = Server::new(&base, "");
    let path = format!("/v1/repos/cfg-app/images?app_sha={}", app_sha(1));
    assert_eq!(service.post(&path, &images(&["Service1"], 1)).ok()["outcome"], "committed");
    let sha = remote.auto();
    gitlab.world().run(&sha, "auto", "success");
    let hook = r#"{"object_kind":"pipeline","object_attributes":{"ref":"auto","source":"push"},
        "project":{"path_with_namespace":"acme/cfg"}}"#;
    let headers = [("X-Gitlab-Token", "canary-of-the-webhook"), ("Content-Type", "application/json")];
    assert_eq!(
        service.post_with_headers("/v1/repos/cfg-app/hooks/forge", hook.as_bytes(), &headers).status,
        202
    );
    eventually("the announcement to land", || (remote.master() == sha).then_some(()));
}

/// Runs what the application's job runs after its images are built, as a shell of GitLab's runner does.
#[test]
fn the_applications_job_announces_once_however_often_it_runs() {
    let file = text("ci/app.gitlab-ci.yml");
    let yaml = &Yaml::load_from_str(&file).unwrap()[0];
    assert!(yaml["announce"]["image"].as_str().is_some(), "a job without an image runs in whatever there is");
    let script = list(yaml, &["announce", "script"]);
    assert_eq!(script[0], "make images");
    let remote = Remote::new();
    let service = Service::with(&remote, &Options { alone: true, ..Options::default() });
    let place = tempfile::tempdir().unwrap();
    std::fs::write(place.path().join("images.json"), images(&["Service1"], 1).to_string()).unwrap();
    let run = || {
        let mut shell = Command::new("sh")
            .arg("-e")
            .current_dir(place.path())
            .env("CI_COMMIT_SHA", app_sha(1))
            .env("CI_PIPELINE_IID", "7")
            .env("CFGUPDATER_SERVER", service.server().base())
            .env("CFGUPDATER_TOKEN", "token-announce")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        shell.stdin.take().unwrap().write_all(script[1..].join("\n").as_bytes()).unwrap();
        let output = shell.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()
    };
    let told = run();
    assert_eq!(told["outcome"], "committed", "{told}");
    assert_eq!(remote.trailer(&remote.auto(), "Autocommit-App-SHA"), app_sha(1));
    let again = run();
    assert_eq!((&again["outcome"], &again["intent"]), (&"duplicate".into(), &told["intent"]));
}

#[test]
fn the_configurations_pipeline_runs_where_commits_are_tested() {
    let file = text("ci/config.gitlab-ci.yml");
    let yaml = &Yaml::load_from_str(&file).unwrap()[0];
    assert_eq!(yaml["workflow"]["auto_cancel"]["on_new_commit"].as_str(), Some("none"));
    let rules = yaml["workflow"]["rules"].as_vec().unwrap();
    let rules: String = rules.iter().map(|rule| rule["if"].as_str().unwrap()).collect();
    for branch in ["auto", "cfgupdater/probe"] {
        assert!(rules.contains(&format!("$CI_COMMIT_BRANCH == \"{branch}\"")), "{rules}");
    }
    assert!(!rules.contains("cfgupdater/state"), "state has nothing to test");
    assert!(yaml["ci"]["image"].as_str().is_some());
    assert!(list(yaml, &["ci", "script"]).contains(&"make check".to_owned()));
}

#[test]
fn the_configuration_is_right() {
    let config = text("cfgupdater.toml").replace("https://gitlab.com/CHANGE-ME/", "file:///nonexistent/");
    let config =
        config.replace("kind = \"gitlab\"", "kind = \"gitlab\"\napi_url = \"http://127.0.0.1:1/api/v4\"");
    let config = config.replace("[repo.forge]", "[repo.forge]\nproject = \"acme/cfg-app\"");
    let said = check_config(&config);
    // The remote, the secrets and GitLab aren't there; the file itself is right.
    assert!(!said.contains("cfgupdater.toml:"), "{said}");
    assert!(said.contains("/nonexistent/cfg-app.git"), "{said}");
}
