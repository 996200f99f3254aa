//! [`Dockerd`]: a Docker daemon of one test, with nothing in common with the machine's own.

use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use cfgupdater_image_builder::DockerfileDriver;
use cfgupdater_testkit::can_run;
use tempfile::TempDir;

/// A daemon that ends with this value.
pub(crate) struct Dockerd {
    process: Child,
    directory: TempDir,
}

impl Dockerd {
    /// Starts one; `None` where that is impossible, which is said.
    pub(crate) fn start() -> Option<Self> {
        if !can_run(&["dockerd", "docker"]) {
            return None;
        }
        if std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() != 0) {
            eprintln!("skipped: dockerd needs root");
            return None;
        }
        let directory = tempfile::tempdir().unwrap();
        let place = |name: &str| directory.path().join(name);
        std::fs::write(place("config.json"), "{}").unwrap();
        let log = std::fs::File::create(place("log")).unwrap();
        // No network of its own: nothing on the machine's firewall changes.
        let process = Command::new("dockerd")
            .args(["--iptables=false", "--ip6tables=false", "--bridge=none", "--storage-driver=vfs"])
            .args(["--config-file".into(), place("config.json"), "--pidfile".into(), place("pid")])
            .args(["--data-root".into(), place("data"), "--exec-root".into(), place("exec")])
            .args(["--host", &format!("unix://{}", place("socket").display())])
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        Self { process, directory }.ready()
    }

    /// Waits until it serves.
    fn ready(mut self) -> Option<Self> {
        while UnixStream::connect(self.socket()).is_err() {
            if let Some(status) = self.process.try_wait().unwrap() {
                let log = std::fs::read_to_string(self.directory.path().join("log")).unwrap();
                let last = log.lines().last().unwrap_or_default();
                let forbidden = ["permission denied", "not permitted"].iter().any(|why| log.contains(why));
                assert!(forbidden, "dockerd ended with {status}: {last}");
                eprintln!("skipped: not allowed here: {last}");
                return None;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        // It answers once it is whole.
        self.docker(&["version"]);
        Some(self)
    }

    fn socket(&self) -> PathBuf {
        self.directory.path().join("socket")
    }

    fn address(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    /// Runs the command line client and returns what it printed.
    pub(crate) fn docker(&self, arguments: &[&str]) -> String {
        let docker = Command::new("docker").args(["--host", &self.address()]).args(arguments).output();
        let output = docker.unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Builds by this daemon.
    pub(crate) fn driver(&self) -> DockerfileDriver {
        DockerfileDriver::docker().with_env("DOCKER_HOST", self.address())
    }
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
