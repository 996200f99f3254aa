//! Webhooks that nobody took.

use std::time::{Duration, Instant};

use cfgupdater_core::Forge;

use crate::site::{Site, commit};

#[tokio::test(flavor = "multi_thread")]
async fn missed_webhooks_are_asked_for_again_once_work_begins() {
    let site = Site::new();
    let old = site.github.deliver("too old", Duration::from_hours(5), 503);
    let missed = site.github.deliver("missed", Duration::from_mins(5), 503);
    let taken = site.github.deliver("taken", Duration::from_mins(4), 202);
    site.forge.preflight().await.unwrap();
    assert_eq!(site.github.world().requests_of("deliveries"), 0, "looking at the settings asks for nothing");
    site.forge.checks(&[commit(1)]).await.unwrap();
    let start = Instant::now();
    while site.github.world().redelivered.is_empty() {
        assert!(start.elapsed() < Duration::from_secs(30), "nothing is asked for again");
        tokio::task::yield_now().await;
    }
    assert_eq!(site.github.world().redelivered, [missed]);
    assert!(old < missed && missed < taken);
}

#[tokio::test]
async fn without_a_secret_none_is_asked_for() {
    let site = Site::with(|settings| settings.webhook_secret = None);
    site.forge.checks(&[commit(1)]).await.unwrap();
    drop(site.forge);
    assert_eq!(site.github.world().requests_of("deliveries"), 0);
}
