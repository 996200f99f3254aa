//! Reads the images that a decision may need.

use std::collections::{BTreeMap, BTreeSet};

use cfgupdater_core::{
    Branches, CommitId, Error, History, ImageMap, Release, Revision, Slot, State, Step, Timestamp, TreeId,
};

use super::{Memory, Reader};
use crate::history::{images_at, slots};

type Images = BTreeMap<Release, ImageMap>;

impl Reader<'_> {
    /// Reads the images of what the waves have, and of what may be promoted.
    pub(super) fn images(
        &self,
        branches: &Branches,
        state: &State,
        history: &History,
        memory: &mut Memory,
    ) -> Result<Images, Error> {
        let mut images = BTreeMap::new();
        for (set, wave) in slots(self.policy) {
            let slot = (wave.name.clone(), set.name.clone());
            let present = history.latest(&slot).and_then(|latest| latest.release);
            self.add(&mut images, present, &slot, branches.stable, memory)?;
        }
        for (set, from, to) in self.policy.steps() {
            let step = Step { set, from, to, state, history, now: Timestamp::default() };
            let slot = (from.name.clone(), set.name.clone());
            for candidate in step.promotable() {
                self.add(&mut images, candidate.release, &slot, candidate.commit, memory)?;
            }
        }
        memory.images.clone_from(&images);
        Ok(images)
    }

    fn add(
        &self,
        images: &mut Images,
        release: Option<Release>,
        slot: &Slot,
        commit: CommitId,
        memory: &Memory,
    ) -> Result<(), Error> {
        let Some(release) = release.filter(|release| !images.contains_key(release)) else { return Ok(()) };
        let found = match memory.images.get(&release) {
            Some(known) => Some(known.clone()),
            None => images_at(self.repo, &self.repo.commit(&commit)?.tree, slot, self.policy)?,
        };
        images.extend(found.map(|found| (release, found)));
        Ok(())
    }

    /// Reads what calls named; the images found are added to `images`.
    pub(super) fn revisions(
        &self,
        named: &BTreeSet<CommitId>,
        branches: &Branches,
        history: &History,
        images: &mut Images,
    ) -> Result<BTreeMap<CommitId, Option<Revision>>, Error> {
        let mut revisions = BTreeMap::new();
        for id in named {
            let mut known = None;
            if self.repo.has_commit(id)? {
                let on_stable =
                    history.position(id).is_some() || self.repo.is_ancestor(id, &branches.stable)?;
                let releases = self.releases(&self.repo.commit(id)?.tree, images)?;
                known = Some(Revision { on_stable, releases });
            }
            revisions.insert(*id, known);
        }
        Ok(revisions)
    }

    fn releases(&self, tree: &TreeId, images: &mut Images) -> Result<BTreeMap<Slot, Release>, Error> {
        let mut releases = BTreeMap::new();
        for (set, wave) in slots(self.policy) {
            let slot = (wave.name.clone(), set.name.clone());
            let Some(found) = images_at(self.repo, tree, &slot, self.policy)? else { continue };
            let release = set.identity.release(&found);
            images.entry(release).or_insert(found);
            releases.insert(slot, release);
        }
        Ok(releases)
    }
}
