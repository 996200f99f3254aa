//! An image is the same whoever builds it.

use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use cfgupdater_tests::{app_sha, binary};
use serde_json::Value;

const NOBODY: u32 = 65_534;

/// Makes an application in a directory that belongs to a user.
fn app(directory: &Path, user: u32, mode: u32) {
    let images = "registry = \"r.example.com\"\n[service.A]\nimage = \"a\"\nfiles = [{ from = \"src\", to = \"/src\" }]\n";
    std::fs::create_dir_all(directory.join("src/bin")).unwrap();
    for (name, content) in [("images.toml", images), ("src/bin/a", "program\n"), ("src/b", "data\n")] {
        std::fs::write(directory.join(name), content).unwrap();
        std::fs::set_permissions(directory.join(name), std::fs::Permissions::from_mode(mode)).unwrap();
        chown(directory.join(name), Some(user), Some(user)).unwrap();
    }
    // The directory that cargo builds in may be closed to others.
    std::fs::copy(binary(), directory.join("cfgupdater")).unwrap();
    for name in ["", "src", "src/bin"] {
        chown(directory.join(name), Some(user), Some(user)).unwrap();
    }
}

/// Builds as a user with a umask, and returns what was told of the image.
fn built(directory: &Path, user: u32, umask: &str) -> Value {
    let mut build = Command::new("sh");
    build
        .args(["-c", "umask \"$0\" && exec \"$@\"", umask])
        .arg(directory.join("cfgupdater"))
        .args(["image", "build", "--no-push", "--cache", "off", "--json", "--oci-layout", "layout"])
        .current_dir(directory)
        .env_clear()
        .env("HOME", directory)
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("FORCE_CI_GIT_SHA", app_sha(1))
        .uid(user)
        .gid(user);
    let output = build.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(std::fs::metadata(directory.join("layout")).unwrap().uid(), user);
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn another_user_with_another_umask_builds_the_same_image() {
    if std::fs::metadata("/proc/self").unwrap().uid() != 0 {
        eprintln!("skipped: only root can become another user");
        return;
    }
    // Nobody else can read what is in the directory of a user.
    let directory = tempfile::tempdir().unwrap();
    std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let (roots, nobodys) = (directory.path().join("one"), directory.path().join("some/other/path"));
    app(&roots, 0, 0o644);
    app(&nobodys, NOBODY, 0o600);
    let (first, second) = (built(&roots, 0, "022"), built(&nobodys, NOBODY, "077"));
    assert!(first.to_string().contains("sha256:"), "{first}");
    assert_eq!(first, second);
}
