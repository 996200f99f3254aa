//! [`Prism`]: a server that knows GitHub's description alone, the npm package `@stoplight/prism-cli`.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use crate::npm;

/// A running Prism; ends when dropped.
#[derive(Debug)]
pub struct Prism {
    base: String,
    child: Child,
}

impl Prism {
    /// Starts one that refuses what the description doesn't allow, and answers the rest with its examples.
    ///
    /// # Errors
    /// Says why it can't be run here.
    pub fn start() -> Result<Self, String> {
        let program = npm::file("@stoplight/prism-cli/dist/index.js")?;
        let description = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi/github-trimmed.json");
        let mut child = Command::new("node")
            .arg(program)
            .args(["mock", "--host", "127.0.0.1", "--port", "0", "--errors", description])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("node can't be run: {error}"))?;
        let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let base = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let (_, address) = line.split_once("Prism is listening on ")?;
            Some(address.split_whitespace().next()?.trim_end_matches('\u{1b}').to_owned())
        });
        let base = base.expect("Prism says where it listens");
        // A full pipe would stop it.
        std::thread::spawn(move || lines.for_each(drop));
        Ok(Self { base, child })
    }

    /// Returns where it is.
    pub fn base(&self) -> &str {
        &self.base
    }
}

impl Drop for Prism {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
