//! The service's own binary, run on a repository.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::Result;
use crate::announcements::Build;
use crate::config_repository::{WAVES, url};

/// How long anything may take before the benchmark gives up.
const PATIENCE: Duration = Duration::from_mins(2);

/// How long no processor time must have been spent for the service to be quiet.
const QUIET: Duration = Duration::from_secs(5);

/// A running service; killed when dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    address: String,
    _directory: TempDir,
}

impl Server {
    /// Builds the binary as a release, and starts it with an empty data directory.
    ///
    /// # Errors
    /// Fails where it can't be built or started.
    pub fn start(repository: &Path) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let config = directory.path().join("cfgupdater.toml");
        std::fs::write(&config, configuration(repository))?;
        let mut command = Command::new(binary()?);
        command.args(["serve", "--config"]).arg(&config).env("CFGUPDATER_LOG", "warn");
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().ok_or("no standard output")?).read_line(&mut line)?;
        let address = line.trim().strip_prefix("listening on http://").ok_or("the service did not start")?;
        let server = Self { address: address.to_owned(), child, _directory: directory };
        let start = Instant::now();
        while server.call("GET", "/readyz", "")? != 200 {
            if start.elapsed() > PATIENCE {
                return Err("the service did not become ready".into());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(server)
    }

    /// Returns the process id.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// Announces a build.
    ///
    /// # Errors
    /// Fails unless it is accepted.
    pub fn announce(&self, build: Build) -> Result<()> {
        let path = format!("/v1/repos/cfg-app/images?app_sha={}", build.app_sha());
        match self.call("POST", &path, &build.json().to_string())? {
            200 => Ok(()),
            status => Err(format!("the announcement was answered {status}").into()),
        }
    }

    /// Waits until the service and its children have spent no processor time for a while.
    ///
    /// # Errors
    /// Fails where it ended.
    pub fn wait_until_quiet(&self) -> Result<()> {
        let (mut spent, mut since, start) = (self.ticks()?, Instant::now(), Instant::now());
        while since.elapsed() < QUIET && start.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(200));
            let now = self.ticks()?;
            if now != spent {
                (spent, since) = (now, Instant::now());
            }
        }
        Ok(())
    }

    /// Returns the processor time of the service and of children that have ended, in the system's ticks.
    fn ticks(&self) -> Result<u64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.process()))?;
        // The name in parentheses may hold anything; fields are counted after it: utime is the 12th.
        let (_, fields) = stat.rsplit_once(')').ok_or("an unexpected form of /proc/PID/stat")?;
        let ticks = fields.split_whitespace().skip(11).take(4).map(|field| field.parse::<u64>().unwrap_or(0));
        Ok(ticks.sum())
    }

    /// Makes one HTTP call and returns the status.
    fn call(&self, method: &str, path: &str, body: &str) -> Result<u16> {
        let mut stream = TcpStream::connect(&self.address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n{body}",
            self.address,
            body.len()
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
        status.ok_or_else(|| "the service did not answer in HTTP".into())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn binary() -> Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build.args(["build", "--quiet", "--release", "--locked", "--package", "cfgupdater-cli"]);
    if !build.current_dir(env!("CARGO_MANIFEST_DIR")).status()?.success() {
        return Err("the binary could not be built".into());
    }
    Ok(std::env::current_exe()?.with_file_name("cfgupdater"))
}

fn configuration(repository: &Path) -> String {
    let wave = |wave: &str| format!("[[repo.wave]]\nname = \"{wave}\"\ntargets = [\"{wave}-1\"]\n");
    let waves: String = WAVES.into_iter().map(wave).collect();
    format!(
        "[server]\nlisten = \"127.0.0.1:0\"\nauth = \"none\"\n[[repo]]\nname = \"cfg-app\"\nurl = \"{}\"\n\
         [repo.forge]\nkind = \"local\"\n[repo.checks]\nrequired = [\"ci\"]\n[[repo.image_set]]\nname = \"app\"\n{waves}",
        url(repository)
    )
}
