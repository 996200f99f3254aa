//! Ends what a command started and left behind in process groups of its own.

use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// The variable by which processes of a job are found again.
pub(crate) const MARK: &str = "CFGUPDATER_JOB";

/// How long it is looked for more: each look may find what was started during the one before.
const PATIENCE: Duration = Duration::from_secs(10);

/// Kills every process whose environment holds the mark. Works where there is a `/proc`; elsewhere only the process group
/// is ended.
pub(crate) fn end(mark: &str) {
    let wanted = format!("{MARK}={mark}");
    let start = Instant::now();
    loop {
        let mut found = false;
        for process in marked(&wanted) {
            // It fails for one that has ended meanwhile.
            found |= kill_process(process, Signal::KILL).is_ok();
        }
        if !found {
            return;
        }
        if start.elapsed() > PATIENCE {
            tracing::warn!(
                "a command starts processes faster than they can be ended; some of them may be left"
            );
            return;
        }
    }
}

fn marked(wanted: &str) -> Vec<Pid> {
    let Ok(processes) = std::fs::read_dir("/proc") else { return Vec::new() };
    let pid = |name: &str| name.parse::<i32>().ok().and_then(Pid::from_raw);
    let is_marked = |name: &str| {
        let environment = std::fs::read(format!("/proc/{name}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|variable| variable == wanted.as_bytes())
    };
    let names = processes.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    names.filter(|name| is_marked(name)).filter_map(|name| pid(&name)).collect()
}
