//! Keeps a command from writing outside its directories, where the kernel can (Landlock, since Linux 5.13).

use std::io;
use std::path::PathBuf;

use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// Tells whether commands can be confined on this machine.
pub fn confines() -> bool {
    platform::confines()
}

/// Starts a command that can write below `writable` only, as far as the kernel can see to it.
///
/// What restricts a thread restricts all that is started from it, so the command is started from a thread of its own.
pub(crate) async fn spawn(mut command: Command, writable: Vec<PathBuf>) -> io::Result<Child> {
    if writable.is_empty() {
        return command.spawn();
    }
    let runtime = Handle::current();
    let (told, answer) = oneshot::channel();
    let start = move || {
        let _entered = runtime.enter();
        let spawned = platform::restrict_thread(&writable).and_then(|()| command.spawn());
        // Whoever waited for it may be gone; the child is then killed when dropped.
        let _ = told.send(spawned);
    };
    std::thread::Builder::new().name("confined".to_owned()).spawn(start)?;
    answer.await.unwrap_or_else(|_| Err(io::Error::other("the thread that starts it ended badly")))
}

#[cfg(target_os = "linux")]
mod platform {
    use std::io;
    use std::path::{Path, PathBuf};

    use landlock::{
        ABI, AccessFs, BitFlags, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset, RulesetAttr,
        RulesetCreated, RulesetCreatedAttr, RulesetError, RulesetStatus,
    };

    /// Rights that this version knows; an older kernel sees to those it knows.
    const VERSION: ABI = ABI::V3;

    /// What everybody may write to.
    const DEVICES: [&str; 3] = ["/dev/null", "/dev/zero", "/dev/full"];

    pub(super) fn confines() -> bool {
        // Found out on a thread of its own, which it restricts for good.
        let try_it = || matches!(restrict(&[]), Ok(status) if status != RulesetStatus::NotEnforced);
        std::thread::spawn(try_it).join().unwrap_or(false)
    }

    pub(super) fn restrict_thread(writable: &[PathBuf]) -> io::Result<()> {
        restrict(writable).map(|_| ()).map_err(io::Error::other)
    }

    fn restrict(writable: &[PathBuf]) -> Result<RulesetStatus, RulesetError> {
        let rules = Ruleset::default()
            .set_compatibility(CompatLevel::BestEffort)
            .handle_access(AccessFs::from_write(VERSION))?
            .create()?;
        let rules = writable
            .iter()
            .try_fold(rules, |rules, directory| allow(rules, directory, AccessFs::from_write(VERSION)))?;
        let to_file = AccessFs::WriteFile | AccessFs::Truncate;
        let rules =
            DEVICES.iter().try_fold(rules, |rules, device| allow(rules, Path::new(device), to_file))?;
        Ok(rules.restrict_self()?.ruleset)
    }

    /// Allows writing below a path; one that isn't there can't be written to.
    fn allow(
        rules: RulesetCreated,
        path: &Path,
        access: BitFlags<AccessFs>,
    ) -> Result<RulesetCreated, RulesetError> {
        match PathFd::new(path) {
            Ok(there) => rules.add_rule(PathBeneath::new(there, access)),
            Err(_) => Ok(rules),
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod platform {
    use std::io;
    use std::path::PathBuf;

    pub(super) fn confines() -> bool {
        false
    }

    pub(super) fn restrict_thread(_writable: &[PathBuf]) -> io::Result<()> {
        Ok(())
    }
}
