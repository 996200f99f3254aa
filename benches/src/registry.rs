//! Debian's `docker-registry`, on loopback, with the requests it served and the bytes of them.

use std::fs::File;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::Result;
use crate::relay::Relay;

/// A registry that ends with this value.
#[derive(Debug)]
pub struct Registry {
    process: Child,
    relay: Relay,
    directory: PathBuf,
}

impl Registry {
    /// Starts one that keeps its content in a directory.
    ///
    /// # Errors
    /// Fails where it isn't installed or doesn't start.
    pub fn start(directory: &Path) -> Result<Self> {
        std::fs::create_dir_all(directory)?;
        let host = TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
        let content = directory.join("content");
        let config = format!(
            "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: \"{host}\"}}\n",
            content.display()
        );
        std::fs::write(directory.join("config.yml"), config)?;
        let log = File::create(directory.join("access.log"))?;
        let process = Command::new("docker-registry")
            .arg("serve")
            .arg(directory.join("config.yml"))
            .stdout(log)
            .stderr(Stdio::null())
            .spawn();
        let process = process.map_err(|error| format!("docker-registry can't be run: {error}"))?;
        let relay = Relay::before(&host)?;
        let mut registry = Self { process, relay, directory: directory.to_owned() };
        while TcpStream::connect(&host).is_err() {
            if let Some(status) = registry.process.try_wait()? {
                return Err(format!("docker-registry ended: {status}").into());
            }
            std::thread::yield_now();
        }
        Ok(registry)
    }

    /// Returns its host and port, by the relay before it.
    pub fn host(&self) -> &str {
        self.relay.address()
    }

    /// Returns what counts what is sent to it and by it.
    pub fn relay(&self) -> &Relay {
        &self.relay
    }

    /// Returns the number of requests served so far.
    ///
    /// # Errors
    /// Fails where the log can't be read.
    pub fn requests(&self) -> Result<usize> {
        let log = std::fs::read_to_string(self.directory.join("access.log"))?;
        Ok(log.lines().filter(|line| line.contains(" HTTP/1.1\" ")).count())
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
