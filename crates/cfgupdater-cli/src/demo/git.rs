//! Runs git the way a person does, with an identity and without anybody's settings.

use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;

use crate::exit::Failure;

/// Runs git and returns what it printed.
pub(super) async fn git(directory: &Path, arguments: &[&str]) -> Result<String, Failure> {
    let output = Command::new("git")
        .args(arguments)
        .current_dir(directory)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .envs([("GIT_AUTHOR_NAME", "Pat"), ("GIT_AUTHOR_EMAIL", "pat@example.com")])
        .envs([("GIT_COMMITTER_NAME", "Pat"), ("GIT_COMMITTER_EMAIL", "pat@example.com")])
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|error| Failure::failed(format!("git can't be run: {error}; install git 2.41 or newer")))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(Failure::failed(format!("git {} failed: {}", arguments.join(" "), said.trim())))
}
