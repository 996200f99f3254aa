//! [`MemoryForge`]: the adapter of the in-memory forge.

use async_trait::async_trait;
use cfgupdater_core::{
    Capabilities, CheckRun, CheckState, Checks, CommitId, Error, ErrorKind, Finding, Forge, ForgeAction,
    ForgeAnswer, GitCredentials, RequiredChecks, WebhookDelivery, WebhookMeaning,
};

use super::server::{Attempt, KINDS, MemoryServer};
use super::webhook;
use crate::conformance::forge::Posted;

/// A forge in memory; [`MemoryServer`] is its other side.
#[derive(Debug)]
pub struct MemoryForge {
    server: MemoryServer,
    capabilities: Capabilities,
}

impl MemoryForge {
    /// Builds an adapter that can do everything a forge can.
    pub fn new(server: &MemoryServer) -> Self {
        let mut capabilities = Capabilities::default();
        capabilities.requests_checks = true;
        capabilities.takes_reports = true;
        capabilities.keeps_evidence = true;
        Self::with_capabilities(server, capabilities)
    }

    /// Builds an adapter that can do only this.
    pub fn with_capabilities(server: &MemoryServer, capabilities: Capabilities) -> Self {
        Self { server: server.clone(), capabilities }
    }

    /// Reads every page of every kind.
    async fn attempts(&self, commit: CommitId) -> Result<Vec<Attempt>, Error> {
        let mut attempts = Vec::new();
        for kind in KINDS {
            let (mut listed, mut number) = (Vec::new(), 1);
            loop {
                // A real forge is far away.
                tokio::task::yield_now().await;
                let page = self.server.page(&self.server.log_in()?, commit, kind, number)?;
                listed.extend(page.attempts);
                if page.is_last {
                    complete(&listed, page.total, commit)?;
                    break;
                }
                number += 1;
            }
            attempts.extend(listed);
        }
        Ok(attempts)
    }

    fn report(&self, commit: CommitId, posted: &Posted, about: [Option<String>; 2]) -> Result<(), Error> {
        let texts = [Some(&posted.name), posted.source.as_ref()].into_iter().flatten();
        let improper = |text: &String| text.trim().is_empty() || text.chars().any(char::is_control);
        if texts.chain(about.iter().flatten()).any(improper) {
            let message = "a report's texts must not be empty or hold control characters; correct the report";
            return Err(Error::new(ErrorKind::Invalid, message));
        }
        self.server.knows(commit)?;
        let [link, summary] = about;
        self.server.record(commit, posted, link, summary);
        Ok(())
    }
}

fn complete(listed: &[Attempt], total: usize, commit: CommitId) -> Result<(), Error> {
    if listed.len() == total {
        return Ok(());
    }
    let message =
        format!("{} of {total} checks of {} were listed; read again", listed.len(), commit.short(10));
    Err(Error::new(ErrorKind::Unavailable, message))
}

fn check_run(attempt: Attempt) -> CheckRun {
    let Attempt { number, posted, link, summary } = attempt;
    let mut run = CheckRun::new(posted.name, number, state(&posted.word));
    run.series = posted.kind;
    run.source = Some(posted.source.unwrap_or_else(|| super::server::SOURCES[0].to_owned()));
    run.link = link;
    run.summary = summary;
    run
}

fn state(word: &str) -> CheckState {
    match word {
        "queued" => CheckState::Queued,
        "running" => CheckState::Running,
        "success" => CheckState::Success,
        "failure" => CheckState::Failure,
        "cancelled" => CheckState::Infrastructure("cancelled".to_owned()),
        unknown => CheckState::Unknown(unknown.to_owned()),
    }
}

fn word(state: &CheckState) -> Result<&'static str, Error> {
    match state {
        CheckState::Queued => Ok("queued"),
        CheckState::Running => Ok("running"),
        CheckState::Success => Ok("success"),
        CheckState::Failure => Ok("failure"),
        CheckState::Infrastructure(_) => Ok("cancelled"),
        _ => Err(Error::new(ErrorKind::Invalid, "the in-memory forge has no word for it; use one it has")),
    }
}

#[async_trait]
impl Forge for MemoryForge {
    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    async fn checks(&self, commits: &[CommitId]) -> Result<Checks, Error> {
        let mut checks = Checks::new();
        for commit in commits {
            let attempts = self.attempts(*commit).await?;
            if !attempts.is_empty() {
                checks.insert(*commit, attempts.into_iter().map(check_run).collect());
            }
        }
        Ok(checks)
    }

    async fn required_checks(&self) -> Result<Option<RequiredChecks>, Error> {
        tokio::task::yield_now().await;
        let required = self.server.required(&self.server.log_in()?)?;
        let read =
            |checks: Vec<_>| RequiredChecks { checks: checks.into_iter().collect(), allow_empty: false };
        Ok(required.map(read))
    }

    fn decode_webhook(&self, delivery: &WebhookDelivery<'_>) -> Result<WebhookMeaning, Error> {
        webhook::decode(delivery)
    }

    async fn git_credentials(&self) -> Result<Option<GitCredentials>, Error> {
        tokio::task::yield_now().await;
        Ok(Some(GitCredentials::new("memory", self.server.log_in()?)))
    }

    async fn preflight(&self) -> Result<Vec<Finding>, Error> {
        match self.required_checks().await {
            Ok(_) => Ok(Vec::new()),
            Err(error) => Ok(vec![Finding::fatal(error.to_string(), "look at the token and its rights")]),
        }
    }

    async fn perform(&self, action: ForgeAction) -> Result<ForgeAnswer, Error> {
        tokio::task::yield_now().await;
        self.server.log_in()?;
        let can = self.capabilities;
        match action {
            ForgeAction::RequestChecks { commits } if can.requests_checks => {
                commits.into_iter().try_for_each(|commit| self.server.request(commit))?;
                Ok(ForgeAnswer::Done)
            }
            ForgeAction::ReportCheck { commit, context, state, source, link, summary }
                if can.takes_reports =>
            {
                let mut posted = Posted::new(KINDS[0], context, word(&state)?);
                posted.source = Some(source);
                self.report(commit, &posted, [link, summary])?;
                Ok(ForgeAnswer::Done)
            }
            ForgeAction::ReadEvidence { commit, context } if can.keeps_evidence => {
                let attempts = self.attempts(commit).await?;
                let latest = attempts.into_iter().filter(|attempt| attempt.posted.name == context);
                let latest = latest.max_by_key(|attempt| attempt.number);
                Ok(ForgeAnswer::Evidence(latest.and_then(|attempt| attempt.summary)))
            }
            _ => Err(Error::new(ErrorKind::Unsupported, "this in-memory forge was built without that")),
        }
    }
}
