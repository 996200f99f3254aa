//! What the test runners printed, counted.

/// Counts of tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
}

impl Counts {
    pub(crate) fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

/// Adds up the lines `test result: ok. 5 passed; 0 failed; 1 ignored; …` of cargo's test runners. A test that ended early
/// and said why, see [`ended_early`], has not passed.
pub(crate) fn count(output: &str) -> Counts {
    let early = ended_early(output).len() as u64;
    let mut counts = Counts::default();
    for line in output.lines().filter_map(|line| line.strip_prefix("test result: ")) {
        let number = |what: &str| {
            let before = line.split(what).next().unwrap_or_default();
            before.split_whitespace().last().and_then(|word| word.parse().ok()).unwrap_or(0)
        };
        counts.add(Counts {
            passed: number(" passed"),
            failed: number(" failed"),
            skipped: number(" ignored"),
        });
    }
    Counts { passed: counts.passed.saturating_sub(early), skipped: counts.skipped + early, ..counts }
}

/// Lists tests that could not do their work and said so in a line `skipped: REASON`, each with that line. Rust's runners
/// can't be told while a test runs; with `--show-output` they show what a test that passed has said, below its name.
pub(crate) fn ended_early(output: &str) -> Vec<(&str, &str)> {
    let (mut found, mut speaker) = (Vec::<(&str, &str)>::new(), None);
    for line in output.lines() {
        if let Some(name) = line.strip_prefix("---- ").and_then(|rest| rest.strip_suffix(" stdout ----")) {
            speaker = Some(name);
        } else if ["successes:", "failures:", "test result: "].iter().any(|end| line.starts_with(end)) {
            speaker = None;
        } else if let (Some(name), Some(reason)) = (speaker, line.strip_prefix("skipped: ")) {
            found.push((name, reason));
            // Its other reasons make it no other test.
            speaker = None;
        }
    }
    found
}

/// Lists tests that failed and tests that were skipped with their reason, as the runners print them.
pub(crate) fn remarkable(output: &str) -> Vec<&str> {
    let remarkable =
        |line: &&str| line.starts_with("test ") && (line.ends_with("FAILED") || line.contains("... ignored"));
    output.lines().filter(remarkable).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_of_several_runners_are_added_up() {
        let output = "test a ... ok\ntest result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out\n\
                      test result: FAILED. 2 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out\n";
        assert_eq!(count(output), Counts { passed: 7, failed: 3, skipped: 1 });
    }

    #[test]
    fn who_ended_early_has_not_passed() {
        let output = "test a ... ok\ntest b ... ok\ntest c ... ok\n\nsuccesses:\n\n---- a stdout ----\nskipped: dockerd \
                      needs root\nskipped: and more\n\n---- b stdout ----\nhello\n\n\nsuccesses:\n    a\n    b\n    c\n\n\
                      test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n\
                      test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n";
        assert_eq!(ended_early(output), [("a", "dockerd needs root")]);
        assert_eq!(count(output), Counts { passed: 4, failed: 0, skipped: 1 });
    }

    #[test]
    fn failures_and_skips_are_named() {
        let output = "test a ... ok\ntest b ... FAILED\ntest c ... ignored, needs root\n";
        assert_eq!(remarkable(output), ["test b ... FAILED", "test c ... ignored, needs root"]);
    }
}
