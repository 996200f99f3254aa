//! git, without the configuration of whoever runs the benchmark.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::Result;

/// Makes a command see nothing of its surroundings but `PATH` and where temporary files go.
pub fn isolate(command: &mut Command) -> &mut Command {
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("TMPDIR", std::env::temp_dir())
        .env("HOME", "/nonexistent")
        .env("LC_ALL", "C")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .envs([("GIT_AUTHOR_NAME", "bench"), ("GIT_AUTHOR_EMAIL", "bench@example.com")])
        .envs([("GIT_COMMITTER_NAME", "bench"), ("GIT_COMMITTER_EMAIL", "bench@example.com")])
        .stdin(Stdio::null())
}

/// Runs git and returns what it printed.
///
/// # Errors
/// Fails where git does, with what it said.
pub fn git(directory: &Path, arguments: &[&str]) -> Result<String> {
    let output = isolate(Command::new("git").args(arguments).current_dir(directory)).output()?;
    if !output.status.success() {
        return Err(format!("git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
}
