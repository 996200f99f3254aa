//! The Python packages that tests use, installed from `PyPI` below `target/tools` where they are missing.

use std::process::Command;

use crate::debian::is_there;
use crate::installed::{is_installed, remember};
use crate::run::{root, succeeds};

/// Installs what `tests/python/requirements.txt` names. Where there is no pip, the tests that need it are skipped.
pub(crate) fn packages() -> Result<(), String> {
    let (wanted, place) = (root().join("tests/python/requirements.txt"), root().join("target/tools/python"));
    let mark = place.join(".installed");
    if !is_there("pip3") || is_installed(&wanted, &mark) {
        return Ok(());
    }
    println!("installing packages of Python below {}", place.display());
    let mut install = Command::new("python3");
    install.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--root-user-action=ignore",
    ]);
    // Built packages alone: building this one takes a compiler of Go.
    install.args(["--no-deps", "--only-binary", ":all:", "--upgrade", "--target"]).arg(&place);
    install.arg("--requirement").arg(&wanted);
    if succeeds(&mut install) && remember(&wanted, &mark).is_ok() {
        Ok(())
    } else {
        Err("the packages that tests/python/requirements.txt names could not be installed from PyPI"
            .to_owned())
    }
}
