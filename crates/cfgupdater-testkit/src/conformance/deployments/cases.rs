//! The cases, each named after what it demands. They panic where the adapter doesn't meet it.

mod trouble;

use cfgupdater_core::{CommitId, DeploymentReport, DeploymentStatus, ObjectId, Place, explain};

use super::harness::{Deployed, DeploymentsHarness};
use crate::conformance::dropping::drop_after;

pub use trouble::*;

/// How often a question is polled at most before it is given up.
const POLLS: usize = 6;

fn commit(n: u8) -> CommitId {
    CommitId::new(ObjectId::from_bytes(&[n; 20]).expect("twenty bytes make an id"))
}

async fn ask(harness: &dyn DeploymentsHarness, place: &Place) -> Vec<DeploymentReport> {
    let told = harness.deployments().ask(place).await.into_iter();
    told.map(|told| told.unwrap_or_else(|error| panic!("asking about {place:?} failed: {}", explain(&error))))
        .collect()
}

async fn expect(
    harness: &dyn DeploymentsHarness,
    place: &Place,
    status: DeploymentStatus,
    revision: CommitId,
) {
    let told = ask(harness, place).await;
    assert!(!told.is_empty(), "nothing was told of {place:?}");
    for report in told {
        assert_eq!((report.status, report.claim), (status, harness.claim(revision)));
    }
}

async fn running(harness: &mut dyn DeploymentsHarness) -> [Place; 2] {
    let places = harness.places();
    harness.deploy(&places[0], Deployed::Runs(commit(1))).await;
    harness.deploy(&places[1], Deployed::Runs(commit(2))).await;
    places
}

/// A place that runs a revision and is healthy is reported as succeeded.
pub async fn what_runs_is_reported(harness: &mut dyn DeploymentsHarness) {
    let [place, _] = running(harness).await;
    expect(harness, &place, DeploymentStatus::Succeeded, commit(1)).await;
    assert!(!harness.deployments().name().is_empty(), "the audit trail must say who was asked");
}

/// A revision that could not be brought to run is reported as failed.
pub async fn what_failed_is_reported(harness: &mut dyn DeploymentsHarness) {
    let [place, _] = harness.places();
    harness.deploy(&place, Deployed::Failed(commit(3))).await;
    expect(harness, &place, DeploymentStatus::Failed, commit(3)).await;
}

/// What is not over has no report.
pub async fn what_is_under_way_has_no_report(harness: &mut dyn DeploymentsHarness) {
    let [place, _] = harness.places();
    harness.deploy(&place, Deployed::UnderWay(commit(1))).await;
    assert_eq!(ask(harness, &place).await, []);
}

/// What runs without that the tool can tell whether it is healthy has no report: it may be broken.
pub async fn what_nobody_knows_to_be_healthy_has_no_report(harness: &mut dyn DeploymentsHarness) {
    let [place, _] = harness.places();
    harness.deploy(&place, Deployed::Unsure(commit(1))).await;
    assert_eq!(ask(harness, &place).await, []);
}

/// What ran before is no longer reported while it changes: it says nothing of what comes.
pub async fn what_ran_before_is_not_reported_while_it_changes(harness: &mut dyn DeploymentsHarness) {
    let [place, _] = running(harness).await;
    for what in [Deployed::UnderWay(commit(3)), Deployed::Unsure(commit(3))] {
        harness.deploy(&place, Deployed::Runs(commit(1))).await;
        expect(harness, &place, DeploymentStatus::Succeeded, commit(1)).await;
        harness.deploy(&place, what).await;
        assert_eq!(ask(harness, &place).await, [], "{what:?}");
    }
}

/// When the tool saw what it tells, if it says so, doesn't move with the question: two answers to the same are the same,
/// and what is told of later is not older.
pub async fn when_it_was_seen_is_no_matter_of_the_question(harness: &mut dyn DeploymentsHarness) {
    let [place, _] = running(harness).await;
    let seen = |reports: Vec<DeploymentReport>| -> Vec<_> {
        reports.into_iter().map(|report| report.observed_at).collect()
    };
    let before = seen(ask(harness, &place).await);
    assert_eq!(seen(ask(harness, &place).await), before);
    harness.deploy(&place, Deployed::Failed(commit(3))).await;
    let after = seen(ask(harness, &place).await);
    assert!(before.iter().zip(&after).all(|(before, after)| before <= after), "{before:?}, then {after:?}");
}

/// Reports are about the place asked for and no other.
pub async fn a_report_speaks_of_the_place_asked_for(harness: &mut dyn DeploymentsHarness) {
    let places = running(harness).await;
    for (place, n) in places.iter().zip([1, 2]) {
        for report in ask(harness, place).await {
            assert_eq!((&report.wave, &report.target), (&place.0, &place.1));
            assert_eq!(report.claim, harness.claim(commit(n)));
        }
        assert!(harness.deployments().requests(place) > 0, "asking about {place:?} takes a request");
    }
}

/// Reports are about the set that the place's sender is configured for, and name none where it is for all.
pub async fn a_report_speaks_of_the_set_that_is_configured(harness: &mut dyn DeploymentsHarness) {
    for place in running(harness).await {
        for report in ask(harness, &place).await {
            assert_eq!(report.set, harness.set());
        }
    }
}

/// A place that the tool doesn't deploy to takes no request and has no report.
pub async fn a_place_of_others_costs_nothing_and_has_no_report(harness: &mut dyn DeploymentsHarness) {
    running(harness).await;
    let stranger = harness.stranger();
    assert_eq!(harness.deployments().requests(&stranger), 0);
    assert_eq!(ask(harness, &stranger).await, []);
}

/// Asking twice tells the same.
pub async fn asking_changes_nothing(harness: &mut dyn DeploymentsHarness) {
    let [place, _] = running(harness).await;
    assert_eq!(ask(harness, &place).await, ask(harness, &place).await);
}

/// What changes between two questions is seen.
pub async fn what_changed_is_seen(harness: &mut dyn DeploymentsHarness) {
    let [place, _] = running(harness).await;
    expect(harness, &place, DeploymentStatus::Succeeded, commit(1)).await;
    harness.deploy(&place, Deployed::Failed(commit(4))).await;
    expect(harness, &place, DeploymentStatus::Failed, commit(4)).await;
    harness.deploy(&place, Deployed::Runs(commit(4))).await;
    expect(harness, &place, DeploymentStatus::Succeeded, commit(4)).await;
}

/// A place that runs something older again is told as it is.
pub async fn a_target_that_moved_back_is_told(harness: &mut dyn DeploymentsHarness) {
    let [place, _] = harness.places();
    for n in [5, 1] {
        harness.deploy(&place, Deployed::Runs(commit(n))).await;
        expect(harness, &place, DeploymentStatus::Succeeded, commit(n)).await;
    }
}

/// There is a pause between two questions about a place, or whoever waits would ask without end.
pub async fn there_is_a_pause_between_questions(harness: &mut dyn DeploymentsHarness) {
    running(harness).await;
    let pace = harness.deployments().pace();
    assert!(!pace.interval.is_zero(), "{pace:?}");
}

/// Questions asked at once are answered as those asked one after the other.
pub async fn questions_at_once_are_all_answered(harness: &mut dyn DeploymentsHarness) {
    let [one, two] = running(harness).await;
    let (first, second, again) = tokio::join!(ask(harness, &one), ask(harness, &two), ask(harness, &one));
    assert_eq!((&first, &second), (&ask(harness, &one).await, &ask(harness, &two).await));
    assert_eq!(first, again);
    assert!(!first.is_empty() && !second.is_empty(), "nothing was told");
}

/// A question that is given up, as when the service ends, spoils none that follows.
pub async fn a_question_given_up_leaves_nothing_behind(harness: &mut dyn DeploymentsHarness) {
    let [place, _] = running(harness).await;
    for polls in 1..=POLLS {
        drop_after(polls, harness.deployments().ask(&place)).await;
        expect(harness, &place, DeploymentStatus::Succeeded, commit(1)).await;
    }
}
