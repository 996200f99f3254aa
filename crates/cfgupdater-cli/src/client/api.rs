//! [`Api`]: the calls on one repository, with their answers as types.

use std::time::Duration;

use cfgupdater_core::{AppSha, End, Record, RepoName, SetName, Timestamp};
use cfgupdater_server::api::{Announced, Deployment, IntentView, Log, Operated, RepoStatus, Reported};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Call, CallError, Client};

/// Calls a service about one repository.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    client: Client,
    repo: RepoName,
}

/// An answer, as the service sent it and as what it means.
#[derive(Debug, Clone)]
pub(crate) struct Answer<T> {
    pub(crate) raw: Value,
    pub(crate) said: T,
}

/// What an application's CI announces.
#[derive(Debug, Clone)]
pub(crate) struct Announcement {
    pub(crate) app_sha: AppSha,
    pub(crate) set: Option<SetName>,
    pub(crate) sequence: Option<u64>,
    pub(crate) attempt: Option<u32>,
    pub(crate) dry_run: bool,
    /// The images as JSON, passed on as they are: the service says what is wrong with them.
    pub(crate) images: Vec<u8>,
}

/// One transition of the audit trail that this version knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Logged {
    pub(crate) at: Timestamp,
    pub(crate) record: Record,
}

impl Logged {
    /// Reads a transition; `None` where a newer service recorded what this version doesn't know.
    pub(crate) fn read(item: &Value) -> Option<Self> {
        Some(Self { at: Timestamp::deserialize(&item["at"]).ok()?, record: Record::deserialize(item).ok()? })
    }
}

impl Api {
    /// Speaks of one repository.
    pub(crate) fn new(client: Client, repo: RepoName) -> Self {
        Self { client, repo }
    }

    /// Announces images.
    pub(crate) async fn announce(&self, said: Announcement) -> Result<Answer<Announced>, CallError> {
        let call = Call::post(self.path(&["images"]), said.images)
            .with("app_sha", Some(said.app_sha))
            .with("set", said.set)
            .with("sequence", said.sequence)
            .with("attempt", said.attempt)
            .with("dry_run", said.dry_run.then_some(true));
        self.ask(&call).await
    }

    /// Reports what a target runs.
    pub(crate) async fn deployed(&self, said: &Deployment) -> Result<Answer<Reported>, CallError> {
        self.ask(&Call::post_json(self.path(&["deployments"]), said)).await
    }

    /// Acts as an operator on what `path` names. Without a key the call gets one, so that it is carried out once
    /// however often it is sent.
    pub(crate) async fn operate(
        &self,
        path: &[&str],
        body: &impl Serialize,
        key: Option<String>,
    ) -> Result<Answer<Operated>, CallError> {
        let key = key.unwrap_or_else(|| format!("{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..)));
        self.ask(&Call::post_json(self.path(path), body).once_only(key)).await
    }

    /// Reads the state of the repository.
    pub(crate) async fn status(&self) -> Result<Answer<RepoStatus>, CallError> {
        self.ask(&Call::get(self.path(&[]))).await
    }

    /// Reads an intent; with `wait`, once it has an end or that time is over.
    pub(crate) async fn intent(
        &self,
        id: &str,
        wait: Option<Duration>,
    ) -> Result<Answer<IntentView>, CallError> {
        let seconds = wait.map(|wait| wait.as_secs());
        let call = Call::get(self.path(&["intents", id])).with("wait", seconds);
        self.ask(&call.patient_for(wait.unwrap_or_default())).await
    }

    /// Reads a page of the audit trail.
    pub(crate) async fn log(&self, limit: usize, after: Option<String>) -> Result<Answer<Log>, CallError> {
        self.ask(&Call::get(self.path(&["log"])).with("limit", Some(limit)).with("after", after)).await
    }

    fn path<'a>(&'a self, rest: &[&'a str]) -> Vec<&'a str> {
        [&["v1", "repos", self.repo.as_str()], rest].concat()
    }

    async fn ask<T: DeserializeOwned>(&self, call: &Call) -> Result<Answer<T>, CallError> {
        let raw = self.client.send(call).await?;
        let said = T::deserialize(&raw).map_err(|error| {
            CallError::nonsense(&self.client.base, &format!("can't be understood: {error}"))
        })?;
        Ok(Answer { raw, said })
    }
}

/// Returns the transitions of a page that this version knows.
pub(crate) fn known(log: &Log) -> Vec<Logged> {
    log.items.iter().filter_map(Logged::read).collect()
}

/// Returns the end of an intent, where it has one.
pub(crate) fn end_of(intent: &IntentView) -> Option<End> {
    intent.end.as_ref().and_then(|end| End::deserialize(end).ok())
}
