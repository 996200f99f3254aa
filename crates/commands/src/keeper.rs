//! The process between the service and a command. It stays outside of what confines the command, all that the command starts
//! stays below it (`PR_SET_CHILD_SUBREAPER`), and it ends all of that with the command, on request, or with the service.

use std::io::{self, BufRead, Read};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Command, ExitCode, ExitStatus, Stdio};

use serde::{Deserialize, Serialize};

use crate::confine;
use crate::descendants;
use crate::reach::Reach;

/// What a shell says of a command that can't be started.
const NOT_STARTED: u8 = 127;

/// What the service asks of its keeper, on one line.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) command: Vec<String>,
    pub(crate) reach: Option<ReachOrder>,
}

/// The paths of a [`Reach`].
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ReachOrder {
    readable: Vec<PathBuf>,
    writable: Vec<PathBuf>,
    devices: Vec<PathBuf>,
}

impl From<Reach> for ReachOrder {
    fn from(Reach { readable, writable, devices }: Reach) -> Self {
        Self { readable, writable, devices }
    }
}

impl From<ReachOrder> for Reach {
    fn from(ReachOrder { readable, writable, devices }: ReachOrder) -> Self {
        Self { readable, writable, devices }
    }
}

/// Runs the command that [`run`](crate::run) asks for on standard input, and ends with all it started: once it has ended, or
/// once standard input is closed. Programs that run commands by a keeper call this when they are started as it, before they
/// start anything else.
pub fn keep() -> ExitCode {
    match keep_one() {
        Ok(status) => ExitCode::from(said(status)),
        Err(error) => {
            // The service reads it as the command's own words.
            let _ = io::Write::write_all(&mut io::stderr(), format!("{error}\n").as_bytes());
            ExitCode::from(NOT_STARTED)
        }
    }
}

fn keep_one() -> io::Result<ExitStatus> {
    descendants::adopt()?;
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    let order: Order = serde_json::from_str(&line)?;
    let (program, arguments) =
        order.command.split_first().ok_or_else(|| io::Error::other("no command is configured"))?;
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).process_group(0);
    let started = confine::start(command, order.reach.map(Reach::from));
    let mut child =
        started.map_err(|error| io::Error::other(format!("`{program}` can't be started: {error}")))?;
    std::thread::Builder::new().name("lifeline".to_owned()).spawn(end_with_the_service)?;
    let status = child.wait()?;
    descendants::end();
    Ok(status)
}

/// Waits until the service hangs up, as it does also when it is killed.
fn end_with_the_service() {
    let mut nothing = [0; 1];
    while matches!(io::stdin().lock().read(&mut nothing), Ok(count) if count > 0) {}
    descendants::end();
    std::process::exit(i32::from(NOT_STARTED));
}

/// Tells how a command ended as shells do.
fn said(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX)
}
