//! Which commits reach which, by looking at all of them.

use std::cmp::Reverse;
use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, BinaryHeap, HashMap};

use cfgupdater_core::{Commit, CommitId, Error, Walk};

use super::commit_codec;
use super::object::{ObjectKind, Objects, corrupt};

impl Objects {
    pub(super) fn commit(&self, id: &CommitId) -> Result<Commit, Error> {
        let content = self.read(id.object_id(), ObjectKind::Commit)?;
        commit_codec::decode(*id, &content).ok_or_else(|| corrupt(ObjectKind::Commit, id.object_id()))
    }

    /// Reads all commits that `tips` reach, themselves included.
    pub(super) fn reachable(&self, tips: &[CommitId]) -> Result<HashMap<CommitId, Commit>, Error> {
        let mut found = HashMap::new();
        let mut open = tips.to_vec();
        while let Some(id) = open.pop() {
            if let Entry::Vacant(place) = found.entry(id) {
                let commit = self.commit(&id)?;
                open.extend(&commit.parents);
                place.insert(commit);
            }
        }
        Ok(found)
    }

    pub(super) fn is_ancestor(&self, ancestor: &CommitId, descendant: &CommitId) -> Result<bool, Error> {
        self.commit(ancestor)?;
        Ok(self.reachable(&[*descendant])?.contains_key(ancestor))
    }

    /// Finds the newest of the common ancestors that no other common ancestor has as a parent.
    pub(super) fn merge_base(&self, one: &CommitId, other: &CommitId) -> Result<Option<CommitId>, Error> {
        let (ours, theirs) = (self.reachable(&[*one])?, self.reachable(&[*other])?);
        let common: Vec<&Commit> = ours.values().filter(|commit| theirs.contains_key(&commit.id)).collect();
        let covered: BTreeSet<CommitId> = common.iter().flat_map(|commit| commit.parents.clone()).collect();
        let best = common.into_iter().filter(|commit| !covered.contains(&commit.id));
        Ok(best.max_by_key(|commit| (commit.committed_at, commit.id)).map(|commit| commit.id))
    }

    pub(super) fn walk(&self, range: &Walk) -> Result<Vec<CommitId>, Error> {
        let hidden = self.reachable(&range.hide)?;
        let mut wanted = if range.first_parent { self.line(range)? } else { self.reachable(&[range.tip])? };
        wanted.retain(|id, _| !hidden.contains_key(id));
        let mut commits = newest_first(range.tip, &wanted);
        commits.truncate(range.limit.unwrap_or(usize::MAX));
        Ok(commits)
    }

    /// Reads the first parents of the tip, no further than asked.
    fn line(&self, range: &Walk) -> Result<HashMap<CommitId, Commit>, Error> {
        let enough = if range.hide.is_empty() { range.limit.unwrap_or(usize::MAX) } else { usize::MAX };
        let mut found = HashMap::new();
        let mut next = Some(range.tip);
        while let Some(id) = next.filter(|_| found.len() < enough) {
            let mut commit = self.commit(&id)?;
            commit.parents.truncate(1);
            next = commit.parents.first().copied();
            found.insert(id, commit);
        }
        Ok(found)
    }
}

/// Orders by date, a commit only once all its children are out.
fn newest_first(tip: CommitId, commits: &HashMap<CommitId, Commit>) -> Vec<CommitId> {
    let mut children: HashMap<CommitId, usize> = HashMap::new();
    for parent in commits.values().flat_map(|commit| &commit.parents) {
        *children.entry(*parent).or_default() += 1;
    }
    let mut ready: BinaryHeap<_> =
        commits.get(&tip).map(|commit| (commit.committed_at, Reverse(0), tip)).into_iter().collect();
    let mut ordered = Vec::new();
    while let Some((_, _, id)) = ready.pop() {
        ordered.push(id);
        for parent in &commits[&id].parents {
            let waiting = children.entry(*parent).or_default();
            *waiting -= 1;
            if let (0, Some(commit)) = (*waiting, commits.get(parent)) {
                ready.push((commit.committed_at, Reverse(ordered.len()), *parent));
            }
        }
    }
    ordered
}
