//! `cargo xtask mutants`: changes the rules one by one, and names each change that no unit test of the core notices.

use std::process::Command;

use crate::run::{root, succeeds};
use crate::tools;

/// Runs cargo-mutants on the files that `.cargo/mutants.toml` names; further arguments are handed to it.
pub(crate) fn mutants(arguments: &[&str]) -> Result<(), String> {
    let mut mutants = Command::new(tools::cargo_mutants()?);
    mutants.args(["mutants", "--package", "cfgupdater-core", "--jobs", "1", "--timeout", "60"]);
    mutants.args(["--no-shuffle", "--output", "target"]);
    // Files that are named are changed beside those of the configuration, unless it isn't read.
    if arguments.iter().any(|argument| argument.starts_with("--file") || argument.starts_with("-f")) {
        mutants.arg("--no-config");
    }
    mutants.args(["--cargo-arg", "--lib"]).args(arguments);
    // This test takes as long as all others together, and what it tests is not changed.
    mutants.args(["--", "--", "--skip", "any_value_of_real_files_is_replaced_alone"]);
    // What is built here is thrown away.
    mutants.env("CARGO_PROFILE_DEV_DEBUG", "0").env("CARGO_PROFILE_TEST_DEBUG", "0").current_dir(root());
    let missed =
        "changes were missed: kill them with unit tests, or say in docs/testing.md why they change nothing";
    succeeds(&mut mutants).then_some(()).ok_or_else(|| missed.to_owned())
}
