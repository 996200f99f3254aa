//! `cargo xtask bench NAME`: figures beside a named rival, in one run.

use std::process::ExitCode;

use crate::run::{cargo, succeeds};

/// The benchmarks that exist.
const NAMES: [&str; 4] = ["idle", "images", "introduce", "render"];

/// Builds and runs one benchmark in release mode.
pub(crate) fn bench(name: &str, arguments: &[&str]) -> ExitCode {
    if !NAMES.contains(&name) {
        eprintln!("there is no benchmark `{name}`; there are: {}", NAMES.join(", "));
        return ExitCode::from(2);
    }
    let mut run = cargo(&[
        "run",
        "--quiet",
        "--release",
        "--locked",
        "--package",
        "cfgupdater-benches",
        "--bin",
        name,
        "--",
    ]);
    if succeeds(run.args(arguments)) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
