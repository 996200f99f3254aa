//! Runs a driver's program.

use std::process::Stdio;

use cfgupdater_core::{Error, ErrorKind};
use tokio::process::Command;

use super::driver::DockerfileDriver;

/// How many of the last lines that a failed program wrote are told.
const LINES: usize = 20;

/// Runs one command to its end.
pub(super) async fn run(driver: &DockerfileDriver, arguments: &[String]) -> Result<(), Error> {
    let mut command = Command::new(&driver.program);
    command.args(arguments).envs(driver.env.iter().map(|(name, value)| (name, value)));
    let output = command.stdin(Stdio::null()).kill_on_drop(true).output().await;
    let output = output.map_err(|cause| {
        let message = format!("{} can't be run; install it, or build without it", driver.program.display());
        Error::new(ErrorKind::Other, message).with_source(cause)
    })?;
    if output.status.success() {
        return Ok(());
    }
    // Docker tells of a failing step on standard output, and that it failed on standard error.
    let told = [tail(&output.stdout), tail(&output.stderr)].concat().join("\n");
    let message = format!("`{driver} {}` failed: {told}", arguments.join(" "));
    Err(Error::new(ErrorKind::Other, message))
}

fn tail(text: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(text);
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let plain = |line: &&str| line.chars().filter(|c| !c.is_control()).collect();
    lines[lines.len().saturating_sub(LINES)..].iter().map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_failure_tells_what_the_program_said() {
        let sh = DockerfileDriver::docker().with_program("sh").with_env("SAID", "no space");
        let words = ["-c", "echo $SAID; echo left >&2; exit 1"].map(str::to_owned);
        let error = run(&sh, &words).await.unwrap_err().to_string();
        assert!(error.ends_with("failed: no space\nleft"), "{error}");
        assert!(run(&sh, &["-c".to_owned(), "true".to_owned()]).await.is_ok());
    }

    #[tokio::test]
    async fn a_missing_program_is_named() {
        let none = DockerfileDriver::buildah().with_program("/nowhere/buildah");
        assert!(run(&none, &[]).await.unwrap_err().to_string().contains("/nowhere/buildah can't be run"));
    }
}
