//! Adapters of deploy tools that are wrong on purpose, and the cases that each of them fails.

mod adapter;
mod tool;

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use cfgupdater_testkit::conformance::deployments::{cases, check};

use tool::WrongTool;

/// What is wrong with an adapter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrong {
    Nothing,
    HasNoName,
    NeverPauses,
    SaysNothing,
    ClaimsAnotherRevision,
    ClaimsARelease,
    InventsASet,
    TakesFailedForRunning,
    KeepsQuietOfFailures,
    TakesUnderWayForRunning,
    TakesUnderWayForFailed,
    TakesUnsureForRunning,
    TakesUnsureForFailed,
    RepeatsItsLastWord,
    DatesByTheQuestion,
    DatesBackwards,
    MixesPlaces,
    AnswersForAll,
    NamesAnotherPlace,
    CountsNoRequests,
    CountsStrangers,
    FailsOnStrangers,
    IgnoresTheWave,
    SaysItOnce,
    SyncsWhenAsked,
    RemembersAnswers,
    NeverMovesBack,
    TakesGoneForUnderWay,
    TakesGoneForAnOutage,
    TakesOutagesForGone,
    TakesErrorsForSilence,
    TakesNonsenseForSilence,
    GivesUp,
    CallsLimitsOutages,
    LosesAdvice,
    TriesWrongLogins,
    GivesUpForGood,
    SaysEachErrorTwice,
    TakesOneQuestionAtATime,
    IsSpoiltByCancellation,
    PrintsItsSecret,
    TellsItsSecret,
    TellsItsSecretOfWhatIsGone,
}

/// The cases that look at what a report claims.
const OF_ANY_CLAIM: &[&str] = &[
    "a_question_given_up_leaves_nothing_behind",
    "a_report_speaks_of_the_place_asked_for",
    "a_target_that_moved_back_is_told",
    "what_changed_is_seen",
    "what_failed_is_reported",
    "what_failed_works_once_the_trouble_is_over",
    "what_is_gone_is_an_error",
    "what_ran_before_is_not_reported_while_it_changes",
    "what_runs_is_reported",
];

/// Every wrong adapter, with exactly the cases it fails; and the right one, which fails none.
const WRONG: &[(Wrong, &[&str])] = &[
    (Wrong::Nothing, &[]),
    (Wrong::HasNoName, &["what_runs_is_reported"]),
    (Wrong::NeverPauses, &["there_is_a_pause_between_questions"]),
    (
        Wrong::SaysNothing,
        &[
            "a_question_given_up_leaves_nothing_behind",
            "a_target_that_moved_back_is_told",
            "questions_at_once_are_all_answered",
            "what_changed_is_seen",
            "what_failed_works_once_the_trouble_is_over",
            "what_is_gone_is_an_error",
            "what_ran_before_is_not_reported_while_it_changes",
            "what_runs_is_reported",
        ],
    ),
    (Wrong::ClaimsAnotherRevision, OF_ANY_CLAIM),
    (Wrong::ClaimsARelease, OF_ANY_CLAIM),
    (Wrong::InventsASet, &["a_report_speaks_of_the_set_that_is_configured"]),
    (Wrong::TakesFailedForRunning, &["what_changed_is_seen", "what_failed_is_reported"]),
    (Wrong::KeepsQuietOfFailures, &["what_changed_is_seen", "what_failed_is_reported"]),
    (
        Wrong::TakesUnderWayForRunning,
        &["what_is_under_way_has_no_report", "what_ran_before_is_not_reported_while_it_changes"],
    ),
    (
        Wrong::TakesUnderWayForFailed,
        &["what_is_under_way_has_no_report", "what_ran_before_is_not_reported_while_it_changes"],
    ),
    (
        Wrong::TakesUnsureForRunning,
        &[
            "what_nobody_knows_to_be_healthy_has_no_report",
            "what_ran_before_is_not_reported_while_it_changes",
        ],
    ),
    (
        Wrong::TakesUnsureForFailed,
        &[
            "what_nobody_knows_to_be_healthy_has_no_report",
            "what_ran_before_is_not_reported_while_it_changes",
        ],
    ),
    (Wrong::RepeatsItsLastWord, &["what_ran_before_is_not_reported_while_it_changes"]),
    (
        Wrong::DatesByTheQuestion,
        &[
            "asking_changes_nothing",
            "questions_at_once_are_all_answered",
            "when_it_was_seen_is_no_matter_of_the_question",
        ],
    ),
    (Wrong::DatesBackwards, &["when_it_was_seen_is_no_matter_of_the_question"]),
    (
        Wrong::MixesPlaces,
        &[
            "a_question_given_up_leaves_nothing_behind",
            "a_report_speaks_of_the_place_asked_for",
            "a_target_that_moved_back_is_told",
            "no_secret_is_shown",
            "what_changed_is_seen",
            "what_failed_is_reported",
            "what_failed_works_once_the_trouble_is_over",
            "what_is_gone_is_an_error",
            "what_ran_before_is_not_reported_while_it_changes",
            "what_runs_is_reported",
        ],
    ),
    (
        Wrong::AnswersForAll,
        &[
            "a_limit_is_told_with_its_advice",
            "a_question_given_up_leaves_nothing_behind",
            "a_report_speaks_of_the_place_asked_for",
            "a_revoked_login_is_an_error_that_no_attempt_mends",
            "an_outage_is_an_error_worth_another_attempt",
            "no_secret_is_shown",
            "nonsense_is_an_error",
            "what_changed_is_seen",
            "what_failed_works_once_the_trouble_is_over",
            "what_is_gone_is_an_error",
            "what_ran_before_is_not_reported_while_it_changes",
            "what_runs_is_reported",
        ],
    ),
    (Wrong::NamesAnotherPlace, &["a_report_speaks_of_the_place_asked_for"]),
    (Wrong::CountsNoRequests, &["a_report_speaks_of_the_place_asked_for"]),
    (Wrong::CountsStrangers, &["a_place_of_others_costs_nothing_and_has_no_report"]),
    (Wrong::FailsOnStrangers, &["a_place_of_others_costs_nothing_and_has_no_report"]),
    (Wrong::IgnoresTheWave, &["a_place_of_others_costs_nothing_and_has_no_report"]),
    (
        Wrong::SaysItOnce,
        &[
            "a_question_given_up_leaves_nothing_behind",
            "asking_changes_nothing",
            "questions_at_once_are_all_answered",
            "when_it_was_seen_is_no_matter_of_the_question",
        ],
    ),
    (
        Wrong::SyncsWhenAsked,
        &[
            "a_question_given_up_leaves_nothing_behind",
            "asking_changes_nothing",
            "questions_at_once_are_all_answered",
            "what_failed_works_once_the_trouble_is_over",
            "when_it_was_seen_is_no_matter_of_the_question",
        ],
    ),
    (
        Wrong::RemembersAnswers,
        &[
            "a_target_that_moved_back_is_told",
            "no_secret_is_shown",
            "what_changed_is_seen",
            "what_failed_works_once_the_trouble_is_over",
            "what_ran_before_is_not_reported_while_it_changes",
        ],
    ),
    (
        Wrong::NeverMovesBack,
        &["a_target_that_moved_back_is_told", "what_ran_before_is_not_reported_while_it_changes"],
    ),
    (Wrong::TakesGoneForUnderWay, &["no_secret_is_shown", "what_is_gone_is_an_error"]),
    (Wrong::TakesGoneForAnOutage, &["what_is_gone_is_an_error"]),
    (Wrong::TakesOutagesForGone, &["an_outage_is_an_error_worth_another_attempt"]),
    (
        Wrong::TakesErrorsForSilence,
        &[
            "a_limit_is_told_with_its_advice",
            "a_revoked_login_is_an_error_that_no_attempt_mends",
            "an_outage_is_an_error_worth_another_attempt",
            "no_secret_is_shown",
            "nonsense_is_an_error",
            "what_failed_works_once_the_trouble_is_over",
            "what_is_gone_is_an_error",
        ],
    ),
    (
        Wrong::TakesNonsenseForSilence,
        &["no_secret_is_shown", "nonsense_is_an_error", "what_failed_works_once_the_trouble_is_over"],
    ),
    (Wrong::GivesUp, &["an_outage_is_an_error_worth_another_attempt"]),
    (Wrong::CallsLimitsOutages, &["a_limit_is_told_with_its_advice"]),
    (Wrong::LosesAdvice, &["a_limit_is_told_with_its_advice"]),
    (Wrong::TriesWrongLogins, &["a_revoked_login_is_an_error_that_no_attempt_mends"]),
    (Wrong::GivesUpForGood, &["what_failed_works_once_the_trouble_is_over", "what_is_gone_is_an_error"]),
    (
        Wrong::SaysEachErrorTwice,
        &[
            "a_limit_is_told_with_its_advice",
            "a_revoked_login_is_an_error_that_no_attempt_mends",
            "an_outage_is_an_error_worth_another_attempt",
            "no_secret_is_shown",
            "nonsense_is_an_error",
            "what_failed_works_once_the_trouble_is_over",
            "what_is_gone_is_an_error",
        ],
    ),
    (Wrong::TakesOneQuestionAtATime, &["questions_at_once_are_all_answered"]),
    (
        Wrong::IsSpoiltByCancellation,
        &["a_question_given_up_leaves_nothing_behind", "questions_at_once_are_all_answered"],
    ),
    (Wrong::PrintsItsSecret, &["no_secret_is_shown"]),
    (Wrong::TellsItsSecret, &["no_secret_is_shown"]),
    (Wrong::TellsItsSecretOfWhatIsGone, &["no_secret_is_shown"]),
];

/// Plays the cases with a wrong adapter, and returns for each whether it fails.
macro_rules! outcomes {
    ($wrong:expr; $($case:ident)*) => {
        BTreeMap::from([$((stringify!($case), {
            let play = || check(async { cases::$case(&mut WrongTool::new($wrong)).await });
            catch_unwind(AssertUnwindSafe(play)).is_err()
        })),*])
    };
}

fn outcomes(wrong: Wrong) -> BTreeMap<&'static str, bool> {
    cfgupdater_testkit::__deployments_cases! { [outcomes] wrong; }
}

#[test]
fn each_wrong_adapter_fails_exactly_the_cases_named_for_it() {
    let (mut surprises, mut caught, mut all) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
    for (wrong, expected) in WRONG {
        let outcomes = outcomes(*wrong);
        all.extend(outcomes.keys().copied());
        let failed: BTreeSet<&str> =
            outcomes.into_iter().filter(|(_, fails)| *fails).map(|(case, _)| case).collect();
        if failed != expected.iter().copied().collect() {
            surprises.push(format!("{wrong:?} fails {failed:?}"));
        }
        if failed.is_empty() && *wrong != Wrong::Nothing {
            surprises.push(format!("no case notices what is wrong with {wrong:?}"));
        }
        caught.extend(failed);
    }
    assert!(surprises.is_empty(), "{}", surprises.join("\n"));
    let idle: Vec<&&str> = all.difference(&caught).collect();
    assert!(idle.is_empty(), "no wrong adapter shows that these cases can fail: {idle:?}");
}
