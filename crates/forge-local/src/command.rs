//! Runs one check command: alone in its directory, with nothing of ours in its environment, and ended with all it
//! started.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use cfgupdater_core::CommitId;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};

/// How much of the end of the output is kept, in bytes.
const TAIL: usize = 16 * 1024;

/// How long output is waited for after the command itself has ended: its children may hold the pipe open.
const LINGER: Duration = Duration::from_millis(200);

/// How a command ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// With status 0.
    Passed { output: String },
    /// With another status, by a signal, or because its time was over.
    Failed { output: String, how: String },
    /// It could not be started.
    NotStarted { why: String },
}

/// Runs a command to its end.
pub(crate) async fn run(command: &[String], directory: &Path, commit: &CommitId, limit: Duration) -> Ended {
    let Some((program, arguments)) = command.split_first() else {
        return Ended::NotStarted { why: "no command is configured".to_owned() };
    };
    let mut prepared = Command::new(program);
    prepared
        .args(arguments)
        .current_dir(directory)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", directory)
        .env("LC_ALL", "C.UTF-8")
        .env("CI", "true")
        .env("CFGUPDATER_COMMIT", commit.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true);
    match prepared.spawn() {
        Ok(child) => wait(child, limit).await,
        Err(error) => Ended::NotStarted { why: format!("`{program}` can't be started: {error}") },
    }
}

async fn wait(mut child: Child, limit: Duration) -> Ended {
    let group = Group::of(&child);
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let mut tail = Tail::default();
    let finished = {
        let read = read_both(stdout, stderr, &mut tail);
        tokio::pin!(read);
        tokio::time::timeout(limit, async {
            let status = tokio::select! {
                status = child.wait() => status,
                () = &mut read => return child.wait().await,
            };
            // Whatever outlives the command may hold its output open for ever.
            let _ = tokio::time::timeout(LINGER, &mut read).await;
            status
        })
        .await
    };
    // Nothing that the command started stays behind, however it ended.
    drop(group);
    let output = tail.into_text();
    match finished {
        Ok(Ok(status)) if status.success() => Ended::Passed { output },
        Ok(Ok(status)) => Ended::Failed { output, how: status.to_string() },
        Ok(Err(error)) => Ended::NotStarted { why: format!("its end could not be waited for: {error}") },
        Err(_) => {
            // The group was killed, so this is short.
            let _ = child.wait().await;
            Ended::Failed { output, how: format!("it took longer than {} s", limit.as_secs()) }
        }
    }
}

/// A process group; killed when dropped.
struct Group(Option<Pid>);

impl Group {
    fn of(child: &Child) -> Self {
        Self(child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // It fails where nobody of the group is left.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

/// The end of an output, bounded.
#[derive(Default)]
struct Tail {
    bytes: Vec<u8>,
    cut: bool,
}

impl Tail {
    fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        if self.bytes.len() > 2 * TAIL {
            self.bytes.drain(..self.bytes.len() - TAIL);
            self.cut = true;
        }
    }

    fn into_text(mut self) -> String {
        if self.bytes.len() > TAIL {
            self.bytes.drain(..self.bytes.len() - TAIL);
            self.cut = true;
        }
        let text = String::from_utf8_lossy(&self.bytes).into_owned();
        if self.cut { format!("… (only the end is kept)\n{text}") } else { text }
    }
}

async fn read_both(
    stdout: Option<impl AsyncRead + Unpin>,
    stderr: Option<impl AsyncRead + Unpin>,
    tail: &mut Tail,
) {
    let (mut stdout, mut stderr) = (stdout, stderr);
    let (mut one, mut other) = (vec![0; 8192], vec![0; 8192]);
    while stdout.is_some() || stderr.is_some() {
        tokio::select! {
            read = read_some(&mut stdout, &mut one), if stdout.is_some() => match read {
                0 => stdout = None,
                count => tail.push(&one[..count]),
            },
            read = read_some(&mut stderr, &mut other), if stderr.is_some() => match read {
                0 => stderr = None,
                count => tail.push(&other[..count]),
            },
        }
    }
}

async fn read_some(pipe: &mut Option<impl AsyncRead + Unpin>, buffer: &mut [u8]) -> usize {
    match pipe {
        // A pipe that breaks has ended.
        Some(pipe) => pipe.read(buffer).await.unwrap_or(0),
        None => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn sh(script: &str, limit: Duration) -> Ended {
        let directory = tempfile::tempdir().unwrap();
        let command: Vec<String> = ["sh", "-c", script].map(str::to_owned).into();
        run(&command, directory.path(), &"ab".repeat(20).parse().unwrap(), limit).await
    }

    const LONG: Duration = Duration::from_mins(1);

    #[tokio::test]
    async fn the_status_decides_and_both_outputs_are_kept() {
        assert_eq!(sh("echo fine", LONG).await, Ended::Passed { output: "fine\n".to_owned() });
        let Ended::Failed { output, how } = sh("echo no >&2; exit 3", LONG).await else { panic!() };
        assert!(output == "no\n" && how.contains('3'), "{output} {how}");
    }

    #[tokio::test]
    async fn a_program_that_is_not_there_says_nothing_of_the_commit() {
        let directory = tempfile::tempdir().unwrap();
        let command = ["/nowhere/at/all".to_owned()];
        let ended = run(&command, directory.path(), &"ab".repeat(20).parse().unwrap(), LONG).await;
        assert!(matches!(ended, Ended::NotStarted { .. }), "{ended:?}");
    }

    #[tokio::test]
    async fn a_command_that_takes_too_long_ends_with_all_its_children() {
        let directory = tempfile::tempdir().unwrap();
        let fifo = directory.path().join("fifo");
        assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
        // The grandchild holds the fifo open for writing; its reader ends when the last writer has.
        let script = format!("(sleep 600 > {0}) & wait", fifo.display());
        let reader = tokio::task::spawn_blocking(move || std::fs::read(fifo).unwrap());
        let Ended::Failed { how, .. } = sh(&script, Duration::from_secs(1)).await else { panic!() };
        assert!(how.contains("longer than 1 s"), "{how}");
        assert_eq!(reader.await.unwrap(), b"");
    }

    #[tokio::test]
    async fn endless_output_is_read_in_bounded_memory() {
        let Ended::Passed { output } = sh("head -c 200000000 /dev/zero | tr '\\0' x; echo end", LONG).await
        else {
            panic!()
        };
        assert!(output.len() < 2 * TAIL && output.ends_with("xend\n"));
    }

    #[tokio::test]
    async fn the_environment_holds_nothing_of_the_service() {
        let Ended::Passed { output } = sh("env", LONG).await else { panic!() };
        let mut names: Vec<&str> = output.lines().filter_map(|line| Some(line.split_once('=')?.0)).collect();
        names.retain(|name| !matches!(*name, "PWD" | "OLDPWD" | "SHLVL" | "_"));
        names.sort_unstable();
        assert_eq!(names, ["CFGUPDATER_COMMIT", "CI", "HOME", "LC_ALL", "PATH"]);
    }
}
