//! Which commit of the chain may become stable.

use crate::policy::Landing;
use crate::verdict::Verdict;

/// One commit of the chain, reduced to what landing asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// What its own checks say.
    pub verdict: Verdict,
    /// Whether it is a live intent whose wave is open, on a commit that state names as ours.
    pub live: bool,
}

/// Returns the index of the newest commit that may land; every commit up to it must be a live intent.
///
/// With [`Landing::Tip`] a green commit may carry red ones beneath it, as the reference architecture does; with
/// [`Landing::EveryCommit`] all of them must be green (invariant S14).
pub fn landable(chain: &[Candidate], landing: Landing) -> Option<usize> {
    let live = chain.iter().take_while(|commit| commit.live);
    let green = |commit: &Candidate| commit.verdict == Verdict::Green;
    match landing {
        Landing::Tip => live.enumerate().filter(|(_, commit)| green(commit)).map(|(index, _)| index).last(),
        Landing::EveryCommit => live.take_while(|commit| green(commit)).count().checked_sub(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Verdict::{Green, Missing, Pending, Red};

    fn chain(verdicts: &[Verdict]) -> Vec<Candidate> {
        verdicts.iter().map(|verdict| Candidate { verdict: *verdict, live: true }).collect()
    }

    #[test]
    fn the_newest_green_commit_lands_and_carries_what_is_beneath() {
        assert_eq!(landable(&chain(&[Green, Red, Green, Pending]), Landing::Tip), Some(2));
        assert_eq!(landable(&chain(&[Green, Red, Green, Pending]), Landing::EveryCommit), Some(0));
    }

    #[test]
    fn nothing_lands_without_a_green_commit() {
        for landing in [Landing::Tip, Landing::EveryCommit] {
            assert_eq!(landable(&chain(&[Red, Missing, Pending]), landing), None);
            assert_eq!(landable(&[], landing), None);
        }
    }

    #[test]
    fn a_commit_that_is_no_live_intent_blocks_itself_and_all_above() {
        let mut commits = chain(&[Green, Green, Green]);
        commits[1].live = false;
        assert_eq!(landable(&commits, Landing::Tip), Some(0));
        commits[0].live = false;
        assert_eq!(landable(&commits, Landing::Tip), None);
    }
}
