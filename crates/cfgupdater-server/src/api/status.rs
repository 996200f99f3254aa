//! What a repository is shown as.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The state of a repository.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RepoStatus {
    /// Its name.
    pub name: String,
    /// Whether the latest attempt to read it succeeded.
    pub reachable: bool,
    /// Who paused landing and why, where somebody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<String>,
    /// How often it was read since the start.
    pub observations: u64,
    /// The branches.
    pub branches: Vec<Branch>,
    /// How auto relates to stable.
    pub relation: String,
    /// What is on auto and not on stable, oldest first.
    pub chain: Vec<ChainEntry>,
    /// Intents that were accepted and are not on auto.
    pub queued: Vec<IntentView>,
    /// The waves, first to last.
    pub waves: Vec<Wave>,
    /// Why what waits waits.
    pub why: Vec<Why>,
    /// What the forge's settings would refuse; absent until they were looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preflight: Option<Vec<PreflightFinding>>,
}

/// What is wrong with the forge's settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PreflightFinding {
    /// Whether the service can't work with it.
    pub fatal: bool,
    /// What is wrong.
    pub problem: String,
    /// What to do.
    pub remedy: String,
}

/// A branch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Branch {
    /// `stable`, `auto` or `state`.
    pub role: String,
    /// Its name.
    pub name: String,
    /// Where it is.
    pub commit: Option<String>,
    /// What the checks of that commit say, for stable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<String>,
}

/// A commit of the chain.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ChainEntry {
    /// The commit.
    pub commit: String,
    /// Its first line.
    pub subject: String,
    /// Its intent; absent for somebody else's commit.
    pub intent: Option<String>,
    /// What its required checks say together.
    pub verdict: String,
    /// Each required check.
    pub checks: Vec<CheckView>,
}

/// A required check on one commit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CheckView {
    /// The check.
    pub name: String,
    /// `green`, `red`, `pending` or `missing`.
    pub verdict: String,
    /// Where people read more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

/// A wave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Wave {
    /// Its name.
    pub name: String,
    /// Who holds it and why, where somebody does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<String>,
    /// What it has of each set.
    pub sets: Vec<WaveSet>,
    /// What its targets said.
    pub targets: Vec<Target>,
}

/// One set in one wave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WaveSet {
    /// The set.
    pub set: String,
    /// The release on stable.
    pub release: Option<String>,
    /// The commit that introduced it.
    pub commit: Option<String>,
    /// The application's commit, where it is known.
    pub app_sha: Option<String>,
}

/// A target and what it said last of each set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Target {
    /// Its name.
    pub name: String,
    /// Who waived it and why, where somebody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waived: Option<String>,
    /// Its last reports.
    pub reports: Vec<TargetReport>,
}

/// What a target said last of a set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TargetReport {
    /// The set.
    pub set: String,
    /// The release.
    pub release: String,
    /// `succeeded` or `failed`.
    pub status: String,
    /// When, RFC 3339.
    pub at: String,
}

/// An intent and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct IntentView {
    /// Its id.
    pub id: String,
    /// `introduce`, `promote` or `rollback`; absent where only its end is kept.
    pub kind: Option<String>,
    /// The set it writes.
    pub set: Option<String>,
    /// The wave it writes.
    pub wave: Option<String>,
    /// The release.
    pub release: Option<String>,
    /// The application's commit, where it is known.
    pub app_sha: Option<String>,
    /// When it was accepted, RFC 3339.
    pub accepted_at: Option<String>,
    /// Who asked for it.
    pub actor: Option<String>,
    /// `queued`, `on_auto` or `ended`.
    pub state: String,
    /// Its commit on auto or stable, where it has one.
    pub commit: Option<String>,
    /// Its end, where it has one.
    #[schema(value_type = Option<Object>)]
    pub end: Option<serde_json::Value>,
}

/// Why something waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Why {
    /// What kind of reason it is.
    pub code: String,
    /// What waits.
    pub subject: String,
    /// What it waits for and what to do about it.
    pub text: String,
    /// When it ends by itself, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

/// A page of the audit trail, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Log {
    /// The transitions: each with `record`, `at`, `state` and what belongs to it.
    #[schema(value_type = Vec<Object>)]
    pub items: Vec<serde_json::Value>,
    /// What to pass as `after` for the next page.
    pub next: Option<String>,
}
