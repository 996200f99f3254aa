//! What the figures were measured on.

use std::process::Command;

/// Describes the machine in one line.
pub fn describe() -> String {
    let processors = std::thread::available_parallelism().map_or(0, usize::from);
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!(
        "machine: {processors} processors, Linux {}, {}, {}",
        kernel.trim(),
        version("git"),
        version("rustc")
    )
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
