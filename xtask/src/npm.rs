//! The servers of other people that tests run, installed from npm below `target/tools` where they are missing.

use std::path::Path;
use std::process::Command;

use crate::debian::is_there;
use crate::run::{root, succeeds};

/// What names the packages and their versions.
const FILES: [&str; 2] = ["package.json", "package-lock.json"];

/// Installs the packages of `tests/github/npm`. Where there is no npm, the tests that need them are skipped.
pub(crate) fn servers() -> Result<(), String> {
    let (wanted, place) = (root().join("tests/github/npm"), root().join("target/tools/npm"));
    if !is_there("npm") || is_installed(&wanted, &place) {
        return Ok(());
    }
    println!("installing servers from npm below {}", place.display());
    let copied = std::fs::create_dir_all(&place)
        .and_then(|()| FILES.iter().try_for_each(|file| copy(&wanted.join(file), &place.join(file))));
    copied.map_err(|error| format!("{} can't be written: {error}", place.display()))?;
    let mut install = Command::new("npm");
    install.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
    if succeeds(install.current_dir(&place)) && mark(&wanted, &place).is_ok() {
        Ok(())
    } else {
        Err("the packages that tests/github/npm names could not be installed from the registry".to_owned())
    }
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::copy(from, to).map(drop)
}

/// Tells whether what is wanted was installed, to its end.
fn is_installed(wanted: &Path, place: &Path) -> bool {
    let read = |path: &Path| std::fs::read(path).ok();
    read(&done(place)).is_some_and(|installed| read(&wanted.join(FILES[1])) == Some(installed))
}

fn mark(wanted: &Path, place: &Path) -> std::io::Result<()> {
    copy(&wanted.join(FILES[1]), &done(place))
}

fn done(place: &Path) -> std::path::PathBuf {
    place.join("node_modules/.installed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_version_is_another_installation() {
        let (wanted, place) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::fs::create_dir(place.path().join("node_modules")).unwrap();
        std::fs::write(wanted.path().join(FILES[1]), "1").unwrap();
        assert!(!is_installed(wanted.path(), place.path()));
        mark(wanted.path(), place.path()).unwrap();
        assert!(is_installed(wanted.path(), place.path()));
        std::fs::write(wanted.path().join(FILES[1]), "2").unwrap();
        assert!(!is_installed(wanted.path(), place.path()));
    }
}
