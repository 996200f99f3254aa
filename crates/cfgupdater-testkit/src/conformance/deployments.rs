//! What every [`Deployments`](cfgupdater_core::Deployments) must do.
//!
//! Implement [`DeploymentsHarness`] for a server of your own making, and invoke the macro in a module of its own. This is
//! the whole of it for [`MemoryDeployments`](crate::memory::MemoryDeployments):
//!
//! ```
//! mod memory {
//!     use cfgupdater_testkit::memory::MemoryTool;
//!
//!     cfgupdater_testkit::deployments_conformance! {
//!         harness: MemoryTool::start,
//!     }
//! }
//! ```
//!
//! `harness` is an async function without arguments that starts a harness; every case starts one.

pub mod cases;
mod harness;

use std::future::Future;

pub use harness::{Deployed, DeploymentsHarness, ToolTrouble};

/// Makes a test of each case of the suite; see the [module](mod@crate::conformance::deployments).
#[macro_export]
macro_rules! deployments_conformance {
    (harness: $harness:expr $(,)?) => {
        $crate::__deployments_cases! { [$crate::__deployments_tests] $harness; }
    };
}

/// Hands the names of all cases to a macro, after what is meant for it.
#[doc(hidden)]
#[macro_export]
macro_rules! __deployments_cases {
    ([$($to:tt)*] $($given:tt)*) => {
        $($to)*! {
            $($given)*
            what_runs_is_reported
            what_failed_is_reported
            what_is_under_way_has_no_report
            what_nobody_knows_to_be_healthy_has_no_report
            what_ran_before_is_not_reported_while_it_changes
            when_it_was_seen_is_no_matter_of_the_question
            a_report_speaks_of_the_place_asked_for
            a_report_speaks_of_the_set_that_is_configured
            a_place_of_others_costs_nothing_and_has_no_report
            asking_changes_nothing
            what_changed_is_seen
            a_target_that_moved_back_is_told
            there_is_a_pause_between_questions
            questions_at_once_are_all_answered
            a_question_given_up_leaves_nothing_behind
            what_is_gone_is_an_error
            an_outage_is_an_error_worth_another_attempt
            a_limit_is_told_with_its_advice
            a_revoked_login_is_an_error_that_no_attempt_mends
            nonsense_is_an_error
            what_failed_works_once_the_trouble_is_over
            no_secret_is_shown
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __deployments_tests {
    ($harness:expr; $($case:ident)*) => {
        $(
            #[test]
            fn $case() {
                $crate::conformance::deployments::check(async {
                    let mut harness = $harness().await;
                    $crate::conformance::deployments::cases::$case(&mut harness).await;
                });
            }
        )*
    };
}

/// Runs one case.
#[doc(hidden)]
pub fn check(case: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime can be made").block_on(case);
}
