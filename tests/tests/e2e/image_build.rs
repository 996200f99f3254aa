//! From built binaries to an announcement, by commands alone.

use std::path::Path;
use std::process::{Command, Output};

use cfgupdater_testkit::DockerRegistry;
use cfgupdater_tests::{Remote, Service, app_sha, binary};
use serde_json::Value;

const IMAGES: &str = r#"
registry = "registry.example.com/team"
[bins]
directory = "out"
files = ["web", "worker"]
[service.Web]
image = "app-cd-web"
bins = ["web"]
entrypoint = ["/web"]
[service.Worker]
image = "app-cd-worker"
bins = ["worker"]
"#;

/// Writes an application whose binaries are built.
fn app(directory: &Path) {
    std::fs::create_dir(directory.join("out")).unwrap();
    std::fs::write(directory.join("images.toml"), IMAGES).unwrap();
    for name in ["web", "worker"] {
        std::fs::write(directory.join("out").join(name), name).unwrap();
    }
}

/// Builds the images of build `n`, without a registry.
fn build(directory: &Path, n: u32, more: &[&str]) -> Output {
    Command::new(binary())
        .args(["image", "build", "--no-push", "--cache", "off"])
        .args(more)
        .current_dir(directory)
        .env("FORCE_CI_GIT_SHA", app_sha(n))
        .env("FORCE_CI_BRANCH_NAME", "main")
        .env_remove("SOURCE_DATE_EPOCH")
        .output()
        .unwrap()
}

fn references(file: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
}

#[test]
fn what_is_built_can_be_announced_as_it_is() {
    let app_directory = tempfile::tempdir().unwrap();
    app(app_directory.path());
    let file = app_directory.path().join("images.json");
    let built = build(app_directory.path(), 1, &["--images", "images.json", "--artefacts", "services"]);
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let tag = format!("registry.example.com/team/app-cd-web:{}", app_sha(1));
    assert_eq!(references(&file)["Web"]["Tag"], tag);
    let one = references(&app_directory.path().join("services/Worker.json"));
    assert_eq!(one["Worker"], references(&file)["Worker"]);

    let remote = Remote::new();
    let service = Service::start(&remote);
    let told = Command::new(binary())
        .args(["announce", file.to_str().unwrap(), "--app-sha", &app_sha(1), "--json"])
        .args(["--server", service.server().base(), "--repo", "cfg-app"])
        .env("CFGUPDATER_TOKEN", "token-announce")
        .output()
        .unwrap();
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    let told: Value = serde_json::from_slice(&told.stdout).unwrap();
    assert_eq!(told["outcome"], "committed");
}

#[test]
fn another_commit_has_other_tags_and_the_same_digests() {
    let app_directory = tempfile::tempdir().unwrap();
    app(app_directory.path());
    let digest = |n: u32| {
        let built = build(app_directory.path(), n, &["--json"]);
        let told: Value = serde_json::from_slice(&built.stdout).unwrap();
        (told["images"][0]["digest"].clone(), told["images"][0]["tag"].clone())
    };
    let ((one, tag), (other, other_tag)) = (digest(1), digest(2));
    assert_eq!(one, other);
    assert_ne!(tag, other_tag);
}

#[test]
fn a_mistake_in_the_images_file_is_a_usage_error_with_its_line() {
    let app_directory = tempfile::tempdir().unwrap();
    app(app_directory.path());
    std::fs::write(app_directory.path().join("images.toml"), IMAGES.replace("entrypoint", "entypoint"))
        .unwrap();
    let built = build(app_directory.path(), 1, &[]);
    assert_eq!(built.status.code(), Some(2));
    let why = String::from_utf8_lossy(&built.stderr).into_owned();
    assert!(why.contains("images.toml") && why.contains("line 9") && why.contains("entypoint"), "{why}");
}

/// Builds and pushes what is there now, and returns the progress and the table.
fn push(directory: &Path, host: &str, n: u32) -> (String, String) {
    let built = Command::new(binary())
        .args(["image", "build", "--registry", &format!("{host}/team"), "--cache-dir", "cache"])
        .current_dir(directory)
        .env("FORCE_CI_GIT_SHA", app_sha(n))
        .env("FORCE_CI_BRANCH_NAME", "main")
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(built.status.success(), "{}", text(&built.stderr));
    (text(&built.stderr), text(&built.stdout))
}

#[test]
fn people_see_what_changed_as_it_is_done_and_at_the_end() {
    let Some(registry) = DockerRegistry::start() else { return };
    let directory = tempfile::tempdir().unwrap();
    app(directory.path());
    // Progress comes in the order in which images are done.
    let check = |n: u32, web: &str, last: &str| {
        let (progress, table) = push(directory.path(), registry.host(), n);
        assert_eq!(progress.lines().count(), 2, "{progress}");
        assert!(progress.lines().any(|line| line.starts_with(&format!("Web: {web} "))), "{progress}");
        let rows: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!((rows[0][0], rows[0][1], rows[1][0]), ("Web", web, "Worker"), "{table}");
        assert!(rows[0][2].starts_with(&format!("{}/team/app-cd-web@sha256:", registry.host())), "{table}");
        assert!(table.lines().last().unwrap().starts_with(last), "{table}");
    };
    check(1, "new", "0 of 2 images kept their digest; ");
    check(2, "unchanged", "2 of 2 images kept their digest; 0 bytes sent");
    std::fs::write(directory.path().join("out/web"), "another web").unwrap();
    check(3, "changed", "1 of 2 images kept their digest; ");
}
