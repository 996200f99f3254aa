//! A build that is stopped leaves nothing behind.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use cfgupdater_tests::{app_sha, binary};

fn is_empty(directory: &Path) -> bool {
    std::fs::read_dir(directory).unwrap().next().is_none()
}

#[test]
fn a_build_that_is_stopped_removes_its_layers() {
    let directory = tempfile::tempdir().unwrap();
    let (app, scratch) = (directory.path().join("app"), directory.path().join("scratch"));
    std::fs::create_dir(&app).unwrap();
    std::fs::create_dir(&scratch).unwrap();
    let images = "registry = \"r.example.com\"\nmax_size = 1099511627776\n[service.A]\nimage = \"a\"\nfiles = [{ from = \"sparse\", to = \"/sparse\" }]\n";
    std::fs::write(app.join("images.toml"), images).unwrap();
    // It would take hours to read all of it.
    std::fs::File::create(app.join("sparse")).unwrap().set_len(900 << 30).unwrap();
    let mut build = Command::new(binary())
        .args(["image", "build", "--no-push", "--cache", "off", "--cache-dir"])
        .arg(directory.path().join("cache"))
        .current_dir(&app)
        .env("TMPDIR", &scratch)
        .env("FORCE_CI_GIT_SHA", app_sha(1))
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A layer is being made once there is a file in the build's directory.
    let start = Instant::now();
    let is_making = || std::fs::read_dir(&scratch).unwrap().any(|entry| !is_empty(&entry.unwrap().path()));
    while !is_making() {
        assert!(start.elapsed() < Duration::from_mins(1) && build.try_wait().unwrap().is_none());
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(Command::new("kill").arg(build.id().to_string()).status().unwrap().success());
    let output = build.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("stopped by a signal"), "{said}");
    assert!(is_empty(&scratch), "nothing is left");
}
