//! [`Deployments`]: asks deploy tools what their targets run.

use std::fmt::Debug;

use async_trait::async_trait;

use crate::call::DeploymentReport;
use crate::error::Error;
use crate::name::{TargetName, WaveName};
use crate::poll::Pace;

/// A target of a wave.
pub type Place = (WaveName, TargetName);

/// Answers what a deploy tool knows of the targets it deploys to. One value is bound to one repository.
///
/// Deploy tools tell at most once, and sometimes too early; asking them makes a lost word harmless. They are asked only
/// while something waits for their targets, and no faster than their [`Pace`].
///
/// # Contract
/// Only what is over is reported: a target that is still on its way has no report, and neither has one of which the
/// tool can't tell whether it is healthy. A report speaks of the place asked for and of no other. What could not be
/// found out is an error, never silence. Asking changes nothing.
#[async_trait]
pub trait Deployments: Debug + Send + Sync {
    /// Returns who says so, as the audit trail calls it.
    fn name(&self) -> &str;

    /// Tells how often this tool may be asked.
    fn pace(&self) -> Pace;

    /// Tells how many requests it takes to ask about a place; 0 for one that this tool doesn't deploy to.
    fn requests(&self, place: &Place) -> u32;

    /// Asks what a place runs now: one item for each sender that has something to say, or of which nothing could be
    /// found out, since the tool can't be reached, refuses us, answers nonsense or doesn't have what is configured. What
    /// the others say counts all the same.
    async fn ask(&self, place: &Place) -> Vec<Result<DeploymentReport, Error>>;
}
