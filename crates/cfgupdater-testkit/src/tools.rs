//! Whether the programs that a test runs are there.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Command, Stdio};

/// Tells whether these programs can be run; a test that needs them ends early otherwise, and says so.
///
/// # Panics
/// Fails the test for root on Debian, who can install them: what is skipped there would never be noticed.
#[expect(clippy::print_stderr, reason = "a test that is skipped says why")]
pub fn can_run(programs: &[&str]) -> bool {
    let missing = |program: &&&str| {
        let mut version = Command::new(program);
        version.arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_err()
    };
    let Some(program) = programs.iter().find(missing) else { return true };
    assert!(!can_install(), "{program} is missing: `cargo xtask test` installs it");
    eprintln!("skipped: {program} is missing; `cargo xtask test` installs it as root on Debian");
    false
}

/// Tells whether missing programs could be installed here: by root on Debian.
pub fn can_install() -> bool {
    let root = std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
    root && Path::new("/usr/bin/apt-get").exists()
}
