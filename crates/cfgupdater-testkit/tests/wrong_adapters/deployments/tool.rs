//! A deploy tool in memory, seen through a wrong adapter.

use async_trait::async_trait;
use cfgupdater_core::{Deployments, Place};
use cfgupdater_testkit::conformance::deployments::{Deployed, DeploymentsHarness, ToolTrouble};

use super::Wrong;
use super::adapter::{SECRET, WrongDeployments, place, places, revision};

/// The tool and the adapter that asks it.
pub(super) struct WrongTool {
    adapter: WrongDeployments,
}

impl WrongTool {
    pub(super) fn new(wrong: Wrong) -> Self {
        Self { adapter: WrongDeployments::new(wrong) }
    }
}

#[async_trait]
impl DeploymentsHarness for WrongTool {
    fn deployments(&self) -> &dyn Deployments {
        &self.adapter
    }

    fn places(&self) -> [Place; 2] {
        places()
    }

    fn stranger(&self) -> Place {
        place("production", "one")
    }

    async fn deploy(&mut self, place: &Place, what: Deployed) {
        // What an adapter misreads is the same as another thing that is deployed.
        let read = match (self.adapter.wrong, what) {
            (Wrong::SaysNothing, Deployed::Runs(it)) => Deployed::UnderWay(it),
            (Wrong::TakesFailedForRunning, Deployed::Failed(it)) => Deployed::Runs(it),
            (Wrong::KeepsQuietOfFailures, Deployed::Failed(it)) => Deployed::UnderWay(it),
            (Wrong::TakesUnderWayForRunning, Deployed::UnderWay(it)) => Deployed::Runs(it),
            (Wrong::TakesUnderWayForFailed, Deployed::UnderWay(it)) => Deployed::Failed(it),
            (Wrong::TakesUnsureForRunning, Deployed::Unsure(it)) => Deployed::Runs(it),
            (Wrong::TakesUnsureForFailed, Deployed::Unsure(it)) => Deployed::Failed(it),
            (Wrong::TakesGoneForUnderWay, Deployed::Gone) => Deployed::UnderWay(revision(0)),
            _ => what,
        };
        self.adapter.tool.deploy(place, read);
    }

    async fn trouble(&mut self, trouble: ToolTrouble) {
        self.adapter.tool.set_trouble(trouble);
    }

    fn secrets(&self) -> Vec<String> {
        vec![SECRET.to_owned()]
    }
}
