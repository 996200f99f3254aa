//! Why a remote left a reference as it was: git's own words tell a refusal from bad luck, where the reference can't.

use cfgupdater_core::RefName;

/// Why an edit was rejected whose reference may still have its old value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Somebody else moved the reference while the remote was at it.
    Raced,
    /// Somebody holds a lock: another push, upkeep, or what a crash left behind.
    Locked,
    /// A hook, a protected branch, a name that can't exist.
    Meant,
}

/// Reads the reason that was reported for a reference and what the remote said beside it.
///
/// The words are those of git's `refs.c`, `refs/files-backend.c` and `lockfile.c`, which every server that runs git
/// repeats. What nobody knows was meant.
pub(crate) fn refusal(name: &RefName, reason: &str, said: &str) -> Refusal {
    let quoted = format!("'{name}'");
    let concerns = |line: &&str| line.contains(&quoted);
    let lines = || reason.lines().chain(said.lines());
    if is_race(reason) || lines().filter(concerns).any(is_race) {
        Refusal::Raced
    } else if lines().any(is_lock) {
        Refusal::Locked
    } else {
        Refusal::Meant
    }
}

fn is_race(line: &str) -> bool {
    (line.contains("is at ") && line.contains("but expected "))
        || line.contains("reference already exists")
        || line.contains("incorrect old value")
}

fn is_lock(line: &str) -> bool {
    line.contains("Unable to create '") && line.contains(".lock': File exists")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = "error: cannot lock ref 'refs/heads/auto': Unable to create '/srv/x.git/refs/heads/auto.lock': \
                        File exists.";
    const RACE: &str = "error: cannot lock ref 'refs/heads/auto': is at 1111 but expected 2222";

    fn of(name: &str, reason: &str, said: &str) -> Refusal {
        refusal(&format!("refs/heads/{name}").parse().unwrap(), reason, said)
    }

    #[test]
    fn a_race_belongs_to_the_reference_that_is_named() {
        assert_eq!(of("auto", "failed to update ref", RACE), Refusal::Raced);
        assert_eq!(of("state", "atomic push failure", RACE), Refusal::Meant);
        assert_eq!(of("auto", "incorrect old value provided", ""), Refusal::Raced);
    }

    #[test]
    fn a_lock_holds_up_everything() {
        let packed = "Unable to create '/srv/x.git/packed-refs.lock': File exists.";
        for (name, said) in [("auto", LOCK), ("state", LOCK), ("auto", packed)] {
            assert_eq!(of(name, "failed to update ref", said), Refusal::Locked, "{said}");
        }
    }

    #[test]
    fn whatever_else_is_said_was_meant() {
        let clash = "cannot lock ref 'refs/heads/auto/1': 'refs/heads/auto' exists; cannot create 'refs/heads/auto/1'";
        for said in [clash, "hook declined", "policy: keep out", ""] {
            assert_eq!(of("auto/1", "failed to update ref", said), Refusal::Meant, "{said}");
        }
    }
}
