//! [`Trail`]: tells what the service recorded, and what the checks said of a commit before it was decided on.

use cfgupdater_core::{CommitId, End, Record};
use serde_json::Value;

use super::git::git;
use super::narrator::Narrator;
use super::place::Place;
use crate::client::{Api, Logged, known};
use crate::exit::Failure;
use crate::text::Colour;

/// Tells each transition once, in its order.
pub(super) struct Trail<'a> {
    place: &'a Place,
    api: Api,
    narrator: Narrator,
    told: usize,
}

impl<'a> Trail<'a> {
    pub(super) fn new(place: &'a Place, api: Api, narrator: Narrator) -> Self {
        Self { place, api, narrator, told: 0 }
    }

    /// Tells what is new.
    pub(super) async fn tell(&mut self) -> Result<(), Failure> {
        let mut trail = known(&self.api.log(1000, None).await?.said);
        trail.reverse();
        for item in trail.iter().skip(self.told).filter(|item| is_news(item)) {
            if let Some(commit) = judged(&item.record) {
                self.tell_check(commit).await?;
            }
            self.narrator.recorded(item);
        }
        self.told = trail.len();
        Ok(())
    }

    /// Tells what the check said, as its note on the commit has it.
    async fn tell_check(&self, commit: CommitId) -> Result<(), Failure> {
        let id = commit.to_string();
        let note = git(&self.place.remote(), &["notes", "--ref=cfgupdater/checks", "show", &id]).await?;
        let Some(attempt) =
            note.lines().next_back().and_then(|line| serde_json::from_str::<Value>(line).ok())
        else {
            return Ok(());
        };
        let text = |field: &str| attempt[field].as_str().unwrap_or_default().trim().to_owned();
        let colour = if text("state") == "success" { Colour::Good } else { Colour::Bad };
        let said = format!("{}: {} says: {}", commit.short(10), text("context"), text("output"));
        self.narrator.say("checked", Some(colour), &said);
        Ok(())
    }
}

/// Tells whether a transition moves the story; where stable was seen is bookkeeping.
fn is_news(item: &Logged) -> bool {
    match &item.record {
        Record::StableSeen { .. } | Record::Generation { .. } => false,
        Record::Built { commits } => !commits.is_empty(),
        _ => true,
    }
}

/// Returns the commit whose checks a transition rests on.
fn judged(record: &Record) -> Option<CommitId> {
    match record {
        Record::Ended { end: End::Landed { commit }, .. } => Some(*commit),
        Record::Ended { end: End::Evicted { evidence }, .. } => Some(evidence.commit),
        _ => None,
    }
}
