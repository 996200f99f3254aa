//! Runs other programs from the workspace's root.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Returns the root of the workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_owned).unwrap_or_default()
}

/// Prepares the cargo that runs this.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(root());
    // What cargo told this program of its own package makes build scripts run again that look at it.
    let own = |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(own)) {
        command.env_remove(name);
    }
    command
}

/// Runs a command to its end and tells whether it succeeded.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command.status().is_ok_and(|status| status.success())
}

/// Runs tests, shows their standard output as it comes but for what those said that passed, and returns all of it with
/// whether they succeeded.
pub(crate) fn watched(command: &mut Command) -> (bool, String) {
    let Ok(mut child) = command.stdout(Stdio::piped()).spawn() else { return (false, String::new()) };
    let (mut text, mut shown) = (String::new(), true);
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line);
            shown = match &*line {
                "successes:" => false,
                "failures:" => true,
                line => shown || line.starts_with("test result: "),
            };
            if shown {
                println!("{line}");
            }
            text.push_str(&line);
            text.push('\n');
        }
    }
    // A terminal that is gone shows nothing.
    let _ = std::io::stdout().flush();
    (child.wait().is_ok_and(|status| status.success()), text)
}

/// Runs a command and returns its standard output, `None` where it fails.
pub(crate) fn output(command: &mut Command) -> Option<String> {
    let output = command.stderr(Stdio::inherit()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}
