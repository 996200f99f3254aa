//! Which commit of the chain is guilty, and what has to be tested before anyone is.

use crate::verdict::Verdict;

/// What the verdicts of a chain allow to say about guilt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blame {
    /// No commit is red.
    Nobody,
    /// This commit is red and its parent is green at its own SHA (invariant S8).
    Guilty(usize),
    /// A commit is red above ones that nobody tested: test this one.
    Test(usize),
    /// A commit is red, and stable's tip has no verdict: test that.
    TestStable,
    /// A commit is red, and what lies beneath is being tested, or stable itself is red.
    Wait,
}

/// Finds who is to blame for the lowest red commit. `base` is the verdict of stable's tip, `chain` of each commit
/// above it, oldest first.
///
/// While stable itself is red nobody is blamed. Untested commits beneath a red one are tested first: the lowest,
/// then by halves.
pub fn blame(base: Verdict, chain: &[Verdict]) -> Blame {
    let Some(red) = chain.iter().position(|verdict| *verdict == Verdict::Red) else { return Blame::Nobody };
    let beneath = &chain[..red];
    // The commits above the highest green one: the culprit is the red one or among these.
    let first = beneath.iter().rposition(|verdict| *verdict == Verdict::Green).map_or(0, |green| green + 1);
    let suspects = &beneath[first..];
    if first == 0 && base != Verdict::Green {
        return if base == Verdict::Missing { Blame::TestStable } else { Blame::Wait };
    }
    if suspects.is_empty() {
        return Blame::Guilty(red);
    }
    if suspects.contains(&Verdict::Pending) {
        return Blame::Wait;
    }
    Blame::Test(if first == 0 { 0 } else { first + suspects.len() / 2 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use Verdict::{Green, Missing, Pending, Red};

    #[test]
    fn a_red_commit_above_a_green_one_is_guilty() {
        assert_eq!(blame(Green, &[Red]), Blame::Guilty(0));
        assert_eq!(blame(Green, &[Green, Red, Red]), Blame::Guilty(1));
        assert_eq!(blame(Red, &[Green, Red]), Blame::Guilty(1));
    }

    #[test]
    fn nobody_is_blamed_while_stable_is_not_known_to_be_green() {
        assert_eq!(blame(Red, &[Red]), Blame::Wait);
        assert_eq!(blame(Pending, &[Red]), Blame::Wait);
        assert_eq!(blame(Missing, &[Red]), Blame::TestStable);
    }

    #[test]
    fn untested_commits_beneath_are_tested_first() {
        assert_eq!(blame(Green, &[Missing, Missing, Red]), Blame::Test(0));
        assert_eq!(blame(Green, &[Green, Missing, Missing, Missing, Red]), Blame::Test(2));
        assert_eq!(blame(Green, &[Green, Missing, Missing, Missing, Missing, Red]), Blame::Test(3));
        assert_eq!(blame(Green, &[Green, Pending, Red]), Blame::Wait);
        assert_eq!(blame(Green, &[Missing, Pending, Red]), Blame::Wait);
    }

    #[test]
    fn a_green_chain_blames_nobody() {
        assert_eq!(blame(Red, &[Green, Pending, Missing]), Blame::Nobody);
    }
}
