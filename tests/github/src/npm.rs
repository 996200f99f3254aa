//! Servers of other people that play GitHub, as `cargo xtask test` installs them.

use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Where the packages of `npm/package.json` are installed.
const INSTALLED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/tools/npm/node_modules");

/// Returns where a file of a package is, or says why the package can't be used here.
pub(crate) fn file(path: &str) -> Result<PathBuf, String> {
    let file = PathBuf::from(INSTALLED).join(path);
    if !file.is_file() {
        return Err(format!("{path} is not installed; `cargo xtask test` installs it where npm is there"));
    }
    let mut node = Command::new("node");
    match node.arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status() {
        Ok(status) if status.success() => Ok(file),
        _ => Err("node can't be run".to_owned()),
    }
}
