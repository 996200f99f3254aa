//! The real binary, run as a service.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::thread::JoinHandle;

use serde_json::Value;
use tempfile::TempDir;

use crate::http::{Reply, Server};
use crate::repository::Remote;
use crate::{PATIENCE, app_sha, eventually, images};

/// Builds the binary once, as these tests were built, and returns where it is.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| built("cfgupdater"))
}

/// Builds a program of the workspace, as these tests were built, and returns where it is.
///
/// # Panics
/// Fails where it can't be built.
pub fn built(name: &str) -> PathBuf {
    let mut build = Command::new(env!("CARGO"));
    // What cargo told this test of its own package makes build scripts run again that look at it.
    for name in ["CARGO_MANIFEST_DIR", "CARGO_MANIFEST_PATH", "CARGO_MANIFEST_LINKS"] {
        build.env_remove(name);
    }
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("CARGO_PKG_") {
            build.env_remove(name);
        }
    }
    let build = build
        .args(["build", "--quiet", "--locked", "--workspace", "--bin", name])
        .args(if cfg!(debug_assertions) { &[][..] } else { &["--release"] })
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()
        .expect("cargo can be run");
    assert!(build.success(), "the program `{name}` could not be built");
    // Tests are in target/PROFILE/deps, other programs in target/PROFILE.
    let own = std::env::current_exe().expect("a program knows where it is");
    let directory = own.parent().expect("it is in a directory");
    directory.parent().filter(|_| directory.ends_with("deps")).unwrap_or(directory).join(name)
}

/// Waves with their targets.
pub type Waves = &'static [(&'static str, &'static [&'static str])];

/// The usual waves.
const WAVES: [(&str, &[&str]); 3] = [
    ("staging", &["staging-1", "staging-2"]),
    ("internal", &["internal-1"]),
    ("production", &["prod-1", "prod-2"]),
];

/// What a test changes of the usual configuration.
#[derive(Debug, Clone)]
pub struct Options {
    /// The required checks.
    pub required: &'static [&'static str],
    /// Lines for `[server]` and tables below it.
    pub server: String,
    /// Lines for `[[repo]]`.
    pub repo: String,
    /// The kind of forge.
    pub kind: &'static str,
    /// Where git finds the repository, in the place of its directory.
    pub url: Option<String>,
    /// Lines for `[repo.forge]` and tables below it.
    pub forge: String,
    /// How often the service looks by itself.
    pub resync: &'static str,
    /// Where the service keeps its mirrors, in the place of a directory of its own.
    pub data_dir: Option<PathBuf>,
    /// No second replica, also where the tests are run with two.
    pub alone: bool,
    /// The waves and their targets.
    pub waves: Waves,
    /// Lines for each `[[repo.wave]]`.
    pub wave: &'static str,
    /// Lines for `[[repo.image_set]]`.
    pub image_set: &'static str,
    /// Sections of `[[repo.deploy]]`.
    pub deploy: String,
    /// Variables of the process, besides the tokens.
    pub variables: Vec<(&'static str, String)>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            required: &["ci"],
            server: String::new(),
            repo: String::new(),
            kind: "local",
            url: None,
            forge: String::new(),
            resync: "500ms",
            data_dir: None,
            alone: false,
            waves: &WAVES,
            wave: "",
            image_set: "",
            deploy: String::new(),
            variables: Vec::new(),
        }
    }
}

/// The tokens of the usual configuration: name, value and scopes.
const TOKENS: [(&str, &str, &str); 5] = [
    ("all", "token-all", r#""announce", "report", "status", "operate", "read""#),
    ("app-ci", "token-announce", r#""announce:app""#),
    ("deployer", "token-report", r#""report:staging/staging-1""#),
    ("ci", "token-status", r#""status""#),
    ("reader", "token-read", r#""read""#),
];

/// A running service; killed when dropped.
#[derive(Debug)]
pub struct Service {
    child: Child,
    /// Where configuration and data are, where this made them.
    directory: Option<TempDir>,
    server: Server,
    /// Another replica on the same repository, where the tests are run with two.
    shadow: Option<Box<Self>>,
    /// Reads what the service writes to standard error: a full pipe would stop it.
    log: Option<JoinHandle<String>>,
}

impl Service {
    /// Starts the service on a repository with an empty data directory.
    pub fn start(remote: &Remote) -> Self {
        Self::with(remote, &Options::default())
    }

    /// Starts the service with a changed configuration.
    pub fn with(remote: &Remote, options: &Options) -> Self {
        let service = Self::unsettled(remote, options);
        eventually("auto and state", || remote.tip("auto").and(remote.tip("cfgupdater/state")));
        service
    }

    /// Starts the service and waits until it is ready, but not until it has written anything.
    pub fn unsettled(remote: &Remote, options: &Options) -> Self {
        let service = Self::unready(remote, options);
        eventually("the service to be ready", || (service.get("/readyz").status == 200).then_some(()));
        service
    }

    /// Starts the service and waits until it listens.
    pub fn unready(remote: &Remote, options: &Options) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let config = directory.path().join("cfgupdater.toml");
        std::fs::write(&config, configuration(&remote.url(), directory.path(), options))
            .expect("a file can be written");
        let tokens = TOKENS.map(|(name, value, _)| (variable(name), value));
        let others = options.variables.iter().map(|(name, value)| ((*name).to_owned(), value.as_str()));
        let variables: Vec<(String, &str)> = tokens.into_iter().chain(others).collect();
        let mut service = Self::of_file(&config, &variables);
        service.directory = Some(directory);
        if !options.alone && std::env::var_os("CFGUPDATER_TEST_REPLICAS").is_some_and(|number| number == "2")
        {
            let alone = Options { alone: true, data_dir: None, ..options.clone() };
            service.shadow = Some(Box::new(Self::unready(remote, &alone)));
        }
        service
    }

    /// Starts the service with a configuration file and variables, and waits until it listens.
    pub fn of_file<N: AsRef<std::ffi::OsStr>>(config: &Path, variables: &[(N, &str)]) -> Self {
        let mut child = Command::new(binary())
            .args(["serve", "--config"])
            .arg(config)
            .envs(variables.iter().map(|(name, value)| (name.as_ref(), value)))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary can be run");
        let mut stderr = child.stderr.take().expect("standard error is piped");
        let log = std::thread::spawn(move || {
            let mut said = Vec::new();
            // Whatever was said before it broke is shown.
            let _ = stderr.read_to_end(&mut said);
            String::from_utf8_lossy(&said).into_owned()
        });
        let Some(base) = base_of(&mut child) else {
            panic!("the service did not start: {}", log.join().expect("the log is read"));
        };
        let server = Server::new(&base, "token-all");
        Self { child, directory: None, server, shadow: None, log: Some(log) }
    }

    /// Returns the data directory.
    pub fn data_directory(&self) -> PathBuf {
        self.directory.as_ref().expect("the service has a directory of its own").path().join("data")
    }

    /// Returns the service as a caller with every scope sees it.
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// Returns the process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Gets a path.
    pub fn get(&self, path: &str) -> Reply {
        self.server.get(path)
    }

    /// Announces build `n` of two services.
    pub fn announce(&self, n: u32) -> Value {
        self.announce_reply(n).ok()
    }

    /// Announces build `n` of two services and returns the whole reply.
    pub fn announce_reply(&self, n: u32) -> Reply {
        let path = format!("/v1/repos/cfg-app/images?app_sha={}", app_sha(n));
        self.server.post(&path, &images(&["Service1", "Service2"], n))
    }

    /// Reports a check.
    pub fn status(&self, sha: &str, context: &str, state: &str) -> Value {
        let path = format!("/v1/repos/cfg-app/statuses/{sha}");
        self.server.post(&path, &serde_json::json!({"context": context, "state": state})).ok()
    }

    /// Reports what a target runs.
    pub fn deployed(&self, wave: &str, target: &str, revision: &str, status: &str) -> Reply {
        let body =
            serde_json::json!({"wave": wave, "target": target, "status": status, "revision": revision});
        self.server.post("/v1/repos/cfg-app/deployments", &body)
    }

    /// Returns the state of the repository.
    pub fn repo(&self) -> Value {
        self.get("/v1/repos/cfg-app").ok()
    }

    /// Waits for the end of an intent and returns it.
    pub fn end_of(&self, intent: &str) -> Value {
        eventually(&format!("the end of intent {intent}"), || {
            let found = self.get(&format!("/v1/repos/cfg-app/intents/{intent}?wait=5")).ok();
            let end = found["end"].clone();
            (!end.is_null()).then_some(end)
        })
    }

    /// Says why what waits waits, as one text.
    pub fn why(&self) -> String {
        self.repo()["why"].to_string()
    }

    /// Waits until some reason says this.
    pub fn eventually_why(&self, says: &str) {
        eventually(&format!("a reason that says: {says}"), || self.why().contains(says).then_some(()));
    }

    /// Returns the whole audit trail, newest first.
    pub fn log(&self) -> Vec<Value> {
        self.get("/v1/repos/cfg-app/log?limit=1000").ok()["items"].as_array().cloned().unwrap_or_default()
    }

    /// Asks the service to stop as an operator does, waits, and returns what it wrote to standard error.
    ///
    /// # Panics
    /// Fails where it doesn't end in time or not with status 0.
    pub fn stop(mut self) -> String {
        self.shadow.take();
        let pid = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &pid]).status().expect("kill can be run");
        let start = std::time::Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("the process can be waited for") {
                break status;
            }
            assert!(start.elapsed() < PATIENCE, "the service did not stop");
            std::thread::sleep(std::time::Duration::from_millis(10));
        };
        assert!(status.success(), "{status}");
        self.log.take().expect("a service is stopped once").join().expect("the log is read")
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads the line that says where the service listens.
fn base_of(child: &mut Child) -> Option<String> {
    let stdout = child.stdout.take().expect("standard output is piped");
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line).expect("it is text");
    line.trim().strip_prefix("listening on ").map(str::to_owned)
}

fn variable(token: &str) -> String {
    format!("CFGUPDATER_TEST_{}", token.to_uppercase().replace('-', "_"))
}

fn configuration(url: &str, directory: &Path, options: &Options) -> String {
    let token = |(name, _, scopes): (&str, &str, &str)| {
        format!("[[server.token]]\nname = \"{name}\"\nenv = \"{}\"\nscopes = [{scopes}]\n", variable(name))
    };
    let tokens: String = TOKENS.into_iter().map(token).collect();
    let wave = |name: &str, targets: &[&str]| {
        format!("[[repo.wave]]\nname = {name:?}\ntargets = {targets:?}\n{}\n", options.wave)
    };
    let waves: String = options.waves.iter().map(|(name, targets)| wave(name, targets)).collect();
    let data_dir = options.data_dir.clone().unwrap_or_else(|| directory.join("data"));
    let url = options.url.as_deref().unwrap_or(url);
    let required = options.required.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ");
    // Other forges say themselves what they require.
    let checks = if options.kind == "local" {
        format!("[repo.checks]\nrequired = [{required}]\n")
    } else {
        String::new()
    };
    format!(
        r#"[server]
listen = "127.0.0.1:0"
data_dir = "{}"
{}
{tokens}
[[repo]]
name = "cfg-app"
url = "{url}"
resync = "{}"
batch_window = "20ms"
{}
[repo.forge]
kind = "{}"
{}
{checks}[[repo.image_set]]
name = "app"
{}
{waves}
{}"#,
        data_dir.display(),
        options.server,
        options.resync,
        options.repo,
        options.kind,
        options.forge,
        options.image_set,
        options.deploy,
    )
}
