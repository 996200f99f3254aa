//! What every [`Forge`](cfgupdater_core::Forge) must do.
//!
//! Implement [`ForgeHarness`] for a server of your own making (or for the real one), and invoke the macro in a module of
//! its own. This is the whole of it for [`MemoryForge`](crate::memory::MemoryForge):
//!
//! ```
//! mod memory {
//!     use cfgupdater_testkit::memory::MemoryServer;
//!
//!     cfgupdater_testkit::forge_conformance! {
//!         harness: MemoryServer::start,
//!     }
//! }
//! ```
//!
//! `harness` is an async function without arguments that starts a harness; every case starts one. A case that needs what
//! your harness can't do fails and says so, until it is named in `skips`, so that nothing is left out unseen:
//!
//! ```text
//! cfgupdater_testkit::forge_conformance! {
//!     harness: MyHarness::start,
//!     skips: [an_expired_token_is_renewed, a_name_in_two_kinds_must_pass_in_both],
//! }
//! ```
//!
//! Cases about an operation that [`Capabilities`](cfgupdater_core::Capabilities) doesn't declare find out by
//! themselves that they don't apply. [`run`] is the same without a test runner.

mod case;
mod checks;
mod harness;
mod operations;
mod outages;
mod pages;
mod required;
mod runner;
mod scene;
mod secrets;
mod sources;
mod webhooks;

pub use case::{CaseResult, Unable, Unmet};
pub use harness::{CheckKind, ForgeHarness, Posted, Trouble, Webhook, WebhookEvent, WebhookSigning};
pub use runner::{Case, Finished, cases, check_case, run};

/// Makes a test of each case of the suite; see the [module](mod@crate::conformance::forge).
#[macro_export]
macro_rules! forge_conformance {
    (harness: $harness:expr $(, skips: [$($skip:ident),* $(,)?])? $(,)?) => {
        const SKIPS: &[&str] = &[$($(stringify!($skip)),*)?];

        $crate::__forge_cases! { __forge_tests, $harness }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __forge_tests {
    ($harness:expr; $($module:ident::$case:ident)*) => {
        $(
            #[test]
            fn $case() {
                $crate::conformance::forge::check_case(stringify!($case), $harness, SKIPS);
            }
        )*

        #[test]
        fn every_skip_names_a_case() {
            $crate::conformance::forge::check_skips(SKIPS);
        }
    };
}

/// Lists the cases, once for all who need them.
#[doc(hidden)]
#[macro_export]
macro_rules! __forge_cases {
    ($then:ident, $($arguments:tt)*) => {
        $crate::$then! {
            $($arguments)*;
            checks::a_commit_without_checks_has_none
            checks::asking_for_no_commit_is_answered
            checks::every_conclusion_means_what_the_forge_documents
            checks::an_unknown_conclusion_is_neither_green_nor_red
            checks::the_latest_attempt_counts
            checks::a_check_that_runs_again_is_pending
            checks::results_belong_to_their_sha
            checks::only_commits_asked_for_are_answered
            checks::names_are_kept_as_they_are
            checks::names_that_resemble_each_other_are_different_checks
            checks::a_second_read_sees_what_changed
            sources::sources_are_kept
            sources::what_one_source_says_is_not_said_by_another
            sources::a_failure_is_not_hidden_by_an_earlier_source
            sources::a_name_in_two_kinds_must_pass_in_both
            pages::one_check_is_complete
            pages::a_full_page_is_complete
            pages::a_full_page_and_one_is_complete
            pages::three_pages_are_complete
            pages::the_oldest_failure_is_seen
            pages::many_commits_are_answered_at_once
            pages::a_page_that_fails_fails_the_whole
            pages::a_page_that_is_cut_fails_the_whole
            pages::a_page_that_leaves_something_out_fails_the_whole
            outages::a_commit_the_forge_does_not_know_yet_has_no_checks
            outages::a_commit_known_later_shows_its_checks
            outages::a_repository_that_is_gone_is_an_error
            outages::a_rate_limit_is_told_with_its_advice
            outages::a_rate_limit_without_advice_may_be_tried_again
            outages::an_outage_may_be_tried_again
            outages::a_revoked_token_is_an_error
            outages::an_expired_token_is_renewed
            outages::a_missing_right_is_an_error
            outages::what_failed_works_once_the_trouble_is_over
            outages::calls_at_once_are_all_answered
            outages::a_cancelled_call_leaves_nothing_behind
            required::no_required_set_is_none
            required::the_required_set_is_read
            required::a_required_source_is_kept
            required::a_changed_required_set_is_seen
            required::an_empty_required_set_allows_nothing
            required::a_required_set_that_may_not_be_read_is_an_error
            required::a_required_set_that_is_out_of_reach_is_an_error
            webhooks::a_forge_without_webhooks_takes_none
            webhooks::an_authentic_webhook_causes_a_look
            webhooks::every_secret_in_force_is_accepted
            webhooks::a_webhook_signed_with_another_secret_is_refused
            webhooks::a_webhook_signed_with_nothing_is_refused
            webhooks::an_unsigned_webhook_is_refused
            webhooks::a_shortened_signature_is_refused
            webhooks::a_lengthened_signature_is_refused
            webhooks::an_altered_signature_is_refused
            webhooks::an_altered_body_is_refused
            webhooks::a_replayed_webhook_means_the_same
            webhooks::a_webhook_of_another_repository_causes_no_look
            webhooks::an_unknown_event_is_no_error
            webhooks::headers_of_other_forges_change_nothing
            webhooks::headers_of_other_forges_prove_nothing
            webhooks::odd_bodies_are_ignored_or_invalid
            webhooks::what_is_not_authentic_is_not_read
            secrets::debug_shows_no_secret
            secrets::errors_show_no_secret
            secrets::refused_webhooks_show_no_secret
            secrets::findings_show_no_secret
            operations::what_is_not_declared_is_unsupported
            operations::a_requested_check_gets_a_result
            operations::asking_again_starts_nothing
            operations::a_report_is_read_back
            operations::a_later_report_counts
            operations::a_report_in_unknown_words_never_passes
            operations::evidence_of_an_unknown_check_is_none
            operations::preflight_is_quiet_where_all_is_well
            operations::preflight_tells_of_a_revoked_token
        }
    };
}

#[doc(hidden)]
pub use runner::check_skips;
