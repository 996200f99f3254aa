//! Runs one command: alone in its directory, with nothing of ours in its environment, and ended with all it started.

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process_group, prlimit};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, Command};

use crate::keeper::Order;
use crate::reach::Reach;
use crate::tail::Tail;
use crate::{confine, disk, leftovers};

/// How long output is waited for after the command itself has ended: its children may hold the pipe open.
const LINGER: Duration = Duration::from_millis(200);

/// How long a keeper may take to end what it keeps.
const KEEPER: Duration = Duration::from_secs(15);

/// A command with what it may do.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Job {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// Where it runs.
    pub directory: PathBuf,
    /// What `HOME` is; the directory unless it is set.
    pub home: PathBuf,
    /// Variables besides `PATH`, `HOME`, `LC_ALL` and `CI`.
    pub environment: Vec<(String, String)>,
    /// How long it may take.
    pub time: Duration,
    /// How much it may print, in bytes; any amount where absent. Only the end of it is kept.
    pub output: Option<u64>,
    /// How much its directories may take on disk, in bytes; any amount where absent.
    pub disk: Option<u64>,
    /// The directories it may write to, where the kernel can see to that. Where there are any, it can read nothing but these,
    /// `readable`, and where programs and their libraries are; and it reaches no other process.
    pub writable: Vec<PathBuf>,
    /// What it may read besides.
    pub readable: Vec<PathBuf>,
    /// The command that runs [`keep`](crate::keep). With one, whatever the command starts ends with it, and all of it with this
    /// process; without one, what leaves its process group and empties its environment may stay behind.
    pub keeper: Vec<String>,
}

impl Job {
    /// Builds a job that may take some time and is not limited otherwise.
    pub fn new(command: &[String], directory: &Path, time: Duration) -> Self {
        Self {
            command: command.to_vec(),
            directory: directory.to_owned(),
            home: directory.to_owned(),
            environment: Vec::new(),
            time,
            output: None,
            disk: None,
            writable: Vec::new(),
            readable: Vec::new(),
            keeper: Vec::new(),
        }
    }

    /// Adds a variable.
    #[must_use]
    pub fn with_variable(mut self, name: &str, value: impl Into<String>) -> Self {
        self.environment.push((name.to_owned(), value.into()));
        self
    }
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// With status 0.
    Passed {
        /// The end of its output.
        output: String,
    },
    /// With another status or by a signal.
    Failed {
        /// The end of its output.
        output: String,
        /// Its status.
        how: String,
        /// Its exit status, where no signal ended it.
        code: Option<i32>,
    },
    /// It was ended since it reached a limit.
    Stopped {
        /// The end of its output.
        output: String,
        /// The limit.
        how: String,
    },
    /// It could not be started.
    NotStarted {
        /// Why.
        why: String,
    },
}

/// Why a command was ended.
enum Over {
    Time,
    Output,
    Disk,
    GivenUp,
}

/// Runs a command to its end.
pub async fn run(job: &Job) -> Ended {
    run_until(job, std::future::pending()).await
}

/// Runs a command to its end, or until it is given up: then it is [`Ended::Stopped`], and as with every other end nothing that it
/// started is there any more. Dropping what this returns would kill it too, but tell nobody when that is done.
pub async fn run_until(job: &Job, given_up: impl Future<Output = ()>) -> Ended {
    let started = if job.keeper.is_empty() { &job.command } else { &job.keeper };
    let Some((program, arguments)) = started.split_first() else {
        return Ended::NotStarted { why: "no command is configured".to_owned() };
    };
    let mark = format!("{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..));
    let mut prepared = Command::new(program);
    prepared
        .args(arguments)
        .current_dir(&job.directory)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", &job.home)
        .env("LC_ALL", "C.UTF-8")
        .env("CI", "true")
        .envs(job.environment.iter().map(|(name, value)| (name, value)))
        .env(leftovers::MARK, &mark)
        .stdin(if job.keeper.is_empty() { Stdio::null() } else { Stdio::piped() })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true);
    // A keeper confines the command itself, and stays out of its reach.
    let reach = Reach::of(job).filter(|_| job.keeper.is_empty());
    match confine::spawn(prepared, reach).await {
        Ok(child) => wait(child, job, mark, given_up).await,
        Err(error) => Ended::NotStarted { why: format!("`{program}` can't be started: {error}") },
    }
}

async fn wait(mut child: Child, job: &Job, mark: String, given_up: impl Future<Output = ()>) -> Ended {
    let family = Family::of(&child, mark);
    family.limit(job);
    let lifeline = order(&mut child, job).await;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let mut tail = Tail::default();
    let finished = tokio::select! {
        status = finish(&mut child, stdout, stderr, &mut tail, job.output) => status,
        () = tokio::time::sleep(job.time) => Err(Over::Time),
        () = too_big(job) => Err(Over::Disk),
        () = given_up => Err(Over::GivenUp),
    };
    // A keeper ends when it is hung up on, with all that is below it.
    drop(lifeline);
    if !job.keeper.is_empty() && tokio::time::timeout(KEEPER, child.wait()).await.is_err() {
        tracing::warn!("the keeper of a command does not end and is killed");
    }
    // Nothing that the command started stays behind, however it ended.
    let ended = tokio::task::spawn_blocking(move || drop(family)).await;
    if ended.is_err() {
        tracing::warn!("what a command left behind may not have been ended");
    }
    let output = tail.into_text();
    match finished {
        Ok(Ok(status)) if status.success() => Ended::Passed { output },
        Ok(Ok(status)) => Ended::Failed { output, how: status.to_string(), code: status.code() },
        Ok(Err(error)) => Ended::NotStarted { why: format!("its end could not be waited for: {error}") },
        Err(over) => {
            // It was killed, so this is short.
            let _ = child.wait().await;
            Ended::Stopped { output, how: said(&over, job) }
        }
    }
}

/// Tells the keeper what to run; whoever holds what is returned keeps it running.
async fn order(child: &mut Child, job: &Job) -> Option<ChildStdin> {
    let mut lifeline = child.stdin.take()?;
    let order = Order { command: job.command.clone(), reach: Reach::of(job).map(Into::into) };
    let mut line = serde_json::to_vec(&order).unwrap_or_default();
    line.push(b'\n');
    // One that is gone is noticed when it is waited for.
    let _ = lifeline.write_all(&line).await;
    Some(lifeline)
}

fn said(over: &Over, job: &Job) -> String {
    match over {
        Over::Time => format!("it took longer than {} s", job.time.as_secs()),
        Over::Output => format!("it printed more than {} bytes", job.output.unwrap_or_default()),
        Over::Disk => format!("its files took more than {} bytes", job.disk.unwrap_or_default()),
        Over::GivenUp => "nobody waits for it any more".to_owned(),
    }
}

/// Waits until the disk limit is reached; for ever where there is none.
async fn too_big(job: &Job) {
    match job.disk {
        Some(limit) => {
            let mut directories = vec![job.directory.clone()];
            directories.extend(job.writable.iter().filter(|path| !path.starts_with(&job.directory)).cloned());
            directories.dedup();
            disk::exceeded(&directories, limit).await;
        }
        None => std::future::pending().await,
    }
}

async fn finish(
    child: &mut Child,
    stdout: Option<impl AsyncRead + Unpin>,
    stderr: Option<impl AsyncRead + Unpin>,
    tail: &mut Tail,
    limit: Option<u64>,
) -> Result<std::io::Result<ExitStatus>, Over> {
    let read = read_both(stdout, stderr, tail, limit.unwrap_or(u64::MAX));
    tokio::pin!(read);
    let status = tokio::select! {
        status = child.wait() => status,
        whole = &mut read => return if whole { Ok(child.wait().await) } else { Err(Over::Output) },
    };
    // Whatever outlives the command may hold its output open for ever.
    match tokio::time::timeout(LINGER, &mut read).await {
        Ok(false) => Err(Over::Output),
        _ => Ok(status),
    }
}

/// A process group and what left it; killed when dropped.
struct Family {
    group: Option<Pid>,
    mark: String,
}

impl Family {
    fn of(child: &Child, mark: String) -> Self {
        Self { group: child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw), mark }
    }

    /// Keeps single files from growing beyond the disk limit before anybody looks, and core files from being written.
    fn limit(&self, job: &Job) {
        let set = |resource, bytes| {
            let limit = Rlimit { current: Some(bytes), maximum: Some(bytes) };
            // It may have ended already.
            let _ = prlimit(self.group, resource, limit);
        };
        set(Resource::Core, 0);
        if let Some(bytes) = job.disk {
            set(Resource::Fsize, bytes);
        }
    }
}

impl Drop for Family {
    fn drop(&mut self) {
        if let Some(group) = self.group {
            // It fails where nobody of the group is left.
            let _ = kill_process_group(group, Signal::KILL);
        }
        leftovers::end(&self.mark);
    }
}

/// Reads both outputs to their end, or until they are longer than `limit` together, which is false.
async fn read_both(
    stdout: Option<impl AsyncRead + Unpin>,
    stderr: Option<impl AsyncRead + Unpin>,
    tail: &mut Tail,
    limit: u64,
) -> bool {
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
        if tail.all() > limit {
            return false;
        }
    }
    true
}

async fn read_some(pipe: &mut Option<impl AsyncRead + Unpin>, buffer: &mut [u8]) -> usize {
    match pipe {
        // A pipe that breaks has ended.
        Some(pipe) => pipe.read(buffer).await.unwrap_or(0),
        None => 0,
    }
}

#[cfg(test)]
mod tests;
