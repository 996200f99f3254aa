//! Debian's `docker-registry`, on loopback, with the requests it served.

use std::fs::File;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::Result;

/// A registry that ends with this value.
#[derive(Debug)]
pub struct Registry {
    process: Child,
    host: String,
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
        let mut registry = Self { process, host, directory: directory.to_owned() };
        while TcpStream::connect(&registry.host).is_err() {
            if let Some(status) = registry.process.try_wait()? {
                return Err(format!("docker-registry ended: {status}").into());
            }
            std::thread::yield_now();
        }
        Ok(registry)
    }

    /// Returns its host and port.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns the number of requests served so far.
    ///
    /// # Errors
    /// Fails where the log can't be read.
    pub fn requests(&self) -> Result<usize> {
        let log = std::fs::read_to_string(self.directory.join("access.log"))?;
        Ok(log.lines().filter(|line| line.contains(" HTTP/1.1\" ")).count())
    }

    /// Returns the bytes it keeps.
    ///
    /// # Errors
    /// Fails where its content can't be read.
    pub fn bytes(&self) -> Result<u64> {
        size(&self.directory.join("content"))
    }
}

fn size(directory: &Path) -> Result<u64> {
    if !directory.exists() {
        return Ok(0);
    }
    let mut total = 0;
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        total += if metadata.is_dir() { size(&entry.path())? } else { metadata.len() };
    }
    Ok(total)
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
