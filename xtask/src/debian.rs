//! The programs of other people that tests run, installed from Debian's packages where they are missing.

use std::path::Path;
use std::process::Command;

use crate::run::succeeds;

/// Programs, each with Debian's packages that have it. Where there are two, one or the other has it, as the release may
/// be.
const PROGRAMS: [(&str, &[&str]); 15] = [
    ("buildah", &["buildah"]),
    ("busybox", &["busybox-static"]),
    ("curl", &["curl"]),
    ("docker", &["docker-cli", "docker.io"]),
    ("docker-registry", &["docker-registry"]),
    ("dockerd", &["docker.io"]),
    ("jsonnet", &["jsonnet"]),
    ("kubectl", &["kubernetes-client"]),
    ("make", &["make"]),
    ("node", &["nodejs"]),
    ("npm", &["npm"]),
    ("skopeo", &["skopeo"]),
    ("ssh", &["openssh-client"]),
    ("sshd", &["openssh-server"]),
    ("umoci", &["umoci"]),
];

/// Where programs are that only root runs, which are not in everybody's `PATH`.
const ROOTS_OWN: [&str; 3] = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/// Makes sure that the programs are there, and installs them where that is possible. Elsewhere than on Debian and its
/// like the tests that need them are skipped.
pub(crate) fn programs() -> Result<(), String> {
    let missing: Vec<_> = PROGRAMS.into_iter().filter(|(program, _)| !is_there(program)).collect();
    if missing.is_empty() || !is_there("apt-get") {
        return Ok(());
    }
    // Lists may be older than what the archive still has.
    succeeds(Command::new("apt-get").args(["update", "--quiet=2"]));
    for (program, packages) in missing {
        println!("installing {program}");
        if !packages.iter().any(|package| install(package) && is_there(program)) {
            let packages = packages.join(" or ");
            return Err(format!("tests need {program}; install Debian's package {packages}"));
        }
    }
    Ok(())
}

fn install(package: &str) -> bool {
    let mut install = Command::new("apt-get");
    install.args(["install", "--yes", "--quiet=2", "--no-install-recommends", package]);
    succeeds(install.env("DEBIAN_FRONTEND", "noninteractive"))
}

pub(crate) fn is_there(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let roots = ROOTS_OWN.iter().map(|directory| Path::new(directory).to_owned());
    std::env::split_paths(&path).chain(roots).any(|directory| directory.join(program).is_file())
}
