//! Webhooks that nobody took are asked for again. The timer makes it unnecessary; this makes it quicker.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cfgupdater_core::{Error, Timestamp};
use cfgupdater_forge_http::now;
use serde::{Deserialize, Serialize};
use tracing::debug;

use crate::client::Client;

/// How often missed deliveries are looked for.
pub(crate) const EVERY: Duration = Duration::from_mins(10);

/// How old a delivery may be to be worth anything: by then the timer has looked many a time.
const WORTH: Duration = Duration::from_hours(1);

/// How often one event is tried before it is given up.
const ATTEMPTS: usize = 3;

/// How many are asked for at once: the first of them makes us look at everything.
const AT_ONCE: usize = 3;

/// One attempt to deliver an event.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Delivery {
    id: u64,
    /// The event, the same for each attempt.
    guid: String,
    delivered_at: String,
    status_code: u16,
    #[serde(default)]
    repository_id: Option<u64>,
}

/// Asks for the deliveries that failed lately; does nothing where there is no App.
pub(crate) async fn recover(client: &Client, repository_id: u64) -> Result<(), Error> {
    let what = "reading the App's deliveries";
    let listed: Option<Vec<Delivery>> = client.as_app(what, "/app/hook/deliveries?per_page=100").await?;
    for id in missed(&listed.unwrap_or_default(), repository_id, now()) {
        debug!(id, "asking for a webhook that nobody took");
        client
            .post_as_app("asking for a webhook again", &format!("/app/hook/deliveries/{id}/attempts"))
            .await?;
    }
    Ok(())
}

/// Picks the events of this repository that no attempt delivered, newest first.
fn missed(listed: &[Delivery], repository_id: u64, now: Timestamp) -> Vec<u64> {
    let ours = |delivery: &&Delivery| delivery.repository_id == Some(repository_id);
    let taken: BTreeSet<&str> = listed
        .iter()
        .filter(|delivery| (200..300).contains(&delivery.status_code))
        .map(|d| d.guid.as_str())
        .collect();
    let mut events: BTreeMap<&str, Vec<&Delivery>> = BTreeMap::new();
    for delivery in listed.iter().filter(ours).filter(|delivery| !taken.contains(delivery.guid.as_str())) {
        events.entry(&delivery.guid).or_default().push(delivery);
    }
    let fresh = |delivery: &Delivery| {
        delivery.delivered_at.parse::<Timestamp>().is_ok_and(|at| now.since(at) <= WORTH)
    };
    let worth = events.into_values().filter(|attempts| attempts.len() < ATTEMPTS);
    let mut ids: Vec<u64> = worth
        .filter_map(|attempts| attempts.into_iter().filter(|attempt| fresh(attempt)).map(|a| a.id).max())
        .collect();
    ids.sort_unstable_by(|one, other| other.cmp(one));
    ids.truncate(AT_ONCE);
    ids
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-01-31T10:00:00Z";

    fn delivery(id: u64, guid: &str, minute: u8, status_code: u16) -> Delivery {
        let delivered_at = format!("2026-01-31T09:{minute:02}:00Z");
        Delivery { id, guid: guid.to_owned(), delivered_at, status_code, repository_id: Some(1) }
    }

    fn picked(listed: &[Delivery]) -> Vec<u64> {
        missed(listed, 1, NOW.parse().unwrap())
    }

    #[test]
    fn answers_of_github_itself_are_read() {
        let read = |name: &str| {
            let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/payloads/octocrab-0.54.9/");
            std::fs::read(format!("{folder}{name}.json")).unwrap()
        };
        let listed: Vec<Delivery> = serde_json::from_slice(&read("hooks_delivery_list")).unwrap();
        let soon = "2024-07-25T12:00:00Z".parse().unwrap();
        assert_eq!(missed(&listed, 1, soon), [93_676_014_012], "the one that was answered 503");
        let one: Delivery = serde_json::from_slice(&read("repo_hook_delivery_detail")).unwrap();
        assert_eq!((one.id, one.status_code, one.repository_id), (42, 200, Some(12_345)));
    }

    #[test]
    fn what_no_attempt_delivered_is_asked_for() {
        let listed = [
            delivery(5, "taken later", 50, 200),
            delivery(4, "missed", 40, 503),
            delivery(3, "taken later", 30, 502),
            delivery(2, "never answered", 20, 0),
        ];
        assert_eq!(picked(&listed), [4, 2]);
    }

    #[test]
    fn old_ones_hopeless_ones_and_those_of_others_are_left() {
        let mut others = delivery(9, "others", 50, 500);
        others.repository_id = Some(2);
        let mut old = delivery(1, "old", 0, 500);
        old.delivered_at = "2026-01-31T08:00:00Z".to_owned();
        let hopeless = (6..9).map(|id| delivery(id, "hopeless", 50, 500));
        let listed: Vec<Delivery> = [others, old].into_iter().chain(hopeless).collect();
        assert!(picked(&listed).is_empty());
    }

    #[test]
    fn a_few_are_enough() {
        let listed: Vec<Delivery> = (0..50).map(|id| delivery(id, &format!("event {id}"), 50, 500)).collect();
        assert_eq!(picked(&listed), [49, 48, 47]);
    }
}
