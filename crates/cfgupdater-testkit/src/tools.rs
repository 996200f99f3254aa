//! Whether the programs that a test runs are there.

use std::path::Path;
use std::process::{Command, Stdio};

/// Tells whether these programs can be run; a test that needs them ends early otherwise, and says so.
///
/// # Panics
/// Fails the test on Debian, where they could be installed: what is skipped there would never be noticed.
#[expect(clippy::print_stderr, reason = "a test that is skipped says why")]
pub fn can_run(programs: &[&str]) -> bool {
    let missing = |program: &&&str| {
        let mut version = Command::new(program);
        version.arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_err()
    };
    let Some(program) = programs.iter().find(missing) else { return true };
    let debian = Path::new("/usr/bin/apt-get").exists();
    assert!(!debian, "{program} is missing: `cargo xtask test` installs it");
    eprintln!("skipped: {program} is missing, and there is no Debian to install it from");
    false
}
