//! Which change a remote declines: each is tried alone, and one is guilty once another passes without it.

use std::collections::{BTreeMap, BTreeSet};

use crate::intent::IntentId;

/// The intents that were part of a declined write of auto.
///
/// Nobody is blamed blindly: a remote that takes nothing at all makes nobody guilty, so what was accepted waits until
/// it takes something again or an operator withdraws it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(crate) struct Suspects {
    /// Still to be tried, the first of them next.
    untried: Vec<IntentId>,
    /// Declined alone, with what the remote said.
    declined: BTreeMap<IntentId, String>,
    /// Another one passed since.
    guilty: bool,
}

impl Suspects {
    /// Learns that a write was declined that would have put `tried` on auto. Returns whether it is worth looking at
    /// once: what comes next is another write.
    pub(crate) fn declined(&mut self, tried: &[IntentId], reason: &str) -> bool {
        match tried {
            [] => false,
            [one] => {
                self.untried.retain(|id| id != one);
                self.declined.insert(*one, reason.to_owned()).is_none()
            }
            several => {
                self.untried = several.to_vec();
                true
            }
        }
    }

    /// Learns that a write passed which put `tried` on auto.
    pub(crate) fn passed(&mut self, tried: &[IntentId]) {
        self.untried.retain(|id| !tried.contains(id));
        self.guilty |= !tried.is_empty() && !self.declined.is_empty();
    }

    /// Forgets the intents that are settled.
    pub(crate) fn forget(&mut self, is_settled: impl Fn(IntentId) -> bool) {
        self.untried.retain(|id| !is_settled(*id));
        self.declined.retain(|id, _| !is_settled(*id));
        self.guilty &= !self.declined.is_empty();
    }

    /// Returns what stays off auto for now.
    pub(crate) fn left_out(&self) -> BTreeSet<IntentId> {
        self.untried.iter().skip(1).chain(self.declined.keys()).copied().collect()
    }

    /// Returns what is proven guilty, with what the remote said.
    pub(crate) fn guilty(&self) -> BTreeMap<IntentId, String> {
        if self.guilty { self.declined.clone() } else { BTreeMap::new() }
    }

    /// Tells whether all were tried alone and none passed.
    pub(crate) fn is_stuck(&self) -> bool {
        !self.declined.is_empty() && self.untried.is_empty() && !self.guilty
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::introduce;

    fn id(n: u8) -> IntentId {
        introduce("app", "staging", n).id
    }

    #[test]
    fn each_is_tried_alone_and_one_that_passes_proves_the_others_guilty() {
        let mut suspects = Suspects::default();
        assert!(suspects.declined(&[id(1), id(2), id(3)], "hook"));
        assert_eq!(suspects.left_out(), [id(2), id(3)].into());
        assert!(suspects.declined(&[id(1)], "hook"));
        assert_eq!(suspects.left_out(), [id(1), id(3)].into());
        assert!(suspects.guilty().is_empty());
        suspects.passed(&[id(2)]);
        assert_eq!(suspects.guilty().into_keys().collect::<Vec<_>>(), [id(1)]);
        suspects.forget(|ended| ended == id(1));
        assert_eq!((suspects.left_out(), suspects.guilty().len()), (BTreeSet::new(), 0));
    }

    #[test]
    fn a_remote_that_takes_nothing_makes_nobody_guilty() {
        let mut suspects = Suspects::default();
        suspects.declined(&[id(1), id(2)], "protected branch");
        suspects.declined(&[id(1)], "protected branch");
        assert!(!suspects.is_stuck());
        suspects.declined(&[id(2)], "protected branch");
        assert!(suspects.is_stuck() && suspects.guilty().is_empty());
        suspects.passed(&[]);
        assert!(suspects.is_stuck(), "a write of state alone proves nothing about auto");
    }

    #[test]
    fn a_write_without_intents_blames_nobody() {
        assert!(!Suspects::default().declined(&[], "quota"));
    }

    #[test]
    fn whoever_was_not_tried_yet_stays_out_when_another_passes() {
        let mut suspects = Suspects::default();
        suspects.declined(&[id(1), id(2), id(3), id(4)], "hook");
        suspects.declined(&[id(1)], "hook");
        suspects.passed(&[id(2)]);
        assert_eq!(suspects.left_out(), [id(1), id(4)].into(), "3 is next");
        suspects.forget(|settled| settled == id(3));
        assert_eq!(suspects.left_out(), [id(1)].into(), "4 is next");
    }

    #[test]
    fn what_passed_before_anything_was_declined_proves_nothing() {
        let mut suspects = Suspects::default();
        suspects.passed(&[id(1)]);
        suspects.declined(&[id(2)], "hook");
        assert!(suspects.guilty().is_empty() && suspects.is_stuck());
    }

    #[test]
    fn a_proof_holds_for_those_it_was_found_against() {
        let mut suspects = Suspects::default();
        suspects.declined(&[id(1)], "hook");
        suspects.passed(&[id(2)]);
        assert!(!suspects.is_stuck(), "somebody is guilty");
        suspects.forget(|settled| settled == id(9));
        assert_eq!(suspects.guilty().len(), 1, "nothing of it is settled");
        suspects.forget(|settled| settled == id(1));
        suspects.declined(&[id(3)], "hook");
        assert!(suspects.guilty().is_empty(), "3 was declined since");
    }

    #[test]
    fn who_is_declined_alone_once_more_is_not_worth_another_look() {
        let mut suspects = Suspects::default();
        assert!(suspects.declined(&[id(1)], "hook"));
        assert!(!suspects.declined(&[id(1)], "hook"));
    }
}
