//! The conformance suite under test: adapters that are wrong on purpose, and the cases that each of them fails.
#![allow(clippy::unwrap_used, reason = "helpers of tests are not seen as tests by the lint")]

mod deployments;
mod forge;
mod harness;
mod registry;

use std::collections::BTreeSet;

use cfgupdater_testkit::conformance::forge::{Unmet, cases, run};

use harness::WrongServer;

/// What is wrong with an adapter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wrong {
    AcceptsUnknownConclusions,
    TakesCancelledForPassed,
    TakesRunningForFailed,
    LeavesOutUnfinishedChecks,
    DropsLaterPages,
    InventsChecks,
    FailsOnNoCommits,
    LosesSources,
    CountsTheFirstAttempt,
    MergesKinds,
    MixesCommits,
    AnswersMoreThanAsked,
    FoldsNames,
    RemembersAnswers,
    TakesErrorsForEmpty,
    TakesNotFoundForEmpty,
    FailsOnUnknownCommits,
    KeepsExpiredTokens,
    CallsRateLimitsOutages,
    LosesAdvice,
    NeverAdvisesToRetry,
    GivesUpForGood,
    IsSpoiltByCancellation,
    InventsARequiredSet,
    ReadsNoRequiredSet,
    LosesRequiredSources,
    TakesForbiddenForNone,
    TakesOutagesForNone,
    AllowsEmptySets,
    ComparesSignaturesByPrefix,
    IgnoresTheEndOfSignatures,
    SkipsCharactersOfSignatures,
    TakesUnsignedWebhooks,
    TakesWebhooksSignedWithNothing,
    TakesEveryWebhook,
    TakesAnySignatureOnce,
    TakesOtherForgesSignatures,
    KnowsOneSecret,
    RefusesReplays,
    IgnoresEveryWebhook,
    LooksForOtherRepositories,
    RefusesUnknownEvents,
    ChoosesByHeader,
    ReadsBeforeItAuthenticates,
    CallsOddBodiesForbidden,
    TakesWebhooksThatItDoesNotHave,
    PrintsItsSecret,
    TellsSecretsInErrors,
    TellsSecretsToStrangers,
    FindsItsSecret,
    DoesMoreThanItDeclares,
    IgnoresRequests,
    StartsChecksAgain,
    LosesReports,
    TakesUnknownReportsForPassed,
    FailsWithoutEvidence,
    FindsFaultWithEverything,
    FindsNothing,
}

/// Every wrong adapter, with exactly the cases it fails.
const WRONG: &[(Wrong, &[&str])] = &[
    (Wrong::AcceptsUnknownConclusions, &["an_unknown_conclusion_is_neither_green_nor_red"]),
    (Wrong::TakesCancelledForPassed, &["every_conclusion_means_what_the_forge_documents"]),
    (
        Wrong::TakesRunningForFailed,
        &[
            "a_check_that_runs_again_is_pending",
            "a_later_report_counts",
            "a_report_is_read_back",
            "every_conclusion_means_what_the_forge_documents",
        ],
    ),
    (
        Wrong::LeavesOutUnfinishedChecks,
        &[
            "a_check_that_runs_again_is_pending",
            "a_later_report_counts",
            "a_report_is_read_back",
            "every_conclusion_means_what_the_forge_documents",
        ],
    ),
    (
        Wrong::DropsLaterPages,
        &["a_full_page_and_one_is_complete", "the_oldest_failure_is_seen", "three_pages_are_complete"],
    ),
    (
        Wrong::InventsChecks,
        &[
            "a_commit_the_forge_does_not_know_yet_has_no_checks",
            "a_commit_without_checks_has_none",
            "a_full_page_and_one_is_complete",
            "a_full_page_is_complete",
            "a_report_is_read_back",
            "every_conclusion_means_what_the_forge_documents",
            "many_commits_are_answered_at_once",
            "names_are_kept_as_they_are",
            "one_check_is_complete",
            "sources_are_kept",
            "three_pages_are_complete",
        ],
    ),
    (Wrong::FailsOnNoCommits, &["asking_for_no_commit_is_answered"]),
    (
        Wrong::LosesSources,
        &["a_report_is_read_back", "sources_are_kept", "what_one_source_says_is_not_said_by_another"],
    ),
    (
        Wrong::CountsTheFirstAttempt,
        &[
            "a_check_that_runs_again_is_pending",
            "a_failure_is_not_hidden_by_an_earlier_source",
            "a_later_report_counts",
            "a_second_read_sees_what_changed",
            "the_latest_attempt_counts",
        ],
    ),
    (Wrong::MergesKinds, &["a_name_in_two_kinds_must_pass_in_both"]),
    (
        Wrong::MixesCommits,
        &[
            "a_commit_the_forge_does_not_know_yet_has_no_checks",
            "many_commits_are_answered_at_once",
            "results_belong_to_their_sha",
        ],
    ),
    (
        Wrong::AnswersMoreThanAsked,
        &["asking_for_no_commit_is_answered", "only_commits_asked_for_are_answered"],
    ),
    (
        Wrong::FoldsNames,
        &["names_are_kept_as_they_are", "names_that_resemble_each_other_are_different_checks"],
    ),
    (
        Wrong::RemembersAnswers,
        &[
            "a_later_report_counts",
            "a_missing_right_is_an_error",
            "a_rate_limit_is_told_with_its_advice",
            "a_rate_limit_without_advice_may_be_tried_again",
            "a_repository_that_is_gone_is_an_error",
            "a_revoked_token_is_an_error",
            "a_second_read_sees_what_changed",
            "an_outage_may_be_tried_again",
            "what_failed_works_once_the_trouble_is_over",
        ],
    ),
    (
        Wrong::TakesErrorsForEmpty,
        &[
            "a_missing_right_is_an_error",
            "a_page_that_fails_fails_the_whole",
            "a_page_that_is_cut_fails_the_whole",
            "a_page_that_leaves_something_out_fails_the_whole",
            "a_rate_limit_is_told_with_its_advice",
            "a_rate_limit_without_advice_may_be_tried_again",
            "a_repository_that_is_gone_is_an_error",
            "a_revoked_token_is_an_error",
            "an_outage_may_be_tried_again",
            "what_failed_works_once_the_trouble_is_over",
        ],
    ),
    (
        Wrong::TakesNotFoundForEmpty,
        &["a_page_that_fails_fails_the_whole", "a_repository_that_is_gone_is_an_error"],
    ),
    (
        Wrong::FailsOnUnknownCommits,
        &[
            "a_commit_known_later_shows_its_checks",
            "a_commit_the_forge_does_not_know_yet_has_no_checks",
            "a_commit_without_checks_has_none",
            "a_report_in_unknown_words_never_passes",
            "a_second_read_sees_what_changed",
            "results_belong_to_their_sha",
        ],
    ),
    (Wrong::KeepsExpiredTokens, &["an_expired_token_is_renewed"]),
    (
        Wrong::CallsRateLimitsOutages,
        &["a_rate_limit_is_told_with_its_advice", "a_rate_limit_without_advice_may_be_tried_again"],
    ),
    (Wrong::LosesAdvice, &["a_rate_limit_is_told_with_its_advice"]),
    (
        Wrong::NeverAdvisesToRetry,
        &[
            "a_rate_limit_is_told_with_its_advice",
            "a_rate_limit_without_advice_may_be_tried_again",
            "an_outage_may_be_tried_again",
        ],
    ),
    (
        Wrong::GivesUpForGood,
        &[
            "a_page_that_fails_fails_the_whole",
            "a_page_that_is_cut_fails_the_whole",
            "a_page_that_leaves_something_out_fails_the_whole",
            "what_failed_works_once_the_trouble_is_over",
        ],
    ),
    (
        Wrong::IsSpoiltByCancellation,
        &["a_cancelled_call_leaves_nothing_behind", "calls_at_once_are_all_answered"],
    ),
    (Wrong::InventsARequiredSet, &["no_required_set_is_none"]),
    (
        Wrong::ReadsNoRequiredSet,
        &["a_changed_required_set_is_seen", "a_required_source_is_kept", "the_required_set_is_read"],
    ),
    (Wrong::LosesRequiredSources, &["a_required_source_is_kept"]),
    (Wrong::TakesForbiddenForNone, &["a_required_set_that_may_not_be_read_is_an_error"]),
    (Wrong::TakesOutagesForNone, &["a_required_set_that_is_out_of_reach_is_an_error"]),
    (Wrong::AllowsEmptySets, &["an_empty_required_set_allows_nothing"]),
    (
        Wrong::ComparesSignaturesByPrefix,
        &[
            "a_lengthened_signature_is_refused",
            "a_shortened_signature_is_refused",
            "an_unsigned_webhook_is_refused",
        ],
    ),
    (Wrong::IgnoresTheEndOfSignatures, &["a_lengthened_signature_is_refused"]),
    (Wrong::SkipsCharactersOfSignatures, &["an_altered_signature_is_refused"]),
    (
        Wrong::TakesUnsignedWebhooks,
        &["an_unsigned_webhook_is_refused", "headers_of_other_forges_prove_nothing"],
    ),
    (Wrong::TakesWebhooksSignedWithNothing, &["a_webhook_signed_with_nothing_is_refused"]),
    (
        Wrong::TakesEveryWebhook,
        &[
            "a_lengthened_signature_is_refused",
            "a_shortened_signature_is_refused",
            "a_webhook_signed_with_another_secret_is_refused",
            "a_webhook_signed_with_nothing_is_refused",
            "an_altered_body_is_refused",
            "an_altered_signature_is_refused",
            "an_unsigned_webhook_is_refused",
            "headers_of_other_forges_prove_nothing",
            "what_is_not_authentic_is_not_read",
        ],
    ),
    (
        Wrong::TakesAnySignatureOnce,
        &[
            "a_webhook_signed_with_another_secret_is_refused",
            "a_webhook_signed_with_nothing_is_refused",
            "an_altered_body_is_refused",
            "an_altered_signature_is_refused",
            "what_is_not_authentic_is_not_read",
        ],
    ),
    (Wrong::TakesOtherForgesSignatures, &["headers_of_other_forges_prove_nothing"]),
    (Wrong::KnowsOneSecret, &["every_secret_in_force_is_accepted"]),
    (
        Wrong::RefusesReplays,
        &[
            "a_replayed_webhook_means_the_same",
            "every_secret_in_force_is_accepted",
            "headers_of_other_forges_change_nothing",
        ],
    ),
    (Wrong::IgnoresEveryWebhook, &["an_authentic_webhook_causes_a_look"]),
    (Wrong::LooksForOtherRepositories, &["a_webhook_of_another_repository_causes_no_look"]),
    (Wrong::RefusesUnknownEvents, &["an_unknown_event_is_no_error"]),
    (Wrong::ChoosesByHeader, &["headers_of_other_forges_change_nothing"]),
    (Wrong::ReadsBeforeItAuthenticates, &["an_altered_body_is_refused", "what_is_not_authentic_is_not_read"]),
    (Wrong::CallsOddBodiesForbidden, &["odd_bodies_are_ignored_or_invalid"]),
    (Wrong::TakesWebhooksThatItDoesNotHave, &["a_forge_without_webhooks_takes_none"]),
    (Wrong::PrintsItsSecret, &["debug_shows_no_secret"]),
    (Wrong::TellsSecretsInErrors, &["errors_show_no_secret"]),
    (Wrong::TellsSecretsToStrangers, &["refused_webhooks_show_no_secret"]),
    (Wrong::FindsItsSecret, &["findings_show_no_secret"]),
    (Wrong::DoesMoreThanItDeclares, &["what_is_not_declared_is_unsupported"]),
    (Wrong::IgnoresRequests, &["a_requested_check_gets_a_result"]),
    (Wrong::StartsChecksAgain, &["asking_again_starts_nothing"]),
    (Wrong::LosesReports, &["a_later_report_counts", "a_report_is_read_back"]),
    (Wrong::TakesUnknownReportsForPassed, &["a_report_in_unknown_words_never_passes"]),
    (Wrong::FailsWithoutEvidence, &["evidence_of_an_unknown_check_is_none"]),
    (Wrong::FindsFaultWithEverything, &["preflight_is_quiet_where_all_is_well"]),
    (Wrong::FindsNothing, &["preflight_tells_of_a_revoked_token"]),
];

#[tokio::test]
async fn each_wrong_adapter_fails_exactly_the_cases_named_for_it() {
    let mut surprises = Vec::new();
    for (wrong, expected) in WRONG {
        let failed = failed(*wrong).await;
        let expected: BTreeSet<&str> = expected.iter().copied().collect();
        if failed != expected {
            surprises.push(format!("{wrong:?} fails {failed:#?}"));
        }
    }
    assert!(surprises.is_empty(), "{}", surprises.join("\n"));
}

#[test]
fn each_case_is_failed_by_a_wrong_adapter() {
    let caught: BTreeSet<&str> = WRONG.iter().flat_map(|(_, cases)| cases.iter().copied()).collect();
    let idle: Vec<&str> =
        cases().iter().map(|case| case.name).filter(|name| !caught.contains(name)).collect();
    assert!(idle.is_empty(), "no wrong adapter shows that these cases can fail: {idle:?}");
}

async fn failed(wrong: Wrong) -> BTreeSet<&'static str> {
    let finished = run(async || WrongServer::new(wrong)).await;
    let broken = finished.into_iter().filter(|one| matches!(one.result, Err(Unmet::Broken(_))));
    broken.map(|one| one.name).collect()
}
