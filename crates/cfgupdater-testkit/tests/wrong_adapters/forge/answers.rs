//! What wrong adapters make of answers.

use cfgupdater_core::{
    CheckRun, CheckState, Checks, CommitId, Error, ErrorKind, RequiredCheck, RequiredChecks,
};

use super::WrongForge;
use crate::Wrong;

impl WrongForge {
    pub(super) fn answer(&self, checks: Checks, asked: &[CommitId]) -> Checks {
        let mut checks: Checks = checks.into_iter().map(|(commit, runs)| (commit, self.runs(runs))).collect();
        match self.wrong {
            Wrong::MixesCommits => {
                let all: Vec<CheckRun> = checks.values().flatten().cloned().collect();
                asked.iter().map(|commit| (*commit, all.clone())).collect()
            }
            Wrong::AnswersMoreThanAsked => {
                checks.extend(self.remembered.lock().unwrap().clone());
                checks
            }
            Wrong::InventsChecks => {
                let pending = CheckRun::new("expected", 1, CheckState::Queued);
                for commit in asked {
                    checks.entry(*commit).or_default().push(pending.clone());
                }
                checks
            }
            _ => checks,
        }
    }

    fn runs(&self, runs: Vec<CheckRun>) -> Vec<CheckRun> {
        let runs = match self.wrong {
            Wrong::DropsLaterPages => first_pages(&runs),
            Wrong::LeavesOutUnfinishedChecks => {
                runs.into_iter().filter(|run| run.state.is_finished()).collect()
            }
            _ => runs,
        };
        runs.into_iter().map(|run| self.run(run)).collect()
    }

    fn run(&self, mut run: CheckRun) -> CheckRun {
        match (self.wrong, &run.state) {
            (Wrong::AcceptsUnknownConclusions, CheckState::Unknown(_))
            | (Wrong::TakesCancelledForPassed, CheckState::Infrastructure(_)) => {
                run.state = CheckState::Success;
            }
            (Wrong::TakesRunningForFailed, CheckState::Running) => run.state = CheckState::Failure,
            (Wrong::LosesSources, _) => run.source = None,
            (Wrong::CountsTheFirstAttempt, _) => run.attempt = u64::MAX - run.attempt,
            (Wrong::MergesKinds, _) => run.series = String::new(),
            (Wrong::FoldsNames, _) => run.name = run.name.trim().to_lowercase(),
            _ => {}
        }
        run
    }

    pub(super) fn required(
        &self,
        read: Result<Option<RequiredChecks>, Error>,
    ) -> Result<Option<RequiredChecks>, Error> {
        let kind = read.as_ref().err().map(Error::kind);
        match self.wrong {
            Wrong::TakesForbiddenForNone if kind == Some(ErrorKind::Forbidden) => Ok(None),
            Wrong::TakesOutagesForNone if kind == Some(ErrorKind::Unavailable) => Ok(None),
            Wrong::ReadsNoRequiredSet => read.map(|_| None),
            Wrong::InventsARequiredSet => read.map(|read| read.or(Some(RequiredChecks::named(["ci"])))),
            Wrong::AllowsEmptySets => read.map(|read| read.map(allow_empty)),
            Wrong::LosesRequiredSources => read.map(|read| read.map(without_sources)),
            _ => read,
        }
    }
}

fn first_pages(runs: &[CheckRun]) -> Vec<CheckRun> {
    let of = |kind: &str| runs.iter().filter(|run| run.series == kind).take(100).cloned().collect::<Vec<_>>();
    [of("status"), of("run")].concat()
}

fn allow_empty(mut required: RequiredChecks) -> RequiredChecks {
    required.allow_empty = required.checks.is_empty();
    required
}

fn without_sources(mut required: RequiredChecks) -> RequiredChecks {
    required.checks = required.checks.into_iter().map(|check| RequiredCheck::named(check.name)).collect();
    required
}
