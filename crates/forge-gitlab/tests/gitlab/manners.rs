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
async fn a_commit_without_bridges_takes_four_requests() {
    let site = Site::new();
    site.gitlab.world().run(&commit(1).to_string(), "auto", "success");
    site.runs(commit(1)).await;
    assert_eq!(site.gitlab.world().requests.len(), 4, "{:?}", site.gitlab.world().requests);
    let usage = usage(&site).await;
    assert_eq!((usage.requests, usage.limit, usage.remaining), (4, Some(2000), Some(1996)));
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
