//! The programs that the tests need, installed below `target/tools` where they are missing.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::run::{cargo, root, succeeds};

/// The version of cargo-deny that is installed; newest releases change their configuration now and then.
const CARGO_DENY: &str = "0.20.2";

/// The version of cargo-mutants that is installed.
const CARGO_MUTANTS: &str = "27.1.0";

/// Oldest git that is known to work: `fetch --porcelain` came with it.
const GIT: (u32, u32) = (2, 41);

/// Makes sure that git is there and new enough.
pub(crate) fn git() -> Result<(), String> {
    let output = Command::new("git").arg("--version").output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let text = text.map_err(|error| format!("git can't be run ({error}); install it"))?;
    match git_version(&text) {
        Some(found) if found >= GIT => Ok(()),
        Some((major, minor)) => {
            Err(format!("git {major}.{minor} is too old; install {}.{} or newer", GIT.0, GIT.1))
        }
        None => Err(format!("`git --version` printed {text:?}, which names no version")),
    }
}

fn git_version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.split_whitespace().nth(2)?.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

/// Returns cargo-deny: the one in `PATH`, or one of our own, installed first where there is none.
pub(crate) fn cargo_deny() -> Result<PathBuf, String> {
    cargo_tool("cargo-deny", CARGO_DENY)
}

/// Returns cargo-mutants: the one in `PATH`, or one of our own, installed first where there is none.
pub(crate) fn cargo_mutants() -> Result<PathBuf, String> {
    cargo_tool("cargo-mutants", CARGO_MUTANTS)
}

fn cargo_tool(name: &str, version: &str) -> Result<PathBuf, String> {
    let ours = root().join("target/tools");
    let installed = ours.join("bin").join(name);
    if let Some(found) = [PathBuf::from(name), installed.clone()].into_iter().find(|tool| runs(tool, name)) {
        return Ok(found);
    }
    println!("installing {name} {version} below {}, which takes some minutes once", ours.display());
    let mut install = cargo(&["install", name, "--locked", "--quiet", "--version", version, "--root"]);
    // Its speed doesn't matter here, and its build time does.
    install.arg(&ours).args(["--profile", "dev", "--no-default-features"]);
    install.arg("--target-dir").arg(ours.join("build")).env("CARGO_PROFILE_DEV_DEBUG", "0");
    if succeeds(&mut install) {
        Ok(installed)
    } else {
        Err(format!("{name} {version} is missing and could not be installed from the registry"))
    }
}

/// Asks a tool as cargo would, with its name as a subcommand first: cargo-mutants understands nothing else.
fn runs(program: &PathBuf, name: &str) -> bool {
    let mut command = Command::new(program);
    command.args([name.trim_start_matches("cargo-"), "--version"]);
    succeeds(command.stdout(Stdio::null()).stderr(Stdio::null()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_all_platforms_are_read() {
        assert_eq!(git_version("git version 2.47.3\n"), Some((2, 47)));
        assert_eq!(git_version("git version 2.39.5 (Apple Git-154)\n"), Some((2, 39)));
        assert_eq!(git_version("git version 2.53.0.windows.1\n"), Some((2, 53)));
        assert_eq!(git_version("something else"), None);
    }
}
