//! Required contexts are patterns: `ci/*` requires every context that it matches, and at least one.
//!
//! A pattern is required under its own text. Each status whose context it matches is an attempt of that check too, in a
//! series of its own: by the rules a check must pass in every series it appears in, and one without any attempt is
//! missing. So a pattern that matches nothing never looks like one that isn't required.

use cfgupdater_core::CheckRun;
use globset::{Glob, GlobMatcher};

/// A required context.
#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    text: String,
    glob: Option<GlobMatcher>,
}

impl Pattern {
    /// Reads a pattern. One that can't be read matches nothing but its own text.
    pub(crate) fn new(text: &str) -> Self {
        let is_plain = !text.contains(['*', '?', '[', '{', '\\']);
        let glob = if is_plain { None } else { Glob::new(text).ok().map(|glob| glob.compile_matcher()) };
        Self { text: text.to_owned(), glob }
    }

    fn matches(&self, context: &str) -> bool {
        self.glob.as_ref().is_some_and(|glob| glob.is_match(context))
    }

    /// Makes an attempt of this check out of one whose context it matches.
    fn attempt(&self, run: &CheckRun) -> CheckRun {
        let mut attempt = run.clone();
        attempt.series = format!("context {}", run.name);
        attempt.name.clone_from(&self.text);
        attempt
    }
}

// [expand]
/// Adds what the patterns make of the attempts.
pub(crate) fn expand(runs: Vec<CheckRun>, patterns: &[Pattern]) -> Vec<CheckRun> {
    let matched: Vec<CheckRun> = patterns
        .iter()
        .flat_map(|pattern| {
            runs.iter().filter(|run| pattern.matches(&run.name)).map(|run| pattern.attempt(run))
        })
        .collect();
    runs.into_iter().chain(matched).collect()
}
// [/expand]

#[cfg(test)]
mod tests {
    use super::*;
    use cfgupdater_core::{CheckState, RequiredChecks, Verdict, verdict};

    const SUCCESS: CheckState = CheckState::Success;
    const FAILURE: CheckState = CheckState::Failure;

    fn judge(pattern: &str, said: &[(&str, u64, CheckState)]) -> Verdict {
        let run =
            |(context, id, state): &(&str, u64, CheckState)| CheckRun::new(*context, *id, state.clone());
        let runs = expand(said.iter().map(run).collect(), &[Pattern::new(pattern)]);
        verdict(&RequiredChecks::named([pattern]), &runs)
    }

    #[test]
    fn a_pattern_that_matches_nothing_is_missing() {
        assert_eq!(judge("ci/*", &[("lint", 1, SUCCESS)]), Verdict::Missing);
        assert_eq!(judge("ci/*", &[]), Verdict::Missing);
    }

    #[test]
    fn all_that_a_pattern_matches_must_pass() {
        assert_eq!(judge("ci/*", &[("ci/a", 1, SUCCESS), ("ci/b", 2, SUCCESS)]), Verdict::Green);
        assert_eq!(judge("ci/*", &[("ci/a", 1, FAILURE), ("ci/b", 2, SUCCESS)]), Verdict::Red);
        assert_eq!(
            judge("ci/*", &[("ci/a", 1, SUCCESS), ("ci/b", 2, CheckState::Running)]),
            Verdict::Pending
        );
    }

    #[test]
    fn the_latest_attempt_of_each_context_counts() {
        assert_eq!(judge("ci/*", &[("ci/a", 1, FAILURE), ("ci/a", 5, SUCCESS)]), Verdict::Green);
        assert_eq!(judge("ci/*", &[("ci/a", 5, FAILURE), ("ci/b", 9, SUCCESS)]), Verdict::Red);
    }

    #[test]
    fn patterns_are_read_as_gitea_reads_them() {
        for (pattern, context) in [
            ("ci/*", "ci/a/b (push)"),
            ("*", "anything at all"),
            ("ci-?", "ci-1"),
            ("{lint,test}", "test"),
            ("[!x]y", "zy"),
            (r"a\*b", "a*b"),
        ] {
            assert_eq!(judge(pattern, &[(context, 1, SUCCESS)]), Verdict::Green, "{pattern} {context}");
        }
        for (pattern, context) in [("ci/*", "CI/a"), ("ci-?", "ci-10"), (r"a\*b", "acb"), ("ci", "ci/a")] {
            assert_eq!(judge(pattern, &[(context, 1, SUCCESS)]), Verdict::Missing, "{pattern} {context}");
        }
    }

    #[test]
    fn a_plain_name_and_a_pattern_that_cannot_be_read_are_themselves() {
        assert_eq!(judge("ci", &[("ci", 1, SUCCESS)]), Verdict::Green);
        assert_eq!(judge("ci[", &[("ci", 1, SUCCESS)]), Verdict::Missing);
    }
}
