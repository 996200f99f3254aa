//! `image build` logs in by a credential helper, found in `PATH` as all tools find it.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use cfgupdater_testkit::{Demands, DockerRegistry};
use cfgupdater_tests::{app_sha, binary};

/// The login "me" with the password "canary", as `htpasswd -nbB` writes it.
const HTPASSWD: &str = "me:$2b$05$p6VcV8/ll40t88.iWcJViuw0OyeswILwlWUJ8DFGrorPnWjKIfJWW\n";

/// Builds and pushes an image, with a helper of this script.
fn build(directory: &Path, host: &str, script: &str) -> Output {
    let write = |name: &str, text: &str| std::fs::write(directory.join(name), text).unwrap();
    write(
        "images.toml",
        &format!(
            "registry = {host:?}\n[service.Web]\nimage = \"web\"\nfiles = [{{ from = \"web\", to = \"/web\" }}]\n"
        ),
    );
    write("web", "a binary");
    write("config.json", &format!(r#"{{"credHelpers":{{"{host}":"e2e"}}}}"#));
    write("docker-credential-e2e", &format!("#!/bin/sh\n{script}\n"));
    let executable = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(directory.join("docker-credential-e2e"), executable).unwrap();
    let path = format!("{}:{}", directory.display(), std::env::var("PATH").unwrap());
    Command::new(binary())
        .args(["image", "build"])
        .current_dir(directory)
        .env("PATH", path)
        .env("DOCKER_CONFIG", directory)
        .env_remove("REGISTRY_AUTH_FILE")
        .env("RUST_LOG", "trace")
        .env("FORCE_CI_GIT_SHA", app_sha(1))
        .env("FORCE_CI_BRANCH_NAME", "main")
        .output()
        .unwrap()
}

#[test]
fn a_credential_helper_opens_a_registry_and_shows_nobody_what_it_keeps() {
    let directory = tempfile::tempdir().unwrap();
    let htpasswd = directory.path().join("htpasswd");
    std::fs::write(&htpasswd, HTPASSWD).unwrap();
    let Some(registry) = DockerRegistry::demanding(&Demands::default().htpasswd(htpasswd)) else { return };
    let build = |script: &str| {
        let output = build(directory.path(), registry.host(), script);
        let said = [&output.stdout[..], &output.stderr[..]].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        assert!(!said.contains("canary") && !said.contains("bWU6Y2FuYXJ5"), "{said}");
        (output.status.code(), said)
    };
    let protocol = "[ \"$1\" = get ] && read host; echo \"$host\" > asked; echo '{\"Username\":\"me\",\"Secret\":\"canary\"}'";
    let (code, said) = build(protocol);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(std::fs::read_to_string(directory.path().join("asked")).unwrap().trim(), registry.host());
    let (code, said) = build("echo canary; echo canary >&2; exit 1");
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("docker-credential-e2e, which failed"), "{said}");
    let (code, said) = build("echo 'credentials not found in native keychain'; exit 1");
    assert!(code == Some(1) && said.contains("401 Unauthorized"), "{said}");
}
