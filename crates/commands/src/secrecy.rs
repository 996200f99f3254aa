//! Keeps what this process knows from the commands that it runs.

use std::io;

/// Makes the memory and the environment of this process unreadable to other processes of its user, commands included, until
/// it ends. It writes no core files and can't be debugged then, but by root. Does nothing where there is no such thing.
///
/// # Errors
/// Fails where the kernel refuses it.
pub fn keep_to_ourselves() -> io::Result<()> {
    #[cfg(target_os = "linux")]
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)?;
    Ok(())
}
