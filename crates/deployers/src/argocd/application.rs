//! The part of an `Application` that tells what is deployed.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::outcome::{Unreadable, nullable, read};

#[derive(Debug, Deserialize)]
pub(super) struct Application {
    pub(super) metadata: Metadata,
    #[serde(default, deserialize_with = "nullable")]
    pub(super) status: Status,
}

#[derive(Debug, Deserialize)]
pub(super) struct Metadata {
    pub(super) name: String,
    #[serde(default, deserialize_with = "nullable")]
    pub(super) namespace: String,
    #[serde(default, deserialize_with = "nullable")]
    pub(super) labels: BTreeMap<String, String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Status {
    #[serde(deserialize_with = "nullable")]
    pub(super) health: Health,
    #[serde(deserialize_with = "nullable")]
    pub(super) sync: SyncStatus,
    pub(super) operation_state: Option<OperationState>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Health {
    #[serde(deserialize_with = "nullable")]
    pub(super) status: String,
    pub(super) last_transition_time: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct SyncStatus {
    #[serde(deserialize_with = "nullable")]
    status: String,
    #[serde(deserialize_with = "nullable")]
    revision: String,
    #[serde(deserialize_with = "nullable")]
    revisions: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OperationState {
    #[serde(default, deserialize_with = "nullable")]
    pub(super) phase: String,
    pub(super) finished_at: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    pub(super) operation: Operation,
    pub(super) sync_result: Option<SyncResult>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Operation {
    pub(super) sync: Option<SyncOperation>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct SyncOperation {
    #[serde(deserialize_with = "nullable")]
    pub(super) dry_run: bool,
    #[serde(deserialize_with = "nullable")]
    pub(super) resources: Vec<IgnoredAny>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct SyncResult {
    #[serde(deserialize_with = "nullable")]
    pub(super) revision: String,
    #[serde(deserialize_with = "nullable")]
    pub(super) revisions: Vec<String>,
    #[serde(deserialize_with = "nullable")]
    pub(super) sources: Vec<Source>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Source {
    #[serde(rename = "repoURL", default)]
    pub(super) repo_url: String,
}

impl Application {
    pub(super) fn read(json: &[u8]) -> Result<Self, Unreadable> {
        read("an Argo CD application", json)
    }
}

impl Status {
    /// Tells whether everything is as it is at the revisions of a result.
    pub(super) fn is_synced_to(&self, result: &SyncResult) -> bool {
        self.sync.status == "Synced"
            && self.sync.revision == result.revision
            && self.sync.revisions == result.revisions
    }
}
