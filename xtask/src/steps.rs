//! A list of steps, each timed, with a table at the end.

use std::time::{Duration, Instant};

use crate::summary::Counts;

/// What was run so far.
#[derive(Debug, Default)]
pub(crate) struct Steps {
    done: Vec<(String, Counts, Duration)>,
    remarks: Vec<String>,
}

impl Steps {
    /// Runs a step that counts as one test.
    pub(crate) fn one(&mut self, name: &str, step: impl FnOnce() -> Result<(), String>) {
        self.many(name, || match step() {
            Ok(()) => (Counts { passed: 1, ..Counts::default() }, Vec::new()),
            Err(why) => (Counts { failed: 1, ..Counts::default() }, vec![why]),
        });
    }

    /// Runs a step that counts its own tests, and has something to say of some.
    pub(crate) fn many(&mut self, name: &str, step: impl FnOnce() -> (Counts, Vec<String>)) {
        println!("\n== {name}");
        let start = Instant::now();
        let (counts, remarks) = step();
        for remark in remarks.iter().map(|remark| format!("{name}: {remark}")) {
            eprintln!("{remark}");
            self.remarks.push(remark);
        }
        self.done.push((name.to_owned(), counts, start.elapsed()));
    }

    /// Prints what there was to say once more, where nobody has to look for it, then the table and, last, the line that
    /// sums it up; tells whether all is well.
    pub(crate) fn finish(self) -> bool {
        println!();
        for remark in &self.remarks {
            println!("{remark}");
        }
        println!("\n{:<24}{:>8}{:>8}{:>9}{:>9}", "step", "passed", "failed", "skipped", "seconds");
        let mut total = Counts::default();
        for (name, counts, took) in &self.done {
            let Counts { passed, failed, skipped } = counts;
            println!("{name:<24}{passed:>8}{failed:>8}{skipped:>9}{:>9.1}", took.as_secs_f64());
            total.add(*counts);
        }
        println!("\n{} passed, {} failed, {} skipped", total.passed, total.failed, total.skipped);
        total.failed == 0
    }
}
