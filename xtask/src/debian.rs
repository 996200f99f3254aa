//! The programs of other people that tests run, installed from Debian's packages where they are missing.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

use crate::run::succeeds;

/// Programs, each with Debian's packages that have it. Where there are two, one or the other has it, as the release may
/// be.
const PROGRAMS: [(&str, &[&str]); 17] = [
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
    ("pip3", &["python3-pip"]),
    ("python3", &["python3"]),
    ("skopeo", &["skopeo"]),
    ("ssh", &["openssh-client"]),
    ("sshd", &["openssh-server"]),
    ("umoci", &["umoci"]),
];

/// Where programs are that only root runs, which are not in everybody's `PATH`.
const ROOTS_OWN: [&str; 3] = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/// Makes sure that the programs are there, and installs them where that is possible: on Debian and its like, as root.
/// Elsewhere the tests that need them are skipped.
pub(crate) fn programs() -> Result<(), String> {
    let missing: Vec<_> = PROGRAMS.into_iter().filter(|(program, _)| !is_there(program)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    if !installs() {
        println!("{}", remedy(&missing, is_there("apt-get")));
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

/// Tells whether packages can be installed: by root, where there is apt-get.
pub(crate) fn installs() -> bool {
    let root = std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
    root && is_there("apt-get")
}

/// Says what is missing, what that means, and what to type.
fn remedy(missing: &[(&str, &[&str])], debian: bool) -> String {
    let programs: Vec<&str> = missing.iter().map(|(program, _)| *program).collect();
    let packages: Vec<&str> = missing.iter().filter_map(|(_, packages)| packages.first().copied()).collect();
    let first = format!("missing, so that the tests that need them are skipped: {}", programs.join(", "));
    if debian { format!("{first}\nas root: apt-get install {}", packages.join(" ")) } else { first }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_not_install_is_told_what_to_type() {
        let missing: [(&str, &[&str]); 2] =
            [("docker", &["docker-cli", "docker.io"]), ("ssh", &["openssh-client"])];
        let told = remedy(&missing, true);
        assert!(
            told.contains("docker, ssh") && told.contains("apt-get install docker-cli openssh-client"),
            "{told}"
        );
        assert!(!remedy(&missing, false).contains("apt-get"));
    }
}
