//! What calls carry.

use std::collections::BTreeMap;
use std::fmt;

use cfgupdater::core::{
    CommitId, DeploymentStatus, Image, ImageMap, Release, ServiceName, SetName, TargetName, Timestamp,
    WaveName,
};
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

/// The body of an announcement: service -> image, with `Digest` and `Tag`. A service named twice is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = BTreeMap<String, BTreeMap<String, String>>)]
pub struct Images(pub ImageMap);

impl<'de> Deserialize<'de> for Images {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(UniqueServices)
    }
}

struct UniqueServices;

impl<'de> Visitor<'de> for UniqueServices {
    type Value = Images;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of services, each with Digest and Tag")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Images, A::Error> {
        let mut images: BTreeMap<ServiceName, Image> = BTreeMap::new();
        while let Some((service, image)) = map.next_entry::<ServiceName, Image>()? {
            let name = service.to_string();
            if images.insert(service, image).is_some() {
                return Err(A::Error::custom(format!("service `{name}` is named twice")));
            }
        }
        Ok(Images(ImageMap::new(images)))
    }
}

/// The body of a deployment report. Exactly one of `revision` and `release` is given.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Deployment {
    /// The wave.
    #[schema(value_type = String)]
    pub wave: WaveName,
    /// The target.
    #[schema(value_type = String)]
    pub target: TargetName,
    /// `succeeded` or `failed`.
    #[schema(value_type = String)]
    pub status: DeploymentStatus,
    /// The commit of the configuration repository that was deployed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub revision: Option<CommitId>,
    /// The release that was deployed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub release: Option<Release>,
    /// The set it speaks of; all of the target's where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub set: Option<SetName>,
    /// When the target saw it, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub observed_at: Option<Timestamp>,
}

/// The body of a check's report, with the local forge.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Status {
    /// The check's name.
    pub context: String,
    /// What it says.
    pub state: StatusState,
    /// Where people read more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// A short summary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// What a check says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StatusState {
    /// It runs.
    Pending,
    /// It passed.
    Success,
    /// It failed.
    Failure,
    /// It broke, which counts as failed.
    Error,
}

/// The body of most of an operator's calls.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Because {
    /// Why.
    pub reason: String,
}

/// The body of an approval.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// Why.
    pub reason: String,
    /// The release that was looked at; the one that waits where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub release: Option<Release>,
}

/// The body of a rollback.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RollBack {
    /// The commit of stable whose images the wave goes back to.
    #[schema(value_type = String)]
    pub to: CommitId,
    /// Why.
    pub reason: String,
}

/// The body of a waiver.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Waiver {
    /// Why.
    pub reason: String,
    /// Until when the target is not waited for, RFC 3339; for good where absent, and a time that has passed ends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub until: Option<Timestamp>,
}
