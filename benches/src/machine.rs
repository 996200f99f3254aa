//! What the figures were measured on.

use std::process::Command;

/// Describes the machine in one line.
pub fn describe() -> String {
    let processors = std::thread::available_parallelism().map_or(0, usize::from);
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!(
        "machine: {processors} processors, Linux {}, {}, {}",
        series(&kernel),
        version("git"),
        version("rustc")
    )
}

/// Returns the first two numbers of a kernel's release: the rest says who built it.
fn series(release: &str) -> &str {
    let mut dots = release.match_indices('.').map(|(at, _)| at);
    let second = dots.nth(1).unwrap_or(release.len());
    release[..second].trim()
}

/// Tells whether this runs as root.
pub fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

fn version(program: &str) -> String {
    let output = Command::new(program).arg("--version").output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    text.unwrap_or_else(|_| format!("{program} unknown"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_built_the_kernel_is_left_out() {
        assert_eq!(series("6.18.44-made-here\n"), "6.18");
        assert_eq!(series("7.1\n"), "7.1");
    }
}
