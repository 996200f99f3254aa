//! Reads stable's history into the form that the wave rules ask for, once, and then only what is new.

use std::collections::BTreeMap;
use std::sync::Arc;

use cfgupdater_core::{
    Autocommit, BlobId, Commit, CommitId, EntryKind, Error, GitRepo, History, HistoryCommit, ImageMap,
    Layout, ObjectId, Policy, Release, RepoPath, Slot, TreeEntry, TreeId, Walk, WaveName,
};

/// The files of one slot as blob ids, in the order of its layout.
type SlotBlobs = Vec<Option<ObjectId>>;

/// The history read so far.
#[derive(Debug, Default)]
pub(crate) struct HistoryReader {
    history: Arc<History>,
    /// The images at the newest commit read.
    blobs: BTreeMap<Slot, SlotBlobs>,
    /// The top-level entries that hold images, at the newest commit read.
    tops: BTreeMap<RepoPath, Option<ObjectId>>,
    /// The state commit that the newest of our commits cites.
    cited_state: Option<CommitId>,
    /// The newest of our commits, if its format is one that this release doesn't know.
    newer_format: Option<(CommitId, u32)>,
}

impl HistoryReader {
    /// Brings the history up to `tip`; starts over where `tip` doesn't continue what was read.
    pub(crate) fn advance(
        &mut self,
        repo: &dyn GitRepo,
        tip: CommitId,
        policy: &Policy,
    ) -> Result<Arc<History>, Error> {
        if self.history.tip() == Some(tip) {
            return Ok(Arc::clone(&self.history));
        }
        let commits = match self.history.tip() {
            Some(read) => continuation(repo, tip, read)?,
            None => None,
        };
        let commits = if let Some(new) = commits {
            new
        } else {
            *self = Self::default();
            repo.walk(&Walk::from(tip).first_parent())?
        };
        for id in commits.iter().rev() {
            self.push(repo, &repo.commit(id)?, policy)?;
        }
        Ok(Arc::clone(&self.history))
    }

    /// Returns the state commit that the newest of our commits on stable cites.
    pub(crate) fn cited_state(&self) -> Option<CommitId> {
        self.cited_state
    }

    /// Returns the newest of our commits on stable with its format, where this release doesn't know that.
    pub(crate) fn newer_format(&self) -> Option<(CommitId, u32)> {
        self.newer_format
    }

    fn push(&mut self, repo: &dyn GitRepo, commit: &Commit, policy: &Policy) -> Result<(), Error> {
        let changed = self.changed_slots(repo, &commit.tree, policy)?;
        let said = if changed.is_empty() { None } else { Autocommit::decode(&commit.message) };
        let newer = if changed.is_empty() { None } else { Autocommit::newer_format(&commit.message) };
        if said.is_some() || newer.is_some() {
            self.newer_format = newer.map(|version| (commit.id, version));
        }
        if let Some(state) = said.as_ref().and_then(|said| said.state) {
            self.cited_state = Some(state);
        }
        Arc::make_mut(&mut self.history).push(HistoryCommit {
            id: commit.id,
            intent: said.as_ref().map(|said| said.id),
            writes: said.as_ref().map(|said| (said.wave.clone(), said.set.clone())),
            app_sha: said.and_then(|said| said.app_sha),
            changed,
        });
        Ok(())
    }

    fn changed_slots(
        &mut self,
        repo: &dyn GitRepo,
        tree: &TreeId,
        policy: &Policy,
    ) -> Result<BTreeMap<Slot, Option<Release>>, Error> {
        let mut changed = BTreeMap::new();
        let mut unchanged_tops: BTreeMap<RepoPath, bool> = BTreeMap::new();
        for (set, wave) in slots(policy) {
            let files = set.layout.files(&wave.name);
            let first = files.first().map(RepoPath::as_str).unwrap_or_default();
            let top: RepoPath = first.split('/').next().unwrap_or_default().parse().expect("part of a path");
            if !unchanged_tops.contains_key(&top) {
                let id = repo.entry(tree, &top)?.map(|entry| entry.id);
                let same = self.tops.insert(top.clone(), id) == Some(id);
                unchanged_tops.insert(top.clone(), same);
            }
            if unchanged_tops[&top] {
                continue;
            }
            let slot = (wave.name.clone(), set.name.clone());
            let blobs = blobs_of(repo, tree, &files)?;
            // Files that were never there and are not there now have not changed.
            let before = self.blobs.insert(slot.clone(), blobs.clone());
            if before.unwrap_or_else(|| vec![None; blobs.len()]) != blobs {
                let images = set.layout.read(&contents(repo, &blobs)?);
                changed.insert(slot, images.map(|images| set.identity.release(&images)));
            }
        }
        Ok(changed)
    }
}

/// Lists the commits from `tip` down to, but not including, `read`; `None` where first parents don't lead there.
fn continuation(repo: &dyn GitRepo, tip: CommitId, read: CommitId) -> Result<Option<Vec<CommitId>>, Error> {
    if !repo.has_commit(&read)? {
        return Ok(None);
    }
    let new = repo.walk(&Walk::from(tip).first_parent().hiding(read))?;
    let Some(oldest) = new.last() else { return Ok(None) };
    Ok((repo.commit(oldest)?.parents.first() == Some(&read)).then_some(new))
}

/// Lists every set with every wave it goes through.
pub(crate) fn slots(
    policy: &Policy,
) -> impl Iterator<Item = (&cfgupdater_core::SetPolicy, &cfgupdater_core::WavePolicy)> {
    policy.sets.iter().flat_map(|set| policy.waves_of(set).map(move |wave| (set, wave)))
}

/// Reads the images of one slot at a commit; `None` where they are absent or can't be read.
pub(crate) fn images_at(
    repo: &dyn GitRepo,
    tree: &TreeId,
    slot: &Slot,
    policy: &Policy,
) -> Result<Option<ImageMap>, Error> {
    let Some(set) = policy.set(&slot.1) else { return Ok(None) };
    Ok(set.layout.read(&files_of(repo, tree, &set.layout, &slot.0)?))
}

/// Reads the files of a layout, in its order.
pub(crate) fn files_of(
    repo: &dyn GitRepo,
    tree: &TreeId,
    layout: &Layout,
    wave: &WaveName,
) -> Result<Vec<Option<Vec<u8>>>, Error> {
    contents(repo, &blobs_of(repo, tree, &layout.files(wave))?)
}

fn blobs_of(repo: &dyn GitRepo, tree: &TreeId, files: &[RepoPath]) -> Result<SlotBlobs, Error> {
    // A link or a directory in the place of a file holds no images.
    let is_file = |entry: &TreeEntry| matches!(entry.kind, EntryKind::File | EntryKind::Executable);
    files.iter().map(|path| Ok(repo.entry(tree, path)?.filter(is_file).map(|entry| entry.id))).collect()
}

fn contents(repo: &dyn GitRepo, blobs: &[Option<ObjectId>]) -> Result<Vec<Option<Vec<u8>>>, Error> {
    blobs.iter().map(|id| id.map(|id| repo.blob(&BlobId::new(id))).transpose()).collect()
}
