//! Whether the branches of a repository can exist beside each other, each with a meaning of its own.

use crate::error::{Error, ErrorKind};
use crate::name::BranchName;

/// Where commits of others are kept: each as a branch of its own below this name.
pub const PARKED: &str = "cfgupdater/parked";

/// Checks that branches differ, and that none lies where git would need a directory for another one or for
/// [`PARKED`] commits. Each is given with what it is: `auto`, `state`.
///
/// # Errors
/// Names the first two that can't be told apart, as [`ErrorKind::Invalid`].
pub fn check_branches(branches: &[(&str, &BranchName)]) -> Result<(), Error> {
    for (index, (role, name)) in branches.iter().enumerate() {
        for (other, taken) in &branches[..index] {
            if name == taken {
                return clash(format!(
                    "the branches `{other}` and `{role}` are both {name}; each needs a name of its own"
                ));
            }
            if lies_within(name.as_str(), taken.as_str()) {
                return clash(format!(
                    "the branches `{other}` ({taken}) and `{role}` ({name}) can't exist together, since git keeps one \
                     below the other; name one of them differently"
                ));
            }
        }
        if lies_within(name.as_str(), PARKED) {
            return clash(format!(
                "the branch `{role}` is {name}, which is in the way of {PARKED}, where commits of others are kept; \
                 name it differently"
            ));
        }
    }
    Ok(())
}

/// Tells whether one name lies at or below the other, whichever that is.
fn lies_within(one: &str, other: &str) -> bool {
    let below = |name: &str, top: &str| name.strip_prefix(top).is_some_and(|rest| rest.starts_with('/'));
    one == other || below(one, other) || below(other, one)
}

fn clash(message: String) -> Result<(), Error> {
    Err(Error::new(ErrorKind::Invalid, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(stable: &str, auto: &str, state: &str) -> Result<(), String> {
        let [stable, auto, state] = [stable, auto, state].map(|name| name.parse().unwrap());
        check_branches(&[("stable", &stable), ("auto", &auto), ("state", &state)])
            .map_err(|error| error.to_string())
    }

    #[test]
    fn branches_that_only_begin_alike_are_told_apart() {
        assert_eq!(check("master", "auto", "cfgupdater/state"), Ok(()));
        assert_eq!(check("main", "main-auto", "cfgupdater/parked-state"), Ok(()));
    }

    #[test]
    fn one_branch_is_never_two() {
        let said = check("master", "master", "cfgupdater/state").unwrap_err();
        assert!(said.contains("`stable` and `auto` are both master"), "{said}");
        assert!(check("master", "auto", "auto").is_err());
    }

    #[test]
    fn git_can_not_keep_a_branch_below_another() {
        assert!(check("main", "main/auto", "state").unwrap_err().contains("can't exist together"));
        assert!(check("main", "ours/auto", "ours").unwrap_err().contains("can't exist together"));
    }

    #[test]
    fn what_is_parked_needs_its_place() {
        for taken in ["cfgupdater", "cfgupdater/parked", "cfgupdater/parked/auto"] {
            assert!(check("main", taken, "state").unwrap_err().contains("is in the way"), "{taken}");
        }
    }
}
