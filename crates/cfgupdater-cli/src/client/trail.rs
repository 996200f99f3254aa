//! [`Trail`]: the audit trail, of which each look reads only what is new.

use serde_json::Value;

use super::api::{Api, Logged};
use super::error::CallError;

/// How many transitions a look back reads at a time, and how many pages at most.
const PAGE: usize = 500;
const PAGES: usize = 20;

/// How many a later look reads at first: little has happened since the one before.
const NEWS: usize = 20;

/// The audit trail as far as it was read.
#[derive(Debug)]
pub(super) struct Trail<'a> {
    api: &'a Api,
    items: Vec<Logged>,
    /// The newest state commit that was read.
    newest: Option<String>,
}

impl<'a> Trail<'a> {
    pub(super) fn new(api: &'a Api) -> Self {
        Self { api, items: Vec::new(), newest: None }
    }

    /// Returns what was read, newest first.
    pub(super) fn items(&self) -> &[Logged] {
        &self.items
    }

    /// Reads what was recorded since the look before; the first one goes back to a transition that is `enough`.
    pub(super) async fn read_on(&mut self, enough: impl Fn(&Logged) -> bool) -> Result<(), CallError> {
        let enough = |item: &Logged| self.newest.is_none() && enough(item);
        let (mut news, mut after, mut newest) = (Vec::new(), None, None);
        for page in 0..PAGES {
            let size = if page == 0 && self.newest.is_some() { NEWS } else { PAGE };
            let page = self.api.log(size, after).await?.said;
            newest = newest.or_else(|| page.items.first().and_then(state_of).map(str::to_owned));
            let unread = page
                .items
                .iter()
                .take_while(|item| self.newest.is_none() || state_of(item) != self.newest.as_deref());
            let unread: Vec<&Value> = unread.collect();
            let met = unread.len() < page.items.len();
            let mut last = false;
            for item in unread.into_iter().filter_map(Logged::read) {
                last = enough(&item);
                news.push(item);
                if last {
                    break;
                }
            }
            after = page.next.filter(|_| !met && !last);
            if after.is_none() {
                break;
            }
        }
        news.append(&mut self.items);
        self.items = news;
        self.newest = newest.or_else(|| self.newest.take());
        Ok(())
    }
}

/// Returns the state commit that recorded a transition.
fn state_of(item: &Value) -> Option<&str> {
    item["state"].as_str()
}
