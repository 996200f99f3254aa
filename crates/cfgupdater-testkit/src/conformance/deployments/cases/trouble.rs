//! Cases of tools that can't answer.

use std::time::Duration;

use cfgupdater_core::{DeploymentStatus, Error, ErrorKind, Place, Retry, explain};

use super::{commit, expect, running};
use crate::conformance::deployments::{Deployed, DeploymentsHarness, ToolTrouble};

async fn fails(harness: &dyn DeploymentsHarness, place: &Place) -> Error {
    let mut told = harness.deployments().ask(place).await;
    match (told.pop(), told.is_empty()) {
        (Some(Err(error)), true) => error,
        (last, _) => panic!("expected one error, and was told {told:?} {last:?}"),
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
    let limits = ToolTrouble::Limits(Duration::from_secs(17));
    for trouble in [ToolTrouble::Away, limits, ToolTrouble::LoginRevoked, ToolTrouble::Nonsense] {
        harness.trouble(trouble).await;
        let error = fails(harness, &place).await;
        shown.push(format!("{error:?} {}", explain(&error)));
    }
    harness.trouble(ToolTrouble::None).await;
    harness.deploy(&place, Deployed::Gone).await;
    let error = fails(harness, &place).await;
    shown.push(format!("{error:?} {}", explain(&error)));
    let shown = shown.concat();
    for secret in harness.secrets() {
        assert!(!shown.contains(&secret), "a secret is shown: {shown}");
    }
}
