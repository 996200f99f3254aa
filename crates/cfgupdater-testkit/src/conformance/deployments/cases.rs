//! The cases, each named after what it demands. They panic where the adapter doesn't meet it.

use std::time::Duration;

use cfgupdater_core::{
    CommitId, DeploymentReport, DeploymentStatus, Error, ErrorKind, ObjectId, Place, Retry, explain,
};

use super::harness::{Deployed, DeploymentsHarness, ToolTrouble};

fn commit(n: u8) -> CommitId {
    CommitId::new(ObjectId::from_bytes(&[n; 20]).expect("twenty bytes make an id"))
}

async fn ask(harness: &dyn DeploymentsHarness, place: &Place) -> Vec<DeploymentReport> {
    let told = harness.deployments().ask(place).await.into_iter();
    told.map(|told| told.unwrap_or_else(|error| panic!("asking about {place:?} failed: {}", explain(&error))))
        .collect()
}

async fn fails(harness: &dyn DeploymentsHarness, place: &Place) -> Error {
    let mut told = harness.deployments().ask(place).await;
    match (told.pop(), told.is_empty()) {
        (Some(Err(error)), true) => error,
        (last, _) => panic!("expected one error, and was told {told:?} {last:?}"),
    }
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

/// A place that is configured and that the tool doesn't know is an error: silence would be waited for in vain.
pub async fn what_is_gone_is_an_error(harness: &mut dyn DeploymentsHarness) {
    let [place, other] = running(harness).await;
    harness.deploy(&place, Deployed::Gone).await;
    let error = fails(harness, &place).await;
    assert!(matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Forbidden), "{error:?}");
    expect(harness, &other, DeploymentStatus::Succeeded, commit(2)).await;
}

/// A tool that is away is an error that says so.
pub async fn an_outage_is_an_error_worth_another_attempt(harness: &mut dyn DeploymentsHarness) {
    let [place, _] = running(harness).await;
    harness.trouble(ToolTrouble::Away).await;
    let error = fails(harness, &place).await;
    assert!(matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::TimedOut), "{error:?}");
    assert_ne!(error.retry(), Retry::Never, "{error:?}");
}

/// The pause that a tool asks for reaches whoever asks.
pub async fn a_limit_is_told_with_its_advice(harness: &mut dyn DeploymentsHarness) {
    let [place, _] = running(harness).await;
    let pause = Duration::from_secs(17);
    harness.trouble(ToolTrouble::Limits(pause)).await;
    let error = fails(harness, &place).await;
    assert_eq!((error.kind(), error.retry()), (ErrorKind::RateLimited, Retry::After(pause)), "{error:?}");
}

/// A login that is no longer accepted needs a person.
pub async fn a_revoked_login_is_an_error_that_no_attempt_mends(harness: &mut dyn DeploymentsHarness) {
    let [place, _] = running(harness).await;
    harness.trouble(ToolTrouble::LoginRevoked).await;
    let error = fails(harness, &place).await;
    assert!(matches!(error.kind(), ErrorKind::Unauthenticated | ErrorKind::Forbidden), "{error:?}");
    assert_eq!(error.retry(), Retry::Never, "{error:?}");
}

/// An answer that can't be read is an error, never silence.
pub async fn nonsense_is_an_error(harness: &mut dyn DeploymentsHarness) {
    let [place, _] = running(harness).await;
    harness.trouble(ToolTrouble::Nonsense).await;
    fails(harness, &place).await;
}

/// Nothing of a trouble stays once it is over.
pub async fn what_failed_works_once_the_trouble_is_over(harness: &mut dyn DeploymentsHarness) {
    let [place, _] = running(harness).await;
    for trouble in [ToolTrouble::Away, ToolTrouble::LoginRevoked, ToolTrouble::Nonsense] {
        harness.trouble(trouble).await;
        fails(harness, &place).await;
        harness.trouble(ToolTrouble::None).await;
        expect(harness, &place, DeploymentStatus::Succeeded, commit(1)).await;
    }
}

/// Neither `Debug` nor an error shows a secret.
pub async fn no_secret_is_shown(harness: &mut dyn DeploymentsHarness) {
    let [place, _] = running(harness).await;
    let mut shown = vec![format!("{:?}", harness.deployments())];
    for trouble in [ToolTrouble::Away, ToolTrouble::LoginRevoked, ToolTrouble::Nonsense] {
        harness.trouble(trouble).await;
        let error = fails(harness, &place).await;
        shown.push(format!("{error:?} {}", explain(&error)));
    }
    let shown = shown.concat();
    for secret in harness.secrets() {
        assert!(!shown.contains(&secret), "a secret is shown: {shown}");
    }
}
