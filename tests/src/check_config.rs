//! What `cfgupdater check-config` says of a configuration.

use std::process::Command;

use crate::binary;

/// Has the real binary look at a configuration, as `cfgupdater.toml` in a directory of its own, and returns all it said.
///
/// # Panics
/// Fails where the binary can't be run.
pub fn check_config(config: &str) -> String {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("cfgupdater.toml");
    std::fs::write(&file, config).expect("a configuration");
    let output = Command::new(binary()).args(["check-config", "--config"]).arg(&file).output();
    let output = output.expect("the binary runs");
    [output.stdout, output.stderr].iter().map(|said| String::from_utf8_lossy(said)).collect()
}
