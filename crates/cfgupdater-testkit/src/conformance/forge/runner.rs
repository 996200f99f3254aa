//! Runs cases, by a test runner or without one.
#![allow(clippy::print_stderr, reason = "a case that is skipped says why")]

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use super::case::{CaseResult, Unmet};
use super::harness::ForgeHarness;
use super::{checks, operations, outages, pages, required, secrets, sources, webhooks};

/// How long a case may take before it counts as hanging.
const PATIENCE: Duration = Duration::from_mins(2);

type Running<'a> = Pin<Box<dyn Future<Output = CaseResult> + Send + 'a>>;

/// One case of the suite.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// Its name, which says what must be so.
    pub name: &'static str,
    run: for<'a> fn(&'a dyn ForgeHarness) -> Running<'a>,
}

/// A case and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// The case's name.
    pub name: &'static str,
    /// How it ended.
    pub result: CaseResult,
}

#[doc(hidden)]
#[macro_export]
macro_rules! __forge_case_list {
    (; $($module:ident::$case:ident)*) => {
        vec![$(Case { name: stringify!($case), run: |harness| Box::pin($module::$case(harness)) }),*]
    };
}

/// Lists all cases.
pub fn cases() -> Vec<Case> {
    crate::__forge_cases! { __forge_case_list, }
}

/// Runs all cases, each with a harness of its own.
pub async fn run<H, F>(start: impl Fn() -> F) -> Vec<Finished>
where
    H: ForgeHarness,
    F: Future<Output = H>,
{
    let mut finished = Vec::new();
    for case in cases() {
        let harness = start().await;
        finished.push(Finished { name: case.name, result: run_case(case, &harness).await });
    }
    finished
}

async fn run_case(case: Case, harness: &dyn ForgeHarness) -> CaseResult {
    let hangs = || Unmet::Broken(format!("it has not ended within {} s", PATIENCE.as_secs()));
    tokio::time::timeout(PATIENCE, (case.run)(harness)).await.unwrap_or_else(|_| Err(hangs()))
}

/// Runs one case as a test.
///
/// # Panics
/// Panics, and so fails the test, where the adapter is wrong, where the harness can't do what the case needs and
/// `skips` doesn't name it, or where `skips` names a case that could run.
pub fn check_case<H, F>(name: &str, start: impl Fn() -> F, skips: &[&str])
where
    H: ForgeHarness,
    F: Future<Output = H>,
{
    let case =
        cases().into_iter().find(|case| case.name == name).expect("the macro names cases of this list");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime can be built");
    let result = runtime.block_on(async { run_case(case, &start().await).await });
    let skipped = skips.contains(&name);
    match result {
        Err(Unmet::Broken(what)) => panic!("{name}: {what}"),
        Err(Unmet::Unable(unable)) if skipped => eprintln!("does not apply: the harness can't {}", unable.0),
        Err(Unmet::Unable(unable)) => {
            panic!("the harness can't {}: teach it to, or name `{name}` in `skips`", unable.0)
        }
        Err(Unmet::Undeclared(capability)) => eprintln!("does not apply: the adapter doesn't {capability}"),
        Ok(()) if skipped => panic!("`{name}` runs: take it out of `skips`"),
        Ok(()) => {}
    }
}

/// Sees that nothing is skipped that doesn't exist.
///
/// # Panics
/// Panics where a name is wrong.
#[doc(hidden)]
pub fn check_skips(skips: &[&str]) {
    let known = cases();
    let unknown: Vec<&&str> =
        skips.iter().filter(|skip| !known.iter().any(|case| case.name == **skip)).collect();
    assert!(unknown.is_empty(), "`skips` names what is no case: {unknown:?}");
}
