//! What a case needs that a deploy tool's adapter can't do by itself.

use std::time::Duration;

use async_trait::async_trait;
use cfgupdater_core::{Claim, CommitId, Deployments, Place, SetName};

/// What a place runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Deployed {
    /// It runs this revision and is healthy.
    Runs(CommitId),
    /// This revision could not be brought to run.
    Failed(CommitId),
    /// It is being brought to this revision.
    UnderWay(CommitId),
    /// It was brought to this revision, and the tool can't tell whether it is healthy.
    Unsure(CommitId),
    /// The tool no longer knows the place.
    Gone,
}

/// What is wrong with the tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ToolTrouble {
    /// Nothing.
    None,
    /// It can't be reached, or says that it is not available.
    Away,
    /// It asks for fewer requests, for this long.
    Limits(Duration),
    /// It no longer accepts our login.
    LoginRevoked,
    /// It answers something else than it should.
    Nonsense,
}

/// A deploy tool that can be told what its places run, and the adapter that asks it.
#[async_trait]
pub trait DeploymentsHarness: Send {
    /// Returns the adapter.
    fn deployments(&self) -> &dyn Deployments;

    /// Returns two places that the tool deploys to.
    fn places(&self) -> [Place; 2];

    /// Returns a place that the tool doesn't deploy to: best a target of the same name in another wave.
    fn stranger(&self) -> Place;

    /// Lets a place run something.
    async fn deploy(&mut self, place: &Place, what: Deployed);

    /// Brings the tool into trouble, or out of it.
    async fn trouble(&mut self, trouble: ToolTrouble);

    /// Returns what a report of a deployed revision names: the revision itself, unless the tool knows releases alone.
    fn claim(&self, revision: CommitId) -> Claim {
        Claim::Revision(revision)
    }

    /// Returns the set that reports of its places are about; none where they are about all.
    fn set(&self) -> Option<SetName> {
        None
    }

    /// Lists the secrets that must never be shown.
    fn secrets(&self) -> Vec<String>;
}
