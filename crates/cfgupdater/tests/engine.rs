//! The engine against mocks: what it does where a backend fails or must be asked exactly once.
#![allow(clippy::unwrap_used, reason = "helpers of tests are not seen as tests by the lint")]

use std::sync::Arc;
use std::time::Duration;

use cfgupdater::core::{
    Announcement, Capabilities, CheckState, Error, ErrorKind, ForgeAction, ForgeAnswer, ImageMap, Policy,
    RefusalKind, Request, SetPolicy, TargetPolicy, WavePolicy,
};
use cfgupdater::{Backends, Engine, RepoHandle};
use cfgupdater_testkit::mocks::{MockForge, MockGitRemote, MockGitRepo};

const PATIENCE: Duration = Duration::from_secs(10);

fn policy() -> Policy {
    let wave = WavePolicy::new("staging".parse().unwrap(), vec![TargetPolicy::new("one".parse().unwrap())]);
    Policy::new("master".parse().unwrap(), vec![SetPolicy::new("app".parse().unwrap())], vec![wave])
}

/// A remote that is away.
fn away() -> MockGitRemote {
    let mut remote = MockGitRemote::new();
    let gone = || Error::new(ErrorKind::Unavailable, "git.example.com can't be reached; look at the network");
    remote.expect_fetch().returning(move |_, _| Err(gone()));
    remote.expect_push().never();
    remote
}

fn start(engine: &mut Engine, remote: MockGitRemote, forge: MockForge) -> RepoHandle {
    let backends = Backends::new(Arc::new(MockGitRepo::new()), Arc::new(remote), Arc::new(forge));
    engine.start("cfg-app".parse().unwrap(), policy(), backends).unwrap()
}

fn announcement() -> Request {
    let (set, app_sha) = ("app".parse().unwrap(), "ab".repeat(20).parse().unwrap());
    Request::Announce(Announcement { set, app_sha, sequence: None, attempt: 1, images: ImageMap::default() })
}

#[tokio::test]
async fn a_remote_that_is_away_is_said_so_and_nothing_is_pushed() {
    let mut engine = Engine::new();
    let repo = start(&mut engine, away(), MockForge::new());
    let view = repo.wait_for(PATIENCE, |view| view.counters.failed_observations > 0).await;
    assert!(!view.reachable && view.snapshot.is_none());
    let view = repo.wait_for(PATIENCE, |view| !view.why.is_empty()).await;
    assert!(view.why[0].text.contains("git.example.com"), "{:?}", view.why);
    engine.stop().await;
}

#[tokio::test]
async fn a_policy_of_which_two_branches_are_one_is_not_started() {
    let mut policy = policy();
    policy.auto = policy.stable.clone();
    let backends = Backends::new(
        Arc::new(MockGitRepo::new()),
        Arc::new(MockGitRemote::new()),
        Arc::new(MockForge::new()),
    );
    let refused = Engine::new().start("cfg-app".parse().unwrap(), policy, backends).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Invalid);
}

#[tokio::test]
async fn a_call_that_waits_when_the_engine_stops_is_told_so() {
    let mut engine = Engine::new();
    let repo = start(&mut engine, away(), MockForge::new());
    let call = tokio::spawn({
        let repo = repo.clone();
        async move { repo.call("ci", announcement()).await }
    });
    // The call is looked at: a second reading was begun for it.
    repo.wait_for(PATIENCE, |view| view.counters.failed_observations > 1).await;
    engine.stop().await;
    let refusal = call.await.unwrap().unwrap_err();
    assert_eq!(refusal.kind, RefusalKind::Unavailable);
    assert!(refusal.detail.contains("repeat the call"), "{refusal}");
    assert_eq!(repo.call("ci", announcement()).await.unwrap_err().kind, RefusalKind::Unavailable);
}

#[tokio::test]
async fn an_action_of_the_forge_is_passed_on_once() {
    let mut forge = MockForge::new();
    forge.expect_capabilities().return_const(Capabilities::default());
    let is_report =
        |action: &ForgeAction| matches!(action, ForgeAction::ReportCheck { context, .. } if context == "ci");
    forge.expect_perform().withf(is_report).times(1).returning(|_| Ok(ForgeAnswer::Done));
    let mut engine = Engine::new();
    let repo = start(&mut engine, away(), forge);
    let report = ForgeAction::ReportCheck {
        commit: "cd".repeat(20).parse().unwrap(),
        context: "ci".to_owned(),
        state: CheckState::Success,
        source: "ci".to_owned(),
        link: None,
        summary: None,
    };
    assert_eq!(repo.perform(report).await.unwrap(), ForgeAnswer::Done);
    engine.stop().await;
}
