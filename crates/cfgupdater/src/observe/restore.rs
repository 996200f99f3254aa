//! Reads from auto what its commits prove by themselves, for when the state is lost.

use cfgupdater_core::{Autocommit, ChainCommit, CommitId, Error, Intent};

use super::Reader;
use crate::apply;
use crate::history::images_at;

impl Reader<'_> {
    /// Returns the state commits that auto's commits cite, and the intents that they prove: their id is the hash of
    /// what they want, and applying them gives their tree.
    pub(super) fn proven_by_auto(
        &self,
        chain: &[ChainCommit],
        stable: CommitId,
    ) -> Result<(Vec<CommitId>, Vec<Intent>), Error> {
        let (mut cited, mut proven) = (Vec::new(), Vec::new());
        for link in chain {
            let commit = self.repo.commit(&link.id)?;
            let Some(said) = Autocommit::decode(&commit.message) else { continue };
            let (Some(set), [parent]) = (self.policy.set(&said.set), commit.parents.as_slice()) else {
                continue;
            };
            let slot = (said.wave.clone(), said.set.clone());
            let Some(images) = images_at(self.repo, &commit.tree, &slot, self.policy)? else { continue };
            let release = set.identity.release(&images);
            let Some(intent) = said.proves(release, &images, commit.committed_at, stable) else { continue };
            if apply::is_result(self.repo, parent, &intent, &commit.tree, self.policy)? {
                cited.extend(said.state);
                proven.push(intent);
            }
        }
        Ok((cited, proven))
    }
}
