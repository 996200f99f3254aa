//! Runs one process with all it starts, and ends them all: in time, or when nobody waits any more.

use std::io;
use std::process::ExitStatus;
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// Time to remove lock files after being asked to end.
const GRACE: Duration = Duration::from_millis(500);

const POLL: Duration = Duration::from_millis(5);

/// More output than this is read and thrown away.
const OUTPUT_LIMIT: usize = 4 << 20;

/// How a process ended by itself, and what it wrote.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs a process that leads its own group. `None` says that it was ended, or not begun, because `limit` passed; no
/// process of the group is left then.
pub(crate) async fn run(mut command: Command, limit: Duration) -> io::Result<Option<Output>> {
    if limit.is_zero() {
        return Ok(None);
    }
    let mut group = Group::new(command.spawn()?)?;
    if let Ok(output) = timeout(limit, group.finish()).await {
        return output.map(Some);
    }
    group.stop().await;
    Ok(None)
}

/// A child that leads a process group. Its number is not reused while the child isn't waited for, so signals are
/// only ever sent before that.
struct Group {
    child: Option<Child>,
    leader: Pid,
    asked_to_end: bool,
}

impl Group {
    fn new(child: Child) -> io::Result<Self> {
        let id = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        let leader = id.ok_or_else(|| io::Error::other("the process has no id"))?;
        Ok(Self { child: Some(child), leader, asked_to_end: false })
    }

    /// Reads all output, then waits for the end.
    async fn finish(&mut self) -> io::Result<Output> {
        let child =
            self.child.as_mut().ok_or_else(|| io::Error::other("the process was waited for already"))?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let (stdout, stderr) = tokio::try_join!(read(stdout), read(stderr))?;
        let status = child.wait().await?;
        self.child = None;
        Ok(Output { status, stdout, stderr })
    }

    fn signal(&self, signal: Signal) {
        if self.child.is_some() {
            // It fails only where no process of the group is left, which is what is wanted.
            let _ = kill_process_group(self.leader, signal);
        }
    }

    /// Asks the group to end, and makes it end.
    async fn stop(&mut self) {
        self.asked_to_end = true;
        self.signal(Signal::TERM);
        let _ = timeout(GRACE, self.leader_ended()).await;
        self.signal(Signal::KILL);
        if let Some(mut child) = self.child.take() {
            let _ = child.wait().await;
        }
    }

    /// Waits for the leader to end, within the grace time, without taking its exit status.
    async fn leader_ended(&self) {
        let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        while let Ok(None) = waitid(WaitId::Pid(self.leader), look) {
            tokio::time::sleep(POLL).await;
        }
    }
}

impl Drop for Group {
    /// Asks the group to end at once and sees to it in the background.
    fn drop(&mut self) {
        if self.child.is_none() {
            return;
        }
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) if !self.asked_to_end => {
                self.signal(Signal::TERM);
                let mut rest = Self { child: self.child.take(), leader: self.leader, asked_to_end: true };
                runtime.spawn(async move { rest.stop().await });
            }
            _ => self.signal(Signal::KILL),
        }
    }
}

async fn read(pipe: Option<impl AsyncRead + Unpin>) -> io::Result<String> {
    let Some(mut pipe) = pipe else { return Ok(String::new()) };
    let mut kept = Vec::new();
    let mut chunk = vec![0; 8192];
    loop {
        let count = pipe.read(&mut chunk).await?;
        if count == 0 {
            return Ok(String::from_utf8_lossy(&kept).into_owned());
        }
        let room = OUTPUT_LIMIT.saturating_sub(kept.len());
        kept.extend_from_slice(&chunk[..count.min(room)]);
    }
}
