//! [`DockerRegistry`]: the reference implementation, as Debian's package `docker-registry` has it.

use std::fmt::Write as _;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::tools::can_run;

/// How often a registry that may have lost its port to somebody else is started.
const ATTEMPTS: usize = 5;

/// A real registry on loopback for one test, ended with this value. It may be deleted from.
#[derive(Debug)]
pub struct DockerRegistry {
    process: Child,
    host: String,
    _data: TempDir,
}

/// What a registry asks of its clients: nothing by default.
#[derive(Debug, Clone, Default)]
pub struct Demands {
    htpasswd: Option<PathBuf>,
    token: Option<[String; 4]>,
    tls: Option<(PathBuf, PathBuf)>,
}

impl Demands {
    /// Asks for a login of this file, written as by `htpasswd -B`.
    #[must_use]
    pub fn htpasswd(mut self, file: impl Into<PathBuf>) -> Self {
        self.htpasswd = Some(file.into());
        self
    }

    /// Asks for a bearer token of the server at `realm`, made out to `service` by `issuer` and signed with a key whose
    /// certificate is in the PEM file.
    #[must_use]
    pub fn token(mut self, realm: &str, service: &str, issuer: &str, certificates: &Path) -> Self {
        self.token = Some([
            realm.to_owned(),
            service.to_owned(),
            issuer.to_owned(),
            certificates.display().to_string(),
        ]);
        self
    }

    /// Talks TLS, with certificate and key from these PEM files.
    #[must_use]
    pub fn tls(mut self, certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        self.tls = Some((certificate.into(), key.into()));
        self
    }
}

impl DockerRegistry {
    /// Starts one that demands nothing; `None` where there is none to be had.
    pub fn start() -> Option<Self> {
        Self::demanding(&Demands::default())
    }

    /// Starts one; `None` where there is none to be had.
    ///
    /// # Panics
    /// Fails the test where it is installed and doesn't start.
    pub fn demanding(demands: &Demands) -> Option<Self> {
        if !can_run(&["docker-registry"]) {
            return None;
        }
        let started = (0..ATTEMPTS).find_map(|_| Self::try_start(demands));
        Some(started.expect("docker-registry starts"))
    }

    /// Returns `127.0.0.1:PORT`.
    pub fn host(&self) -> &str {
        &self.host
    }

    fn try_start(demands: &Demands) -> Option<Self> {
        let data = tempfile::tempdir().expect("a temporary directory");
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
        let host = listener.local_addr().expect("it has an address").to_string();
        drop(listener);
        let config = data.path().join("config.yml");
        std::fs::write(&config, configuration(&host, data.path(), demands)).expect("a file can be written");
        let process = Command::new("docker-registry")
            .arg("serve")
            .arg(&config)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("docker-registry can be run");
        let mut registry = Self { process, host, _data: data };
        loop {
            if registry.process.try_wait().expect("it can be waited for").is_some() {
                return None;
            }
            if TcpStream::connect(&registry.host).is_ok() {
                return Some(registry);
            }
            std::thread::yield_now();
        }
    }
}

fn configuration(host: &str, data: &Path, demands: &Demands) -> String {
    let mut text = format!(
        "version: 0.1\nlog: {{level: error}}\nstorage:\n  filesystem: {{rootdirectory: {}}}\n  delete: {{enabled: true}}\nhttp:\n  addr: {host}\n",
        data.join("content").display()
    );
    if let Some((certificate, key)) = &demands.tls {
        let _ = writeln!(text, "  tls: {{certificate: {}, key: {}}}", certificate.display(), key.display());
    }
    if let Some(file) = &demands.htpasswd {
        let _ = writeln!(text, "auth: {{htpasswd: {{realm: r, path: {}}}}}", file.display());
    }
    if let Some([realm, service, issuer, certificates]) = &demands.token {
        let _ = writeln!(
            text,
            "auth: {{token: {{realm: \"{realm}\", service: {service}, issuer: {issuer}, rootcertbundle: {certificates}}}}}"
        );
    }
    text
}

impl Drop for DockerRegistry {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
