//! A server for SSH on the loopback: Debian's `sshd`, started for each connection, with keys of its own.

use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use cfgupdater_git_backend::SshIdentity;
use cfgupdater_testkit::can_install;

use crate::support::Scratch;

const SSHD: &str = "/usr/sbin/sshd";

/// Tells whether `sshd` is there; a test that needs it ends early otherwise.
///
/// # Panics
/// Fails the test where it could be installed: what is skipped there would never be noticed.
pub(crate) fn can_serve() -> bool {
    let is_there = Path::new(SSHD).exists() && Command::new("ssh").arg("-V").output().is_ok();
    assert!(is_there || !can_install(), "{SSHD} is missing: install Debian's package openssh-server");
    if !is_there {
        eprintln!("skipped: {SSHD} is missing; `cargo xtask test` installs it as root on Debian");
    }
    is_there
}

/// Where the server listens, and whom it knows.
pub(crate) struct SshServer {
    port: u16,
    user: String,
    directory: PathBuf,
}

impl SshServer {
    /// Serves until the test ends.
    pub(crate) fn start(scratch: &Scratch) -> Self {
        let directory = scratch.path("ssh");
        std::fs::create_dir(&directory).unwrap();
        for key in ["host", "other-host", "user", "stranger"] {
            generate(&directory.join(key));
        }
        std::fs::copy(directory.join("user.pub"), directory.join("authorized")).unwrap();
        let configuration = directory.join("sshd_config");
        std::fs::write(&configuration, configuration_in(&directory)).unwrap();
        // Started by root, sshd wants this directory, which Debian's own start script makes.
        let _ = std::fs::create_dir_all("/run/sshd");
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, configuration) = (stream.unwrap(), configuration.clone());
                std::thread::spawn(move || serve(stream, &configuration));
            }
        });
        let server = Self { port, user: user(), directory };
        server.trust("host", "known");
        server.trust("other-host", "mistaken");
        std::fs::write(server.directory.join("nobody"), "").unwrap();
        server
    }

    /// Returns the address of a repository.
    pub(crate) fn address(&self, repository: &Path) -> String {
        format!("ssh://{}@127.0.0.1:{}{}", self.user, self.port, repository.display())
    }

    /// Logs in with the key that the server knows, knowing the server's key.
    pub(crate) fn identity(&self) -> SshIdentity {
        self.identity_of("user", "known")
    }

    /// Logs in with a key that the server doesn't know.
    pub(crate) fn stranger(&self) -> SshIdentity {
        self.identity_of("stranger", "known")
    }

    /// Takes the server for another one.
    pub(crate) fn mistaken(&self) -> SshIdentity {
        self.identity_of("user", "mistaken")
    }

    /// Knows no server at all.
    pub(crate) fn newcomer(&self) -> SshIdentity {
        self.identity_of("user", "nobody")
    }

    fn identity_of(&self, key: &str, hosts: &str) -> SshIdentity {
        let identity = SshIdentity::new(self.directory.join(key)).unwrap();
        identity.with_known_hosts(self.directory.join(hosts)).unwrap()
    }

    fn trust(&self, key: &str, file: &str) {
        let public = std::fs::read_to_string(self.directory.join(format!("{key}.pub"))).unwrap();
        let line = format!("[127.0.0.1]:{} {public}", self.port);
        std::fs::write(self.directory.join(file), line).unwrap();
    }
}

fn configuration_in(directory: &Path) -> String {
    let directory = directory.display();
    format!(
        "HostKey {directory}/host\nAuthorizedKeysFile {directory}/authorized\nStrictModes no\nUsePAM no\n\
         PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin yes\nPidFile none\n\
         LogLevel QUIET\n"
    )
}

/// Serves one connection.
fn serve(stream: TcpStream, configuration: &Path) {
    let output = Stdio::from(OwnedFd::from(stream.try_clone().unwrap()));
    let mut sshd = Command::new(SSHD);
    sshd.arg("-i").arg("-f").arg(configuration);
    let _ = sshd.stdin(Stdio::from(OwnedFd::from(stream))).stdout(output).stderr(Stdio::null()).status();
}

/// Makes a key.
pub(crate) fn generate(file: &Path) {
    let mut keygen = Command::new("ssh-keygen");
    let made = keygen.args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(file).status().unwrap();
    assert!(made.success(), "ssh-keygen failed");
}

fn user() -> String {
    String::from_utf8(Command::new("id").arg("-un").output().unwrap().stdout).unwrap().trim().to_owned()
}
