//! What `image build` holds in memory, however much it is given.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use cfgupdater_tests::{app_sha, binary};
use tempfile::TempDir;

/// The most that any build may hold.
const LIMIT_MB: u64 = 160;

/// Makes an application whose only image holds all of `src`; in memory where there is such a place.
fn app(files: impl FnOnce(&Path)) -> TempDir {
    let dir = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    std::fs::create_dir(dir.path().join("src")).unwrap();
    files(&dir.path().join("src"));
    let images = "registry = \"r.example.com\"\n[service.A]\nimage = \"a\"\nfiles = [{ from = \"src\", to = \"/src\" }]\n";
    std::fs::write(dir.path().join("images.toml"), images).unwrap();
    dir
}

/// Builds into a layout, and returns the most memory that was seen in use, in MB.
#[expect(clippy::print_stderr, reason = "the figure is of interest")]
fn peak(what: &str, app: &TempDir) -> u64 {
    let mut build = Command::new(binary())
        .args(["image", "build", "--no-push", "--cache", "off", "--oci-layout", "layout"])
        .current_dir(app.path())
        .env("FORCE_CI_GIT_SHA", app_sha(1))
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut peak = 0;
    let status = loop {
        // The kernel keeps the highest mark, so that nothing between two looks is missed but the very end.
        peak = peak.max(high_water(&build).unwrap_or_default());
        if let Some(status) = build.try_wait().unwrap() {
            break status;
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    assert!(status.success(), "{what}: {status}");
    eprintln!("{what}: {peak} MB");
    peak
}

fn high_water(process: &Child) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id())).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kibibytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes * 1024 / 1_000_000)
}

#[test]
fn large_and_many_files_are_built_in_bounded_memory() {
    let sparse = app(|src| std::fs::File::create(src.join("sparse")).unwrap().set_len(2 << 30).unwrap());
    let many = app(|src| {
        for directory in 0..100 {
            let directory = src.join(directory.to_string());
            std::fs::create_dir(&directory).unwrap();
            (0..1000).for_each(|file| std::fs::write(directory.join(file.to_string()), b"x").unwrap());
        }
    });
    let peaks = [peak("a sparse file of 2 GiB", &sparse), peak("100,000 files", &many)];
    assert!(peaks.iter().all(|peak| (1..LIMIT_MB).contains(peak)), "{peaks:?} MB");
}
