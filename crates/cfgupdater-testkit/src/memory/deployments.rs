//! A deploy tool in memory, and what asks it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use cfgupdater_core::{
    Claim, DeploymentReport, DeploymentStatus, Deployments, Error, ErrorKind, Pace, Place, Retry,
};

use crate::conformance::deployments::{Deployed, DeploymentsHarness, ToolTrouble};

/// What a tool knows.
#[derive(Debug, Default)]
struct Known {
    places: BTreeMap<Place, Deployed>,
    trouble: Option<ToolTrouble>,
    asked: Vec<Place>,
}

/// A deploy tool in memory, for the tests of services that embed the engine. Cheap to clone; clones are the same tool.
#[derive(Debug, Clone, Default)]
pub struct MemoryDeployments {
    known: Arc<Mutex<Known>>,
    pace: Pace,
}

impl MemoryDeployments {
    /// Builds a tool that deploys to no place yet.
    pub fn new(pace: Pace) -> Self {
        Self { known: Arc::default(), pace }
    }

    /// Lets a place run something; from then on the tool deploys to it.
    pub fn deploy(&self, place: &Place, what: Deployed) {
        self.known().places.insert(place.clone(), what);
    }

    /// Brings the tool into trouble, or out of it.
    pub fn set_trouble(&self, trouble: ToolTrouble) {
        self.known().trouble = Some(trouble);
    }

    /// Returns how often it was asked.
    pub fn questions(&self) -> usize {
        self.known().asked.len()
    }

    /// Returns the places it was asked about, in the order of the questions.
    pub fn asked(&self) -> Vec<Place> {
        self.known().asked.clone()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn in_trouble(trouble: ToolTrouble) -> Option<Error> {
    Some(match trouble {
        ToolTrouble::None => return None,
        ToolTrouble::Away => Error::new(ErrorKind::Unavailable, "the tool is away"),
        ToolTrouble::Limits(pause) => {
            Error::new(ErrorKind::RateLimited, "slow down").with_retry(Retry::After(pause))
        }
        ToolTrouble::LoginRevoked => Error::new(ErrorKind::Unauthenticated, "log in again"),
        ToolTrouble::Nonsense => Error::new(ErrorKind::Other, "the answer can't be read"),
    })
}

#[async_trait]
impl Deployments for MemoryDeployments {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn pace(&self) -> Pace {
        self.pace
    }

    fn requests(&self, place: &Place) -> u32 {
        u32::from(self.known().places.contains_key(place))
    }

    async fn ask(&self, place: &Place) -> Vec<Result<DeploymentReport, Error>> {
        let mut known = self.known();
        known.asked.push(place.clone());
        let Some(found) = known.places.get(place) else { return Vec::new() };
        if let Some(error) = known.trouble.and_then(in_trouble) {
            return vec![Err(error)];
        }
        let (status, revision) = match found {
            Deployed::Runs(revision) => (DeploymentStatus::Succeeded, revision),
            Deployed::Failed(revision) => (DeploymentStatus::Failed, revision),
            Deployed::UnderWay(_) | Deployed::Unsure(_) => return Vec::new(),
            Deployed::Gone => {
                return vec![Err(Error::new(ErrorKind::NotFound, "the tool doesn't know the target"))];
            }
        };
        let (wave, target) = place.clone();
        let claim = Claim::Revision(*revision);
        vec![Ok(DeploymentReport { wave, target, status, claim, set: None, observed_at: None })]
    }
}

/// The harness of [`MemoryDeployments`].
#[derive(Debug, Default)]
pub struct MemoryTool(MemoryDeployments);

impl MemoryTool {
    /// Starts a tool.
    #[expect(clippy::unused_async, reason = "harnesses are started by an async function")]
    pub async fn start() -> Self {
        Self::default()
    }
}

fn place(wave: &str, target: &str) -> Place {
    (wave.parse().expect("a valid name"), target.parse().expect("a valid name"))
}

#[async_trait]
impl DeploymentsHarness for MemoryTool {
    fn deployments(&self) -> &dyn Deployments {
        &self.0
    }

    fn places(&self) -> [Place; 2] {
        ["one", "two"].map(|target| place("staging", target))
    }

    fn stranger(&self) -> Place {
        place("production", "one")
    }

    async fn deploy(&mut self, place: &Place, what: Deployed) {
        self.0.deploy(place, what);
    }

    async fn trouble(&mut self, trouble: ToolTrouble) {
        self.0.set_trouble(trouble);
    }

    fn secrets(&self) -> Vec<String> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    crate::deployments_conformance! {
        harness: super::MemoryTool::start,
    }
}
