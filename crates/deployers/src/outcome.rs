//! [`Outcome`]: how a deployment ended, whoever said so.

use cfgupdater_core::{Claim, DeploymentReport, DeploymentStatus, Timestamp};
use serde::{Deserialize, Deserializer};

use crate::mapping::Spot;

/// How a deployment ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Outcome {
    /// Whether it succeeded.
    pub status: DeploymentStatus,
    /// What was deployed.
    pub claim: Claim,
    /// When the tool saw it.
    pub observed_at: Option<Timestamp>,
}

impl Outcome {
    pub(crate) fn new(status: DeploymentStatus, claim: Claim, observed_at: Option<Timestamp>) -> Self {
        Self { status, claim, observed_at }
    }

    /// Turns it into the report of a target.
    pub fn report(self, spot: &Spot) -> DeploymentReport {
        DeploymentReport {
            wave: spot.wave.clone(),
            target: spot.target.clone(),
            status: self.status,
            claim: self.claim,
            set: spot.set.clone(),
            observed_at: self.observed_at,
        }
    }
}

/// Says why something that a deploy tool sent or answered can't be read.
#[derive(Debug, thiserror::Error)]
#[error("{what} can't be read: {why}")]
#[non_exhaustive]
pub struct Unreadable {
    /// What it should have been.
    pub what: &'static str,
    why: String,
}

/// Reads JSON; fields that aren't asked for are passed over.
pub(crate) fn read<'a, T: Deserialize<'a>>(what: &'static str, json: &'a [u8]) -> Result<T, Unreadable> {
    serde_json::from_slice(json).map_err(|error| Unreadable { what, why: error.to_string() })
}

/// Reads a field that may be absent, or `null`, which templates and Go's encoders write for what is not there.
pub(crate) fn nullable<'de, T: Deserialize<'de> + Default, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Reads an instant; one that can't be read is not told.
pub(crate) fn instant(text: Option<&str>) -> Option<Timestamp> {
    text?.parse().ok()
}
