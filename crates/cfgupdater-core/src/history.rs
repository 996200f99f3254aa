//! The history of stable as the wave rules need it: which release came into which wave, when, and by whom.

use std::collections::BTreeMap;

use crate::intent::{Intent, IntentId};
use crate::name::{SetName, WaveName};
use crate::object_id::{AppSha, CommitId};
use crate::release::Release;

/// The images of one wave and set.
pub type Slot = (WaveName, SetName);

/// One commit of stable's first-parent history, as it is fed to [`History::push`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HistoryCommit {
    /// The commit.
    pub id: CommitId,
    /// The intent its message names, if any.
    pub intent: Option<IntentId>,
    /// The wave and set that message names.
    pub writes: Option<Slot>,
    /// The application's commit that message names.
    pub app_sha: Option<AppSha>,
    /// The slots whose images differ from its first parent's, with what they are now; `None` for images that are
    /// gone or can't be read.
    pub changed: BTreeMap<Slot, Option<Release>>,
}

/// A release put into a slot by a commit on stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Introduction {
    /// The ordinal: how many first-parent commits lie before it.
    pub position: u64,
    /// The commit.
    pub commit: CommitId,
    /// The release; `None` for images that are gone or can't be read.
    pub release: Option<Release>,
    /// The intent that did it; `None` for a person.
    pub intent: Option<IntentId>,
    /// The application's commit, where the message told it.
    pub app_sha: Option<AppSha>,
}

/// Stable's first-parent history, oldest first, reduced to what the rules ask for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct History {
    positions: BTreeMap<CommitId, u64>,
    tip: Option<CommitId>,
    tip_is_ours: bool,
    slots: BTreeMap<Slot, Vec<Introduction>>,
    intents: BTreeMap<(IntentId, Option<Release>), Introduction>,
}

impl History {
    /// Adds the next commit of the first-parent history.
    pub fn push(&mut self, commit: HistoryCommit) {
        let position = self.positions.len() as u64;
        self.positions.insert(commit.id, position);
        self.tip = Some(commit.id);
        self.tip_is_ours = false;
        for (slot, release) in commit.changed {
            let intent = commit.intent.filter(|_| commit.writes.as_ref() == Some(&slot));
            let introduction =
                Introduction { position, commit: commit.id, release, intent, app_sha: commit.app_sha };
            self.tip_is_ours |= intent.is_some();
            self.intents.extend(intent.map(|id| ((id, release), introduction)));
            self.slots.entry(slot).or_default().push(introduction);
        }
    }

    /// Returns the newest commit fed.
    pub fn tip(&self) -> Option<CommitId> {
        self.tip
    }

    /// Tells whether the newest commit says that it is one of ours and changed what it says.
    pub fn tip_is_ours(&self) -> bool {
        self.tip_is_ours
    }

    /// Returns how many first-parent commits lie before `commit`; `None` where it isn't among them.
    pub fn position(&self, commit: &CommitId) -> Option<u64> {
        self.positions.get(commit).copied()
    }

    /// Returns what last came into a slot.
    pub fn latest(&self, slot: &Slot) -> Option<&Introduction> {
        self.introductions(slot).last()
    }

    /// Returns all that came into a slot, oldest first.
    pub fn introductions(&self, slot: &Slot) -> &[Introduction] {
        self.slots.get(slot).map_or(&[], Vec::as_slice)
    }

    /// Returns the last introduction of `release` into a slot.
    pub fn introduction_of(&self, slot: &Slot, release: Release) -> Option<&Introduction> {
        self.introductions(slot).iter().rev().find(|introduction| introduction.release == Some(release))
    }

    /// Returns what a slot held once the commit at `position` was there.
    pub fn at(&self, slot: &Slot, position: u64) -> Option<&Introduction> {
        self.introductions(slot).iter().rev().find(|introduction| introduction.position <= position)
    }

    /// Returns the newest commit on stable whose message names `intent` and which changed what that intent writes,
    /// whatever it put there.
    pub fn by_intent(&self, intent: IntentId) -> Option<&Introduction> {
        let named = self.intents.range((intent, None)..).take_while(|((id, _), _)| *id == intent);
        named.map(|(_, introduction)| introduction).max_by_key(|introduction| introduction.position)
    }

    /// Returns the newest commit on stable whose message names the intent and which put the intent's own release where
    /// it belongs. Copies of its message above other content don't count.
    pub fn applied(&self, intent: &Intent) -> Option<&Introduction> {
        self.intents.get(&(intent.id, Some(intent.release)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    fn slot(wave: &str) -> Slot {
        (wave.parse().unwrap(), "app".parse().unwrap())
    }

    fn release(n: u8) -> Release {
        testing::images(&[("web", n)]).release()
    }

    fn commit(n: u8, wave: &str, r: u8, intent: Option<IntentId>) -> HistoryCommit {
        HistoryCommit {
            id: testing::commit(n),
            intent,
            writes: intent.map(|_| slot(wave)),
            app_sha: None,
            changed: BTreeMap::from([(slot(wave), Some(release(r)))]),
        }
    }

    #[test]
    fn a_release_that_returns_has_the_position_of_its_last_introduction() {
        let mut history = History::default();
        for (n, r) in [(1, 1), (2, 2), (3, 1)] {
            history.push(commit(n, "staging", r, None));
        }
        let found = history.introduction_of(&slot("staging"), release(1)).unwrap();
        assert_eq!((found.position, found.commit), (2, testing::commit(3)));
        assert_eq!(history.at(&slot("staging"), 0).unwrap().commit, testing::commit(1));
        assert_eq!(history.at(&slot("staging"), 1).unwrap().release, Some(release(2)));
    }

    #[test]
    fn trailers_that_name_another_slot_than_the_one_changed_are_a_persons() {
        let id = testing::introduce("app", "staging", 1).id;
        let mut history = History::default();
        let mut forged = commit(1, "production", 1, Some(id));
        forged.writes = Some(slot("staging"));
        history.push(forged);
        assert_eq!(history.latest(&slot("production")).unwrap().intent, None);
        assert!(!history.tip_is_ours());
        assert!(history.by_intent(id).is_none());
    }

    #[test]
    fn a_copy_of_a_message_above_other_content_hides_no_application() {
        let intent = testing::introduce("app", "staging", 1);
        let mut history = History::default();
        let mut applies = commit(1, "staging", 1, Some(intent.id));
        applies.changed = BTreeMap::from([(slot("staging"), Some(intent.release))]);
        history.push(applies);
        history.push(commit(2, "staging", 9, Some(intent.id)));
        assert_eq!(history.applied(&intent).unwrap().commit, testing::commit(1));
        assert_eq!(history.by_intent(intent.id).unwrap().commit, testing::commit(2));
    }
}
