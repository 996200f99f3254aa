//! The conformance suites of git under test: backends that are wrong on purpose, and the cases that each of them fails.
#![allow(clippy::unwrap_used, reason = "helpers of tests are not seen as tests by the lint")]

#[path = "../git_harness/mod.rs"]
mod git_harness;
mod remote;
mod repo;

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A case by its name, as something that tells whether a backend that is wrong in one way passes it.
type Case<W> = (&'static str, fn(W) -> bool);

/// Names cases of a suite and how to run each on a backend that is wrong.
#[macro_export]
macro_rules! cases {
    ($run:path; $suite:path; $($case:ident)*) => {{
        use $suite as suite;
        vec![$((stringify!($case), (|wrong| $crate::passes(|| $run(wrong, suite::$case))) as fn(_) -> bool)),*]
    }};
}

pub(crate) fn passes(case: impl FnOnce()) -> bool {
    catch_unwind(AssertUnwindSafe(case)).is_ok()
}

/// Fails where a wrong backend fails other cases than those named for it, and where nobody fails a case. Those that take
/// `long` are only played with whom they are named for.
fn judge<W: Copy + Debug>(cases: &[Case<W>], wrong: &[(W, &[&str])], long: &[&str]) {
    // What panics on purpose need not be told at length.
    std::panic::set_hook(Box::new(|_| {}));
    let mut surprises = Vec::new();
    for (wrong, expected) in wrong {
        let played = cases.iter().filter(|(name, _)| expected.contains(name) || !long.contains(name));
        let failed: BTreeSet<&str> =
            played.filter(|(_, passes)| !passes(*wrong)).map(|(name, _)| *name).collect();
        if failed != expected.iter().copied().collect() {
            surprises.push(format!("{wrong:?} fails {failed:?}"));
        }
    }
    let _ = std::panic::take_hook();
    assert!(surprises.is_empty(), "{}", surprises.join("\n"));
    let caught: BTreeSet<&str> = wrong.iter().flat_map(|(_, cases)| cases.iter().copied()).collect();
    let idle: Vec<&str> = cases.iter().map(|(name, _)| *name).filter(|name| !caught.contains(name)).collect();
    assert!(idle.is_empty(), "no wrong backend shows that these cases can fail: {idle:?}");
}
