//! A Docker daemon of its own, and the processor time that it takes.

use std::fs::File;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::Result;

/// How many of the kernel's ticks are a second, on every Linux that there is.
const TICKS: u64 = 100;

/// A daemon that ends with this value.
#[derive(Debug)]
pub struct Dockerd {
    process: Child,
    address: String,
}

impl Dockerd {
    /// Starts one that keeps its images in a directory, with what it kept there before. Needs root.
    ///
    /// # Errors
    /// Fails where it doesn't start, with the last line of its log.
    pub fn start(directory: &Path) -> Result<Self> {
        std::fs::create_dir_all(directory)?;
        let place = |name: &str| directory.join(name);
        std::fs::write(place("config.json"), "{}")?;
        let socket = place("socket");
        let address = format!("unix://{}", socket.display());
        let process = Command::new("dockerd")
            .args(["--iptables=false", "--ip6tables=false", "--bridge=none", "--storage-driver=vfs"])
            .args([PathBuf::from("--config-file"), place("config.json"), "--pidfile".into(), place("pid")])
            .args([PathBuf::from("--data-root"), place("data"), "--exec-root".into(), place("exec")])
            .args(["--host", &address])
            .stdout(Stdio::null())
            .stderr(File::create(place("log"))?)
            .spawn()?;
        let mut daemon = Self { process, address };
        while UnixStream::connect(&socket).is_err() {
            if daemon.process.try_wait()?.is_some() {
                let log = std::fs::read_to_string(place("log"))?;
                return Err(format!("dockerd ended: {}", log.lines().last().unwrap_or_default()).into());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        // It answers once it is whole.
        let answer = Command::new("docker").args(["--host", &daemon.address, "version"]).output()?;
        if answer.status.success() { Ok(daemon) } else { Err("dockerd does not answer".into()) }
    }

    /// Returns where it listens, as `DOCKER_HOST` has it.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Returns the processor time of the daemon and its children so far, with theirs that have ended.
    ///
    /// # Errors
    /// Fails where the system doesn't tell.
    pub fn spent(&self) -> Result<Duration> {
        let own = self.process.id();
        let mut total = Duration::ZERO;
        for entry in std::fs::read_dir("/proc")? {
            let Ok(stat) = std::fs::read_to_string(entry?.path().join("stat")) else { continue };
            total += of_family(&stat, own).unwrap_or_default();
        }
        Ok(total)
    }
}

/// Reads the time of a process from its `stat`, if it is this one or a child of it.
fn of_family(stat: &str, family: u32) -> Option<Duration> {
    let id: u32 = stat.split(' ').next()?.parse().ok()?;
    // The name before the last parenthesis may hold anything.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let parent: u32 = fields.get(1)?.parse().ok()?;
    if id != family && parent != family {
        return None;
    }
    let ticks: u64 = fields.get(11..15)?.iter().filter_map(|field| field.parse::<u64>().ok()).sum();
    Some(Duration::from_millis(ticks * 1000 / TICKS))
}

impl Drop for Dockerd {
    fn drop(&mut self) {
        // Asked to, it ends its containerd and gives back what it mounted.
        let asked = Command::new("kill").args(["-TERM", &self.process.id().to_string()]).status();
        if !asked.is_ok_and(|status| status.success()) {
            let _ = self.process.kill();
        }
        let _ = self.process.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_and_its_children_count() {
        let stat = "7 (a) b) S 5 7 7 0 -1 4194560 1 2 3 4 10 20 30 40 20 0 8 0 1 2 3";
        assert_eq!(of_family(stat, 7), Some(Duration::from_secs(1)));
        assert_eq!(of_family(stat, 5), Some(Duration::from_secs(1)));
        assert_eq!(of_family(stat, 6), None);
    }
}
