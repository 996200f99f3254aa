//! How often GitHub is asked.

use std::time::Duration;

use cfgupdater_core::{ApiUsage, ErrorKind, Forge, ForgeAction, ForgeAnswer, RequiredChecks, Retry};
use cfgupdater_tests_github::Trouble;

use crate::site::{Site, commit};

async fn usage(site: &Site) -> ApiUsage {
    match site.forge.perform(ForgeAction::ReadUsage).await.unwrap() {
        ForgeAnswer::Usage(usage) => usage,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_has_not_changed_costs_nothing() {
    let site = Site::new();
    site.github.world().rule(&[("ci", None)]);
    site.github.world().status(&commit(1).to_string(), "ci", "pending", "octocat");
    for _ in 0..3 {
        site.runs(commit(1)).await;
        site.forge.required_checks().await.unwrap();
    }
    // Statuses, runs and rules; that the branch is not protected has no mark.
    assert_eq!(usage(&site).await.unchanged, 6);
    site.github.world().status(&commit(1).to_string(), "ci", "success", "octocat");
    assert_eq!(site.runs(commit(1)).await.len(), 2, "what changed is read");
    let usage = usage(&site).await;
    assert_eq!((usage.unchanged, usage.limit), (7, Some(5000)));
    assert!(usage.remaining.is_some());
}

#[tokio::test]
async fn a_changed_rule_is_seen_with_its_webhook_and_without() {
    let site = Site::new();
    site.github.world().rule(&[("ci", None)]);
    assert_eq!(site.forge.required_checks().await.unwrap(), Some(RequiredChecks::named(["ci"])));
    site.github.world().rule(&[("lint", None)]);
    assert_eq!(site.forge.required_checks().await.unwrap(), Some(RequiredChecks::named(["ci", "lint"])));
    let before = usage(&site).await.unchanged;
    let body = br#"{"repository":{"full_name":"acme/cfg"}}"#;
    crate::payloads::deliver(&site.forge, "repository_ruleset", body).unwrap();
    site.forge.required_checks().await.unwrap();
    assert_eq!(usage(&site).await.unchanged, before, "after the webhook it is read whole");
}

#[tokio::test]
async fn a_limited_account_asks_nothing_until_it_may() {
    let site = Site::new();
    site.forge.git_credentials().await.unwrap();
    site.github.world().trouble = Trouble::RateLimited(Some(300));
    let error = site.forge.checks(&[commit(1)]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    let asked = site.github.world().requests.len();
    let error = site.forge.checks(&[commit(2)]).await.unwrap_err();
    let Retry::After(wait) = error.retry() else { panic!("{error:?}") };
    assert!(wait <= Duration::from_mins(5) && wait > Duration::from_mins(4), "{wait:?}");
    assert_eq!(site.github.world().requests.len(), asked);
    assert!(usage(&site).await.limited >= 1);
}

#[tokio::test]
async fn what_the_app_itself_asks_is_counted_apart() {
    let site = Site::new();
    site.runs(commit(1)).await;
    site.github.world().app_remaining = Some(12);
    let refused = site.forge.git_credentials().await.unwrap().unwrap();
    site.forge.perform(ForgeAction::ReplaceCredentials { refused }).await.unwrap();
    site.forge.git_credentials().await.unwrap();
    let usage = usage(&site).await;
    assert_ne!(usage.remaining, Some(12), "what is left is what the installation may ask");
    assert_eq!(usage.requests, site.github.world().requests.len() as u64);
}

#[tokio::test]
async fn six_pushes_a_minute_are_advised() {
    assert_eq!(Site::new().forge.capabilities().pushes_per_minute, Some(6));
    let own = Site::with(|settings| settings.pushes_per_minute = None);
    assert_eq!(own.forge.capabilities().pushes_per_minute, None);
}
