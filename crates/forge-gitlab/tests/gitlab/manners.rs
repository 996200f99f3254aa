//! How often GitLab is asked.

use std::time::Duration;

use cfgupdater_core::{ApiUsage, ErrorKind, Forge, ForgeAction, ForgeAnswer, Retry};
use cfgupdater_tests_gitlab::Trouble;

use crate::site::{Site, commit};

async fn usage(site: &Site) -> ApiUsage {
    match site.forge.perform(ForgeAction::ReadUsage).await.unwrap() {
        ForgeAnswer::Usage(usage) => usage,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn every_pipeline_and_every_child_has_its_price() {
    let site = Site::new();
    let sha = commit(1).to_string();
    let cost = async || {
        let before = site.gitlab.world().requests.len();
        site.runs(commit(1)).await;
        site.gitlab.world().requests.len() - before
    };
    let pipeline = site.gitlab.world().run(&sha, "auto", "success");
    assert_eq!(cost().await, 4);
    site.gitlab.world().status(&sha, "feature", "scan", "success", "sonar");
    assert_eq!(cost().await, 4, "one that holds what others report has no jobs");
    site.gitlab.world().run(&sha, "master", "success");
    assert_eq!(cost().await, 4 + 2);
    for children in 1..3 {
        let child = site.gitlab.world().pipeline(&sha, "auto", "parent_pipeline");
        site.gitlab.world().bridge(pipeline, &format!("bridge {children}"), "success", child);
        assert_eq!(cost().await, 4 + 2 + 1 + 2 * children);
    }
    let usage = usage(&site).await;
    assert_eq!((usage.requests, usage.limit, usage.remaining), (34, Some(2000), Some(1966)));
}

#[tokio::test]
async fn a_limited_account_asks_nothing_until_it_may() {
    let site = Site::new();
    site.gitlab.world().trouble = Trouble::RateLimited(Some(300));
    let error = site.forge.checks(&[commit(1)]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    let asked = site.gitlab.world().requests.len();
    let error = site.forge.checks(&[commit(2)]).await.unwrap_err();
    let Retry::After(wait) = error.retry() else { panic!("{error:?}") };
    assert!(wait <= Duration::from_mins(5) && wait > Duration::from_mins(4), "{wait:?}");
    assert_eq!(site.gitlab.world().requests.len(), asked);
    assert_eq!(usage(&site).await.limited, 1);
}
