//! The service's own check among those that a reading found.

use cfgupdater_core::{Checks, Error, GENERATED_CHECK, Reason, RequiredCheck, RequiredChecks};

use super::{Observer, Reading};
use crate::clock;

impl Observer {
    /// Adds the check to the commits of auto, where it is configured; on stable, which people push to, it only finds.
    /// It never takes the place of the checks that somebody must require.
    pub(super) async fn verify(
        &self,
        reading: &Reading,
        required: &mut RequiredChecks,
        checks: &mut Checks,
    ) -> Result<Vec<Reason>, Error> {
        let nothing_required = required.checks.is_empty() && !required.allow_empty;
        if !self.verifier.is_wanted() || nothing_required {
            return Ok(Vec::new());
        }
        required.checks.insert(RequiredCheck::named(GENERATED_CHECK));
        let stable = reading.branches.stable;
        let ours = reading.chain.iter().filter(|commit| commit.intent.is_some()).map(|commit| commit.id);
        let ours: Vec<_> = ours.collect();
        let verification = self.verifier.look(stable, ours.clone()).await?;
        for commit in ours.into_iter().chain([stable]) {
            checks.entry(commit).or_default().push(verification.run_on(&commit, clock::now()));
        }
        Ok(verification.findings())
    }
}
