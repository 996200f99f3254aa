//! [`WrongForge`]: the adapter of the in-memory forge, with one thing wrong.

mod answers;
mod signatures;

use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use cfgupdater_core::{
    Capabilities, CheckState, Checks, CommitId, Error, ErrorKind, Finding, Forge, ForgeAction, ForgeAnswer,
    GitCredentials, RequiredChecks, WebhookDelivery, WebhookMeaning,
};
use cfgupdater_testkit::conformance::forge::{ForgeHarness, Posted};
use cfgupdater_testkit::memory::{MemoryForge, MemoryServer};

use crate::Wrong;

/// An adapter with one thing wrong.
pub(crate) struct WrongForge {
    inner: MemoryForge,
    server: MemoryServer,
    wrong: Wrong,
    /// The token it began with.
    token: String,
    remembered: Mutex<Checks>,
    seen: Mutex<Vec<Vec<u8>>>,
    failed_once: AtomicBool,
    busy: AtomicBool,
}

impl WrongForge {
    pub(crate) async fn new(server: &MemoryServer, wrong: Wrong) -> Self {
        let inner = MemoryForge::new(server);
        let token = inner.git_credentials().await.unwrap().unwrap().password;
        Self {
            inner,
            server: server.clone(),
            wrong,
            token,
            remembered: Mutex::default(),
            seen: Mutex::default(),
            failed_once: AtomicBool::default(),
            busy: AtomicBool::default(),
        }
    }

    /// Does what is wrong before the forge is asked.
    async fn before(&self, commits: &[CommitId]) -> Result<(), Error> {
        let fail = |message: &str| Err(Error::new(ErrorKind::Unavailable, message));
        match self.wrong {
            Wrong::FailsOnNoCommits if commits.is_empty() => fail("there must be a commit"),
            Wrong::GivesUpForGood if self.failed_once.load(Ordering::SeqCst) => fail("it failed before"),
            Wrong::KeepsExpiredTokens => {
                let valid = self.inner.git_credentials().await?.map(|login| login.password);
                if valid.as_ref() == Some(&self.token) { Ok(()) } else { fail("the token expired") }
            }
            Wrong::FailsOnUnknownCommits => {
                let known = self.inner.checks(commits).await?;
                if commits.iter().all(|one| known.contains_key(one)) { Ok(()) } else { fail("not found") }
            }
            _ => Ok(()),
        }
    }

    /// Turns an error into what this adapter makes of it.
    fn spoil(&self, error: Error) -> Error {
        self.failed_once.store(true, Ordering::SeqCst);
        let limited = error.kind() == ErrorKind::RateLimited;
        match self.wrong {
            Wrong::CallsRateLimitsOutages if limited => Error::new(ErrorKind::Unavailable, "slow down"),
            Wrong::LosesAdvice if limited => Error::new(ErrorKind::RateLimited, "slow down"),
            Wrong::NeverAdvisesToRetry => {
                Error::new(error.kind(), "it failed").with_retry(cfgupdater_core::Retry::Never)
            }
            Wrong::TellsSecretsInErrors => Error::new(error.kind(), "it failed")
                .with_source(self.token.clone())
                .with_retry(error.retry()),
            _ => error,
        }
    }
}

impl fmt::Debug for WrongForge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.wrong {
            Wrong::PrintsItsSecret => f.debug_struct("WrongForge").field("token", &self.token).finish(),
            _ => f.debug_struct("WrongForge").finish_non_exhaustive(),
        }
    }
}

#[async_trait]
impl Forge for WrongForge {
    fn capabilities(&self) -> Capabilities {
        match self.wrong {
            Wrong::DoesMoreThanItDeclares => Capabilities::default(),
            _ => self.inner.capabilities(),
        }
    }

    async fn checks(&self, commits: &[CommitId]) -> Result<Checks, Error> {
        if self.wrong == Wrong::IsSpoiltByCancellation && self.busy.swap(true, Ordering::SeqCst) {
            return Err(Error::new(ErrorKind::Other, "another call is under way"));
        }
        self.before(commits).await?;
        let remembered = self.remembered.lock().unwrap().clone();
        let is_remembered = commits.iter().all(|commit| remembered.contains_key(commit));
        if self.wrong == Wrong::RemembersAnswers && is_remembered {
            return Ok(remembered.into_iter().filter(|(commit, _)| commits.contains(commit)).collect());
        }
        let read = self.inner.checks(commits).await;
        self.busy.store(false, Ordering::SeqCst);
        match read {
            Ok(checks) => {
                self.remembered.lock().unwrap().extend(checks.clone());
                Ok(self.answer(checks, commits))
            }
            Err(_) if self.wrong == Wrong::TakesErrorsForEmpty => Ok(Checks::new()),
            Err(error)
                if self.wrong == Wrong::TakesNotFoundForEmpty && error.kind() == ErrorKind::NotFound =>
            {
                Ok(Checks::new())
            }
            Err(error) => Err(self.spoil(error)),
        }
    }

    async fn required_checks(&self) -> Result<Option<RequiredChecks>, Error> {
        let read = self.inner.required_checks().await.map_err(|error| self.spoil(error));
        self.required(read)
    }

    fn decode_webhook(&self, delivery: &WebhookDelivery<'_>) -> Result<WebhookMeaning, Error> {
        self.decode(delivery)
    }

    async fn git_credentials(&self) -> Result<Option<GitCredentials>, Error> {
        self.inner.git_credentials().await
    }

    async fn preflight(&self) -> Result<Vec<Finding>, Error> {
        let mut findings = self.inner.preflight().await?;
        Ok(match self.wrong {
            Wrong::FindsNothing => Vec::new(),
            Wrong::FindsFaultWithEverything => vec![Finding::fatal("something is wrong", "look for it")],
            Wrong::FindsItsSecret => {
                findings.push(Finding::warning("a token", self.token.clone()));
                findings
            }
            _ => findings,
        })
    }

    async fn perform(&self, action: ForgeAction) -> Result<ForgeAnswer, Error> {
        match (self.wrong, action) {
            (Wrong::IgnoresRequests, ForgeAction::RequestChecks { .. }) => Ok(ForgeAnswer::Done),
            (Wrong::StartsChecksAgain, ForgeAction::RequestChecks { commits }) => {
                for commit in commits {
                    self.server.add(commit, &Posted::new("run", "ci", "success"));
                }
                Ok(ForgeAnswer::Done)
            }
            (Wrong::LosesReports, ForgeAction::ReportCheck { .. }) => Ok(ForgeAnswer::Done),
            (
                Wrong::TakesUnknownReportsForPassed,
                ForgeAction::ReportCheck { commit, context, state: CheckState::Unknown(_), .. },
            ) => {
                self.server.add(commit, &Posted::new("status", context, "success"));
                Ok(ForgeAnswer::Done)
            }
            (Wrong::FailsWithoutEvidence, ForgeAction::ReadEvidence { .. }) => {
                Err(Error::new(ErrorKind::NotFound, "there is no evidence"))
            }
            (_, action) => self.inner.perform(action).await,
        }
    }
}

/// Returns the signature that a delivery should have.
fn right_signature(server: &MemoryServer, delivery: &WebhookDelivery<'_>, secret: &str) -> String {
    let mut webhook = server.webhook(crate::harness::ANY_EVENT).unwrap();
    webhook.body = delivery.body.to_vec();
    server.signature(&webhook, secret).1
}
