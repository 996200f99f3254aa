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

/// Adds up the lines `test result: ok. 5 passed; 0 failed; 1 ignored; …` of cargo's test runners.
pub(crate) fn count(output: &str) -> Counts {
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
    counts
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
    fn failures_and_skips_are_named() {
        let output = "test a ... ok\ntest b ... FAILED\ntest c ... ignored, needs root\n";
        assert_eq!(remarkable(output), ["test b ... FAILED", "test c ... ignored, needs root"]);
    }
}
