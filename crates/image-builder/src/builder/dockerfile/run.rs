//! Runs a driver's program.

use std::collections::VecDeque;
use std::process::Stdio;

use cfgupdater_core::{Error, ErrorKind};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::Command;

use super::driver::DockerfileDriver;

/// How many of the last lines that a failed program wrote are told.
const LINES: usize = 20;

/// Runs one command to its end. What it writes is passed on line by line.
pub(super) async fn run(driver: &DockerfileDriver, arguments: &[String]) -> Result<(), Error> {
    let mut command = Command::new(&driver.program);
    command.args(arguments).envs(driver.env.iter().map(|(name, value)| (name, value)));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let broken = |cause| {
        let message = format!("{} can't be run; install it, or build without it", driver.program.display());
        Error::new(ErrorKind::Other, message).with_source(cause)
    };
    let mut child = command.spawn().map_err(broken)?;
    let (output, errors) = (child.stdout.take(), child.stderr.take());
    let (output, errors, status) = tokio::join!(tail(driver, output), tail(driver, errors), child.wait());
    if status.map_err(broken)?.success() {
        return Ok(());
    }
    // Docker tells of a failing step on standard output, and that it failed on standard error.
    let told: Vec<String> = output.into_iter().chain(errors).collect();
    let message = format!("`{driver} {}` failed: {}", arguments.join(" "), told.join("\n"));
    Err(Error::new(ErrorKind::Other, message))
}

/// Reads to the end, and returns the last lines.
async fn tail(driver: &DockerfileDriver, stream: Option<impl AsyncRead + Unpin>) -> VecDeque<String> {
    let mut last = VecDeque::new();
    let Some(stream) = stream else { return last };
    let mut lines = BufReader::new(stream).split(b'\n');
    while let Ok(Some(line)) = lines.next_segment().await {
        let line: String = String::from_utf8_lossy(&line).chars().filter(|c| !c.is_control()).collect();
        if line.trim().is_empty() {
            continue;
        }
        if let Some(listener) = &driver.listener {
            listener(&line);
        }
        if last.len() == LINES {
            last.pop_front();
        }
        last.push_back(line);
    }
    last
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
    async fn what_a_program_writes_is_passed_on_and_its_end_kept() {
        let heard = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let listener = {
            let heard = std::sync::Arc::clone(&heard);
            move |line: &str| heard.lock().unwrap().push(line.to_owned())
        };
        let sh = DockerfileDriver::buildah().with_program("sh").with_listener(listener);
        let words = ["-c", "i=0; while [ $i -lt 30 ]; do echo line $i; i=$((i + 1)); done; exit 1"];
        let error = run(&sh, &words.map(str::to_owned)).await.unwrap_err().to_string();
        assert!(error.contains("failed: line 10\nline 11") && error.ends_with("line 29"), "{error}");
        assert_eq!(heard.lock().unwrap().len(), 30);
    }

    #[tokio::test]
    async fn a_missing_program_is_named() {
        let none = DockerfileDriver::buildah().with_program("/nowhere/buildah");
        assert!(run(&none, &[]).await.unwrap_err().to_string().contains("/nowhere/buildah can't be run"));
    }
}
