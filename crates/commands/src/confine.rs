//! Keeps a command from what is none of its business, where the kernel can (Landlock, since Linux 5.13): from files outside
//! its directories, from other processes, and from the powers of root.

use std::io;

use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::reach::Reach;

/// Tells whether commands can be confined on this machine.
pub fn confines() -> bool {
    platform::confines()
}

/// Starts a command that can reach this much only, as far as the kernel can see to it.
///
/// What restricts a thread restricts all that is started from it, so the command is started from a thread of its own.
pub(crate) async fn spawn(mut command: Command, reach: Option<Reach>) -> io::Result<Child> {
    let Some(reach) = reach else { return command.spawn() };
    let runtime = Handle::current();
    let (told, answer) = oneshot::channel();
    let start = move || {
        let _entered = runtime.enter();
        let spawned = platform::restrict_thread(&reach).and_then(|()| command.spawn());
        // Whoever waited for it may be gone; the child is then killed when dropped.
        let _ = told.send(spawned);
    };
    std::thread::Builder::new().name("confined".to_owned()).spawn(start)?;
    answer.await.unwrap_or_else(|_| Err(io::Error::other("the thread that starts it ended badly")))
}

/// Starts a command as [`spawn`] does, without a runtime.
pub(crate) fn start(
    mut command: std::process::Command,
    reach: Option<Reach>,
) -> io::Result<std::process::Child> {
    let Some(reach) = reach else { return command.spawn() };
    let start = move || platform::restrict_thread(&reach).and_then(|()| command.spawn());
    let ended = std::thread::Builder::new().name("confined".to_owned()).spawn(start)?.join();
    ended.unwrap_or_else(|_| Err(io::Error::other("the thread that starts it ended badly")))
}

#[cfg(target_os = "linux")]
mod platform {
    use std::io;
    use std::path::Path;

    use landlock::{
        ABI, Access, AccessFs, BitFlags, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset, RulesetAttr,
        RulesetCreated, RulesetCreatedAttr, RulesetError, RulesetStatus, Scope,
    };
    use rustix::thread::{CapabilitySet, CapabilitySets, set_capabilities, set_no_new_privs};

    use crate::reach::Reach;

    /// Rights that this version knows; an older kernel sees to those it knows.
    const VERSION: ABI = ABI::V3;

    pub(super) fn confines() -> bool {
        // Found out on a thread of its own, which it restricts for good.
        let try_it = || matches!(restrict_files(&Reach::default()), Ok(status) if status != RulesetStatus::NotEnforced);
        std::thread::spawn(try_it).join().unwrap_or(false)
    }

    pub(super) fn restrict_thread(reach: &Reach) -> io::Result<()> {
        give_up_powers()?;
        restrict_files(reach).map(|_| ()).map_err(io::Error::other)
    }

    /// Root may read the environment of every process, whatever Landlock says, as long as it has its capabilities.
    fn give_up_powers() -> io::Result<()> {
        set_no_new_privs(true)?;
        let none = CapabilitySet::empty();
        set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })?;
        Ok(())
    }

    fn restrict_files(reach: &Reach) -> Result<RulesetStatus, RulesetError> {
        let mut rules = Ruleset::default()
            .set_compatibility(CompatLevel::BestEffort)
            .handle_access(AccessFs::from_all(VERSION))?
            .scope(Scope::Signal | Scope::AbstractUnixSocket)?
            .create()?;
        for (paths, access) in [
            (&reach.readable, AccessFs::from_read(VERSION)),
            (&reach.writable, AccessFs::from_all(VERSION)),
            (&reach.devices, AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::Truncate),
        ] {
            for path in paths {
                rules = allow(rules, path, access)?;
            }
        }
        Ok(rules.restrict_self()?.ruleset)
    }

    /// Allows access to a file, or below a directory. There is none to what isn't there.
    fn allow(
        rules: RulesetCreated,
        path: &Path,
        access: BitFlags<AccessFs>,
    ) -> Result<RulesetCreated, RulesetError> {
        let access = if path.is_dir() { access } else { access & AccessFs::from_file(VERSION) };
        match PathFd::new(path) {
            Ok(there) => rules.add_rule(PathBeneath::new(there, access)),
            Err(_) => Ok(rules),
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod platform {
    use std::io;

    use crate::reach::Reach;

    pub(super) fn confines() -> bool {
        false
    }

    pub(super) fn restrict_thread(_reach: &Reach) -> io::Result<()> {
        Ok(())
    }
}
