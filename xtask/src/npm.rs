//! The servers of other people that tests run, installed from npm below `target/tools` where they are missing.

use std::process::Command;

use crate::debian::is_there;
use crate::installed::{is_installed, remember};
use crate::run::{root, succeeds};

/// What names the packages and their versions.
const FILES: [&str; 2] = ["package.json", "package-lock.json"];

/// Installs the packages of `tests/github/npm`. Where there is no npm, the tests that need them are skipped.
pub(crate) fn servers() -> Result<(), String> {
    let (wanted, place) = (root().join("tests/github/npm"), root().join("target/tools/npm"));
    let (locked, mark) = (wanted.join(FILES[1]), place.join("node_modules/.installed"));
    if !is_there("npm") || is_installed(&locked, &mark) {
        return Ok(());
    }
    println!("installing servers from npm below {}", place.display());
    let copied = std::fs::create_dir_all(&place).and_then(|()| {
        FILES.iter().try_for_each(|file| std::fs::copy(wanted.join(file), place.join(file)).map(drop))
    });
    copied.map_err(|error| format!("{} can't be written: {error}", place.display()))?;
    let mut install = Command::new("npm");
    install.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
    if succeeds(install.current_dir(&place)) && remember(&locked, &mark).is_ok() {
        Ok(())
    } else {
        Err("the packages that tests/github/npm names could not be installed from the registry".to_owned())
    }
}
