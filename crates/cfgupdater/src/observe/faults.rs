//! Finds what stands against every decision.

use cfgupdater_core::{Autocommit, Branches, ChainCommit, CommitId, Error, Fault, Relation, State};

use super::Reader;

impl Reader<'_> {
    pub(super) fn find_faults(
        &self,
        branches: &Branches,
        state: &State,
        relation: Relation,
        cited: Option<CommitId>,
        faults: &mut Vec<Fault>,
    ) -> Result<(), Error> {
        if let Some(cited) = cited.filter(|cited| !state.excused.contains(cited))
            && !branches.state.map_or(Ok(false), |tip| self.contains(&tip, &cited))?
        {
            faults.push(Fault::StateLost { cited });
        }
        if let Some(seen) = state.stable_seen
            && seen != branches.stable
            && !self.contains(&branches.stable, &seen)?
        {
            faults.push(Fault::StableRewound { seen });
        }
        let moved = matches!(relation, Relation::Ahead | Relation::Diverged);
        if let (None, None, Some(auto), true) = (branches.state, cited, branches.auto, moved) {
            faults.push(Fault::UnrelatedAuto { auto });
        }
        if state.generation > self.policy.generation {
            faults.push(Fault::OldConfiguration { recorded: state.generation });
        }
        Ok(())
    }

    /// Finds a commit that a newer release made: the newest of ours on stable, or one on auto that isn't recognised.
    pub(super) fn newer_format(
        &self,
        chain: &[ChainCommit],
        on_stable: Option<(CommitId, u32)>,
    ) -> Result<Option<Fault>, Error> {
        let mut found = on_stable;
        for link in chain.iter().filter(|link| link.intent.is_none()) {
            let version = Autocommit::newer_format(&self.repo.commit(&link.id)?.message);
            found = found.or(version.map(|version| (link.id, version)));
        }
        Ok(found.map(|(commit, version)| Fault::NewerFormat { commit, version }))
    }

    /// Tells whether a history holds a commit, which may not exist at all.
    fn contains(&self, tip: &CommitId, commit: &CommitId) -> Result<bool, Error> {
        Ok(self.repo.has_commit(commit)? && self.repo.is_ancestor(commit, tip)?)
    }
}
