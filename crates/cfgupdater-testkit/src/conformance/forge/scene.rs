//! What cases share: a harness, an adapter, and the words of the forge.

use std::sync::Arc;

use cfgupdater_core::{
    CheckRun, CheckState, CommitId, Error, Forge, RequiredCheck, RequiredChecks, Verdict, explain, verdict,
};

use super::case::{CaseResult, Unable, Unmet, broken, ensure};
use super::harness::{CheckKind, ForgeHarness, Posted};

/// A check's name where any will do.
pub(super) const CI: &str = "ci";

/// One case's harness and adapter.
pub(super) struct Scene<'a> {
    pub(super) harness: &'a dyn ForgeHarness,
    pub(super) forge: Arc<dyn Forge>,
}

impl<'a> Scene<'a> {
    pub(super) async fn set(harness: &'a dyn ForgeHarness) -> Self {
        Self { harness, forge: harness.forge().await }
    }

    /// Returns the kind of results that a case uses where any will do.
    pub(super) fn kind(&self) -> Result<CheckKind, Unable> {
        self.harness.kinds().into_iter().next().ok_or_else(|| Unable::to("hold any result"))
    }

    /// Begins an attempt with the forge's word for `state`, of the first kind.
    pub(super) async fn post(&self, commit: CommitId, name: &str, state: &CheckState) -> CaseResult {
        let kind = self.kind()?;
        self.post_as(commit, &kind, None, name, state).await
    }

    /// Begins an attempt of this kind by this source.
    pub(super) async fn post_as(
        &self,
        commit: CommitId,
        kind: &CheckKind,
        source: Option<&String>,
        name: &str,
        state: &CheckState,
    ) -> CaseResult {
        let mut posted = Posted::new(&kind.name, name, word_for(kind, state)?);
        posted.source = source.cloned();
        Ok(self.harness.post(commit, &posted).await?)
    }

    /// Reads the checks of a commit, which must work.
    pub(super) async fn runs(&self, commit: CommitId) -> Result<Vec<CheckRun>, Unmet> {
        match self.forge.checks(&[commit]).await {
            Ok(mut checks) => Ok(checks.remove(&commit).unwrap_or_default()),
            Err(error) => broken(format!("checks could not be read: {}", explain(&error))),
        }
    }

    /// Judges a commit by one check from whichever source, as the rules do.
    pub(super) async fn verdict(&self, commit: CommitId, name: &str) -> Result<Verdict, Unmet> {
        Ok(verdict(&RequiredChecks::named([name]), &self.runs(commit).await?))
    }

    /// Judges a commit by one check from one source.
    pub(super) async fn verdict_by(&self, commit: CommitId, source: &str) -> Result<Verdict, Unmet> {
        let mut required = RequiredChecks::default();
        required.checks.insert(RequiredCheck { name: CI.to_owned(), source: Some(source.to_owned()) });
        Ok(verdict(&required, &self.runs(commit).await?))
    }

    /// Reads the checks of a commit, which must not work.
    pub(super) async fn refusal(&self, commit: CommitId) -> Result<Error, Unmet> {
        match self.forge.checks(&[commit]).await {
            Err(error) => Ok(error),
            Ok(checks) => broken(format!("the answer is {checks:?} where it must be an error")),
        }
    }

    /// Makes a commit whose only check passed, and sees the adapter read it.
    pub(super) async fn green_commit(&self) -> Result<CommitId, Unmet> {
        let commit = self.harness.commit().await;
        self.post(commit, CI, &CheckState::Success).await?;
        let verdict = self.verdict(commit, CI).await?;
        ensure!(verdict == Verdict::Green, "a check that passed is {verdict:?}");
        Ok(commit)
    }
}

/// Finds the forge's word for a state.
pub(super) fn word_for<'a>(kind: &'a CheckKind, state: &CheckState) -> Result<&'a str, Unable> {
    let word = kind.words.iter().find(|(_, meaning)| meaning == state);
    word.map(|(word, _)| word.as_str()).ok_or_else(|| Unable::to(format!("say {state:?} as {}", kind.name)))
}
