//! [`DebianRegistry`]: the reference implementation, as Debian's package `docker-registry` has it.

use std::fmt::Write as _;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::support::can_run;

/// How often a registry that may have lost its port to somebody else is started.
const ATTEMPTS: usize = 5;

/// A registry of one test, ended with it.
pub(crate) struct DebianRegistry {
    process: Child,
    host: String,
    _data: TempDir,
}

/// What a registry asks of its clients.
#[derive(Default)]
pub(crate) struct Demands<'a> {
    /// A file of logins, as `htpasswd -B` writes it.
    pub(crate) htpasswd: Option<&'a Path>,
    /// Certificate and key, PEM.
    pub(crate) tls: Option<(&'a Path, &'a Path)>,
}

impl DebianRegistry {
    /// Starts one; `None` where there is none to be had.
    pub(crate) fn start() -> Option<Self> {
        Self::demanding(&Demands::default())
    }

    pub(crate) fn demanding(demands: &Demands<'_>) -> Option<Self> {
        let start = || (0..ATTEMPTS).find_map(|_| Self::try_start(demands));
        can_run(&["docker-registry"]).then(|| start().expect("docker-registry does not start"))
    }

    /// Returns `127.0.0.1:PORT`.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    fn try_start(demands: &Demands<'_>) -> Option<Self> {
        let data = tempfile::tempdir().unwrap();
        let host = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let config = data.path().join("config.yml");
        std::fs::write(&config, configuration(&host, data.path(), demands)).unwrap();
        let mut process = Command::new("docker-registry")
            .arg("serve")
            .arg(&config)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        loop {
            if process.try_wait().unwrap().is_some() {
                return None;
            }
            if TcpStream::connect(&host).is_ok() {
                return Some(Self { process, host, _data: data });
            }
            std::thread::yield_now();
        }
    }
}

fn configuration(host: &str, data: &Path, demands: &Demands<'_>) -> String {
    let mut text = format!(
        "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {}}}}}\nhttp:\n  addr: {host}\n",
        data.join("content").display()
    );
    if let Some((certificate, key)) = demands.tls {
        let _ = writeln!(text, "  tls: {{certificate: {}, key: {}}}", certificate.display(), key.display());
    }
    if let Some(file) = demands.htpasswd {
        let _ = writeln!(text, "auth: {{htpasswd: {{realm: r, path: {}}}}}", file.display());
    }
    text
}

impl Drop for DebianRegistry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
