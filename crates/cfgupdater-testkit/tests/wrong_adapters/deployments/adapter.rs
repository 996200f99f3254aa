//! An adapter of a deploy tool with one thing wrong.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use cfgupdater_core::{
    Claim, CommitId, DeploymentReport, DeploymentStatus, Deployments, Error, ErrorKind, Pace, Place, Retry,
    Timestamp,
};
use cfgupdater_testkit::conformance::deployments::Deployed;
use cfgupdater_testkit::memory::MemoryDeployments;

use super::Wrong;

/// What must never be shown.
pub(super) const SECRET: &str = "canary-token";

/// What an adapter says of a place.
type Said = Vec<Result<DeploymentReport, Error>>;

/// An adapter with one thing wrong.
pub(super) struct WrongDeployments {
    pub(super) tool: MemoryDeployments,
    pub(super) wrong: Wrong,
    /// What was said of each place, for those who remember.
    said: Mutex<BTreeMap<Place, Vec<DeploymentReport>>>,
    questions: AtomicI64,
    failed: AtomicBool,
    busy: AtomicBool,
}

pub(super) fn place(wave: &str, target: &str) -> Place {
    (wave.parse().unwrap(), target.parse().unwrap())
}

pub(super) fn places() -> [Place; 2] {
    [place("staging", "one"), place("staging", "two")]
}

fn other(place: &Place) -> Place {
    let [one, two] = places();
    if *place == one { two } else { one }
}

pub(super) fn revision(n: u8) -> CommitId {
    format!("{n:040x}").parse().unwrap()
}

impl fmt::Debug for WrongDeployments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let token = if self.wrong == Wrong::PrintsItsSecret { SECRET } else { "***" };
        f.debug_struct("WrongDeployments").field("token", &token).finish_non_exhaustive()
    }
}

/// Takes the next question once this one is answered or given up.
struct Freed<'a>(&'a AtomicBool);

impl Drop for Freed<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

impl WrongDeployments {
    pub(super) fn new(wrong: Wrong) -> Self {
        Self {
            tool: MemoryDeployments::default(),
            wrong,
            said: Mutex::default(),
            questions: AtomicI64::default(),
            failed: AtomicBool::default(),
            busy: AtomicBool::default(),
        }
    }

    /// Asks about another place than was meant.
    fn meant(&self, place: &Place) -> Place {
        match self.wrong {
            Wrong::MixesPlaces if places().contains(place) => other(place),
            Wrong::IgnoresTheWave => ("staging".parse().unwrap(), place.1.clone()),
            _ => place.clone(),
        }
    }

    async fn answer(&self, place: &Place) -> Said {
        let meant = self.meant(place);
        if self.wrong == Wrong::RemembersAnswers
            && let Some(known) = self.said.lock().unwrap().get(&meant)
        {
            return known.iter().cloned().map(Ok).collect();
        }
        let mut said = self.tool.ask(&meant).await;
        if self.wrong == Wrong::AnswersForAll && places().contains(place) {
            said.extend(self.tool.ask(&other(place)).await);
        }
        said
    }

    /// Turns an error into what this adapter makes of it: another one, or nothing.
    fn spoil(&self, error: Error) -> Option<Error> {
        let another = |kind: ErrorKind| Some(Error::new(kind, "it didn't work"));
        match (self.wrong, error.kind()) {
            (Wrong::TakesErrorsForSilence, _) => None,
            (Wrong::TakesNonsenseForSilence, ErrorKind::Other) => None,
            (Wrong::TakesGoneForAnOutage, ErrorKind::NotFound) => another(ErrorKind::Unavailable),
            (Wrong::TakesOutagesForGone, ErrorKind::Unavailable) => another(ErrorKind::NotFound),
            (Wrong::CallsLimitsOutages, ErrorKind::RateLimited) => another(ErrorKind::Unavailable),
            (Wrong::LosesAdvice, ErrorKind::RateLimited) => Some(error.with_retry(Retry::Backoff)),
            (Wrong::GivesUp, ErrorKind::Unavailable) => Some(error.with_retry(Retry::Never)),
            (Wrong::TriesWrongLogins, ErrorKind::Unauthenticated) => Some(error.with_retry(Retry::Backoff)),
            (Wrong::TellsItsSecret, kind) if kind != ErrorKind::NotFound => {
                Some(Error::new(kind, format!("token {SECRET} was refused")).with_retry(error.retry()))
            }
            (Wrong::TellsItsSecretOfWhatIsGone, ErrorKind::NotFound) => {
                another(ErrorKind::NotFound).map(|error| error.with_source(format!("GET /x?token={SECRET}")))
            }
            _ => Some(error),
        }
    }

    /// Changes a report.
    fn alter(&self, place: &Place, mut report: DeploymentReport, question: i64) -> DeploymentReport {
        (report.wave, report.target) = place.clone();
        match self.wrong {
            Wrong::NamesAnotherPlace => (report.wave, report.target) = other(place),
            Wrong::ClaimsAnotherRevision => report.claim = Claim::Revision(revision(9)),
            Wrong::ClaimsARelease => {
                report.claim = Claim::Release(format!("{}{:024}", revision(1), 0).parse().unwrap());
            }
            Wrong::InventsASet => report.set = Some("invented".parse().unwrap()),
            Wrong::DatesByTheQuestion => report.observed_at = Some(Timestamp::from_millis(question)),
            Wrong::DatesBackwards => {
                let failed = report.status == DeploymentStatus::Failed;
                report.observed_at = Some(Timestamp::from_millis(if failed { 1 } else { 2 }));
            }
            _ => {}
        }
        report
    }

    /// Says something else than what the tool said.
    fn twist(&self, place: &Place, mut said: Said) -> Said {
        let reports: Vec<DeploymentReport> =
            said.iter().filter_map(|one| one.as_ref().ok().cloned()).collect();
        let before = self.said.lock().unwrap().insert(place.clone(), reports.clone());
        let before = before.unwrap_or_default();
        match self.wrong {
            Wrong::SaysItOnce if !before.is_empty() && before == reports => said.clear(),
            Wrong::RepeatsItsLastWord if said.is_empty() => {
                self.said.lock().unwrap().insert(place.clone(), before.clone());
                said = before.into_iter().map(Ok).collect();
            }
            Wrong::NeverMovesBack => {
                let newest = before.into_iter().chain(reports).max_by_key(|report| match report.claim {
                    Claim::Revision(revision) => revision.to_string(),
                    Claim::Release(_) => String::new(),
                });
                if let Some(newest) = newest {
                    self.said.lock().unwrap().insert(place.clone(), vec![newest.clone()]);
                    said.retain(Result::is_err);
                    said.extend(Some(Ok(newest)).filter(|_| said.is_empty()));
                }
            }
            Wrong::SyncsWhenAsked if !said.is_empty() => {
                self.tool.deploy(place, Deployed::UnderWay(revision(1)));
            }
            Wrong::SaysEachErrorTwice => {
                let again = said.iter().filter_map(|one| one.as_ref().err());
                let again: Said =
                    again.map(|error| Err(Error::new(error.kind(), error.to_string()))).collect();
                said.extend(again);
            }
            _ => {}
        }
        said
    }
}

#[async_trait]
impl Deployments for WrongDeployments {
    fn name(&self) -> &'static str {
        if self.wrong == Wrong::HasNoName { "" } else { "wrong" }
    }

    fn pace(&self) -> Pace {
        if self.wrong == Wrong::NeverPauses { Pace::new(Duration::ZERO, 60) } else { self.tool.pace() }
    }

    fn requests(&self, place: &Place) -> u32 {
        match self.wrong {
            Wrong::CountsNoRequests => 0,
            Wrong::CountsStrangers => 1,
            _ => self.tool.requests(&self.meant(place)),
        }
    }

    async fn ask(&self, place: &Place) -> Said {
        let away = |message: &str| vec![Err(Error::new(ErrorKind::Unavailable, message))];
        let question = self.questions.fetch_add(1, Ordering::SeqCst);
        match self.wrong {
            Wrong::FailsOnStrangers if !places().contains(place) => {
                return vec![Err(Error::new(ErrorKind::NotFound, "who is that?"))];
            }
            Wrong::GivesUpForGood if self.failed.load(Ordering::SeqCst) => return away("it failed before"),
            Wrong::TakesOneQuestionAtATime | Wrong::IsSpoiltByCancellation
                if self.busy.swap(true, Ordering::SeqCst) =>
            {
                return away("there is a question already");
            }
            _ => {}
        }
        let guard = (self.wrong == Wrong::TakesOneQuestionAtATime).then(|| Freed(&self.busy));
        // Whoever asks a server waits for it, and may be dropped meanwhile.
        tokio::task::yield_now().await;
        let mut said = Vec::new();
        for one in self.answer(place).await {
            match one {
                Ok(report) => said.push(Ok(self.alter(place, report, question))),
                Err(error) => {
                    self.failed.store(true, Ordering::SeqCst);
                    said.extend(self.spoil(error).map(Err));
                }
            }
        }
        self.busy.store(false, Ordering::SeqCst);
        drop(guard);
        self.twist(place, said)
    }
}
