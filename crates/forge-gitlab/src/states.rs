//! What GitLab's words mean.

use cfgupdater_core::CheckState;
use cfgupdater_forge_http::word;

/// Reads the state of a pipeline, a job, a bridge or a status.
///
/// A pipeline that was skipped says nothing of the commit, and one that waits for somebody to press a button has not
/// passed. The words are an open set: what isn't known is neither passed nor failed.
///
/// Source: <https://docs.gitlab.com/api/pipelines/>, <https://docs.gitlab.com/api/jobs/>.
pub(crate) fn state(status: &str) -> CheckState {
    match status {
        "success" => CheckState::Success,
        "failed" => CheckState::Failure,
        "canceled" | "skipped" => CheckState::Infrastructure(status.to_owned()),
        "running" | "canceling" => CheckState::Running,
        "created"
        | "waiting_for_resource"
        | "waiting_for_callback"
        | "preparing"
        | "pending"
        | "manual"
        | "scheduled" => CheckState::Queued,
        other => CheckState::Unknown(word(other)),
    }
}

/// Why a job fails where the commit may be to blame: by what its script did or how long it took, and where nobody says why.
/// For everything else CI is: quotas, runners, permissions. GitLab adds such reasons with every version.
///
/// Source: `app/models/concerns/enums/ci/commit_status.rb` of GitLab.
const BY_COMMIT: [&str; 7] = [
    "script_failure",
    "job_execution_timeout",
    "job_execution_server_timeout",
    "server_timeout_running",
    "server_timeout_canceling",
    "trace_size_exceeded",
    "unknown_failure",
];

/// Reads the state of a job or a status, which may be allowed to fail, and may say why it did.
pub(crate) fn state_of_job(status: &str, reason: Option<&str>, allow_failure: bool) -> CheckState {
    match (state(status), reason) {
        (CheckState::Failure, _) if allow_failure => CheckState::Success,
        (CheckState::Failure, Some(reason)) if !BY_COMMIT.contains(&reason) => {
            CheckState::Infrastructure(word(reason))
        }
        (other, _) => other,
    }
}

/// Returns the worst of several states: what failed, then what can't be told, then what has not ended.
pub(crate) fn worst(states: impl IntoIterator<Item = CheckState>) -> CheckState {
    let badness = |state: &CheckState| match state {
        CheckState::Success => 0,
        CheckState::Running => 1,
        CheckState::Queued => 2,
        CheckState::Infrastructure(_) => 3,
        CheckState::Failure => 5,
        _ => 4,
    };
    states.into_iter().max_by_key(badness).unwrap_or_else(|| CheckState::Unknown("nothing".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_documented_word_has_a_meaning() {
        assert_eq!(state("success"), CheckState::Success);
        assert_eq!(state("failed"), CheckState::Failure);
        for waits in [
            "created",
            "waiting_for_resource",
            "preparing",
            "pending",
            "manual",
            "scheduled",
            "waiting_for_callback",
        ] {
            assert_eq!(state(waits), CheckState::Queued, "{waits}");
        }
        for runs in ["running", "canceling"] {
            assert_eq!(state(runs), CheckState::Running);
        }
        for broken in ["canceled", "skipped"] {
            assert_eq!(state(broken), CheckState::Infrastructure(broken.to_owned()));
        }
    }

    #[test]
    fn what_is_not_documented_is_neither_green_nor_red() {
        for odd in ["", "Success", "succes", "passed", "neat"] {
            assert_eq!(state(odd), CheckState::Unknown(odd.to_owned()));
            assert_eq!(state_of_job(odd, None, true), CheckState::Unknown(odd.to_owned()));
        }
    }

    #[test]
    fn only_a_failure_is_allowed() {
        for reason in [None, Some("script_failure"), Some("runner_system_failure")] {
            assert_eq!(state_of_job("failed", reason, true), CheckState::Success);
        }
        assert_eq!(state_of_job("failed", None, false), CheckState::Failure);
        for waits in ["manual", "created", "scheduled"] {
            assert_eq!(state_of_job(waits, None, true), CheckState::Queued);
        }
    }

    #[test]
    fn a_job_that_ci_itself_failed_says_nothing_of_the_commit() {
        for reason in BY_COMMIT {
            assert_eq!(state_of_job("failed", Some(reason), false), CheckState::Failure, "{reason}");
        }
        for reason in ["runner_system_failure", "ci_quota_exceeded", "user_blocked", "of_tomorrow"] {
            let broken = CheckState::Infrastructure(reason.to_owned());
            assert_eq!(state_of_job("failed", Some(reason), false), broken);
            assert_eq!(state_of_job("success", Some(reason), false), CheckState::Success);
        }
    }

    #[test]
    fn one_that_failed_makes_it_red_and_one_that_waits_keeps_it_from_green() {
        use CheckState::{Failure, Queued, Running, Success};
        let skipped = || CheckState::Infrastructure("skipped".to_owned());
        assert_eq!(worst([Success, Failure, Running]), Failure);
        assert_eq!(worst([Success, Running, Queued]), Queued);
        assert_eq!(worst([Success, skipped()]), skipped());
        assert_eq!(worst([Success, Success]), Success);
        assert_eq!(worst([]), CheckState::Unknown("nothing".to_owned()));
        let odd = CheckState::Unknown("x".to_owned());
        assert_eq!(worst([odd.clone(), skipped(), Success]), odd);
    }
}
