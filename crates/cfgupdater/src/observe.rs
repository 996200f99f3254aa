//! Observing: refs first, then what they hold, then the checks.

mod faults;
mod images;
mod restore;
mod state;
mod verify;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cfgupdater_core::{
    Branches, ChainCommit, Commit, CommitId, Error, ErrorKind, Fault, Forge, GitRemote, GitRepo, History,
    ImageMap, Intent, IntentId, Policy, RefMap, Relation, Release, Revision, Snapshot, State, Walk,
};

use crate::engine::Backends;
use crate::history::HistoryReader;
use crate::state_branch::AcceptedIn;
use crate::verifier::Verifier;
use crate::{apply, clock};

/// How long one reading of the remote may take.
const FETCH_DEADLINE: Duration = Duration::from_mins(2);

/// Reads snapshots of one repository, and remembers what can't change.
#[derive(Debug)]
pub(crate) struct Observer {
    backends: Backends,
    policy: Arc<Policy>,
    verifier: Arc<Verifier>,
    memory: Arc<Mutex<Memory>>,
}

/// What was read before and can't change, since it is named by its content.
#[derive(Debug, Default)]
struct Memory {
    history: HistoryReader,
    state: Option<(CommitId, Arc<State>)>,
    images: BTreeMap<Release, ImageMap>,
    /// Chain commits already recognised, for the state commit they were recognised under.
    recognised: BTreeMap<CommitId, IntentId>,
    accepted_in: AcceptedIn,
}

/// What git alone says.
struct Reading {
    branches: Branches,
    state: Arc<State>,
    faults: Vec<Fault>,
    history: Arc<History>,
    relation: Relation,
    chain: Vec<ChainCommit>,
    landed: BTreeMap<IntentId, CommitId>,
    images: BTreeMap<Release, ImageMap>,
    revisions: BTreeMap<CommitId, Option<Revision>>,
    cited: Vec<CommitId>,
    restorable: Vec<Intent>,
}

impl Observer {
    pub(crate) fn new(backends: Backends, policy: Arc<Policy>, verifier: Arc<Verifier>) -> Self {
        Self { backends, policy, verifier, memory: Arc::default() }
    }

    /// Reads everything afresh.
    pub(crate) async fn observe(&self, revisions: BTreeSet<CommitId>) -> Result<Snapshot, Error> {
        let refs = self.fetch().await?;
        let reading = self.read(refs, revisions).await?;
        let mut tested: Vec<CommitId> = reading.chain.iter().map(|commit| commit.id).collect();
        tested.push(reading.branches.stable);
        let forge: &dyn Forge = &*self.backends.forge;
        let by_forge = match self.policy.required {
            Some(_) => None,
            None => forge.required_checks().await?,
        };
        let mut required = self.policy.required_with(by_forge);
        let mut checks = forge.checks(&tested).await?;
        let findings = self.verify(&reading, &mut required, &mut checks).await?;
        Ok(Snapshot {
            checks: checks.into_iter().map(|(id, runs)| (id, runs.into())).collect(),
            findings,
            now: clock::now(),
            branches: reading.branches,
            state: reading.state,
            faults: reading.faults,
            history: reading.history,
            relation: reading.relation,
            chain: reading.chain,
            landed: reading.landed,
            required: Arc::new(required),
            capabilities: forge.capabilities(),
            images: reading.images,
            revisions: reading.revisions,
            cited: reading.cited,
            restorable: reading.restorable,
        })
    }

    async fn fetch(&self) -> Result<RefMap, Error> {
        let Policy { stable, auto, state, probe, .. } = &*self.policy;
        let names = [stable, auto, state, probe].map(cfgupdater_core::BranchName::to_ref);
        let remote: &dyn GitRemote = &*self.backends.remote;
        remote.fetch(&names, FETCH_DEADLINE).await
    }

    async fn read(&self, refs: RefMap, revisions: BTreeSet<CommitId>) -> Result<Reading, Error> {
        let (repo, policy, memory) =
            (Arc::clone(&self.backends.repo), Arc::clone(&self.policy), Arc::clone(&self.memory));
        let read = move || {
            let mut memory = memory.lock().unwrap_or_else(PoisonError::into_inner);
            Reader { repo: &*repo, policy: &policy }.read(&refs, &revisions, &mut memory)
        };
        let interrupted =
            |error| Error::new(ErrorKind::Other, "reading the repository was interrupted").with_source(error);
        tokio::task::spawn_blocking(read).await.map_err(interrupted)?
    }
}

struct Reader<'a> {
    repo: &'a dyn GitRepo,
    policy: &'a Policy,
}

impl Reader<'_> {
    fn read(
        &self,
        refs: &RefMap,
        revisions: &BTreeSet<CommitId>,
        memory: &mut Memory,
    ) -> Result<Reading, Error> {
        let branches = self.branches(refs)?;
        let mut faults = Vec::new();
        let state = self.state(branches.state, memory, &mut faults)?;
        let history = memory.history.advance(self.repo, branches.stable, self.policy)?;
        let relation = self.relation(&branches)?;
        let chain = self.chain(&branches, relation, &state, memory)?;
        let cited = memory.history.cited_state();
        self.find_faults(&branches, &state, relation, cited, &mut faults)?;
        faults.extend(self.newer_format(&chain, memory.history.newer_format())?);
        let mut images = self.images(&branches, &state, &history, memory)?;
        let revisions = self.revisions(revisions, &branches, &history, &mut images)?;
        let lost = faults.iter().any(|fault| matches!(fault, Fault::StateLost { .. }));
        let (also_cited, restorable) =
            if lost { self.proven_by_auto(&chain, branches.stable)? } else { Default::default() };
        Ok(Reading {
            landed: self.landed(&branches, &state, &history)?,
            cited: cited.into_iter().filter(|_| lost).chain(also_cited).collect(),
            restorable,
            images,
            revisions,
            branches,
            state,
            faults,
            history,
            relation,
            chain,
        })
    }

    fn branches(&self, refs: &RefMap) -> Result<Branches, Error> {
        let tip = |branch: &cfgupdater_core::BranchName| refs.get(&branch.to_ref()).copied();
        let missing = || {
            let message = format!(
                "the stable branch `{}` does not exist on the remote; push it first",
                self.policy.stable
            );
            Error::new(ErrorKind::NotFound, message)
        };
        Ok(Branches {
            stable: tip(&self.policy.stable).ok_or_else(missing)?,
            auto: tip(&self.policy.auto),
            state: tip(&self.policy.state),
            probe: tip(&self.policy.probe),
        })
    }

    fn relation(&self, branches: &Branches) -> Result<Relation, Error> {
        let stable = &branches.stable;
        Ok(match &branches.auto {
            None => Relation::Absent,
            Some(auto) if auto == stable => Relation::Same,
            Some(auto) if self.repo.is_ancestor(stable, auto)? => Relation::Ahead,
            Some(auto) if self.repo.is_ancestor(auto, stable)? => Relation::Behind,
            Some(_) => Relation::Diverged,
        })
    }

    fn chain(
        &self,
        branches: &Branches,
        relation: Relation,
        state: &State,
        memory: &mut Memory,
    ) -> Result<Vec<ChainCommit>, Error> {
        let (Relation::Ahead | Relation::Diverged, Some(auto)) = (relation, branches.auto) else {
            return Ok(Vec::new());
        };
        let commits = self.repo.walk(&Walk::from(auto).first_parent().hiding(branches.stable))?;
        memory.recognised.retain(|commit, _| commits.contains(commit));
        memory.accepted_in.keep(|id| state.live_intent(id).is_some());
        let recognise = |id: &CommitId| {
            let commit = self.repo.commit(id)?;
            let subject = commit.subject().to_owned();
            let intent = match memory.recognised.get(id) {
                Some(known) if state.intents.contains_key(known) => Some(*known),
                _ => self.recognise(&commit, branches.state, state, &mut memory.accepted_in)?,
            };
            memory.recognised.extend(intent.map(|intent| (*id, intent)));
            Ok(ChainCommit { id: *id, subject, intent })
        };
        commits.iter().rev().map(recognise).collect()
    }

    /// Returns the intent that a commit of auto applies. One that cites another acceptance of it was made by a push of
    /// which state took no part, and is made again: landed, it would cite a commit that nobody has.
    fn recognise(
        &self,
        commit: &Commit,
        tip: Option<CommitId>,
        state: &State,
        accepted_in: &mut AcceptedIn,
    ) -> Result<Option<IntentId>, Error> {
        let (Some((id, cited)), Some(tip)) = (apply::recognise(self.repo, commit, state, self.policy)?, tip)
        else {
            return Ok(None);
        };
        let excused = cited.is_some_and(|cited| state.excused.contains(&cited));
        let same = excused || cited == Some(accepted_in.find(self.repo, tip, id)?);
        Ok(same.then_some(id))
    }

    /// Finds intents whose commit is in stable's history: by the trailers of a commit that put a live intent's own images
    /// where the intent puts them, or under the SHA that auto had.
    fn landed(
        &self,
        branches: &Branches,
        state: &State,
        history: &History,
    ) -> Result<BTreeMap<IntentId, CommitId>, Error> {
        let applied = |intent: &Intent| Some((intent.id, history.applied(intent)?.commit));
        let mut landed: BTreeMap<IntentId, CommitId> = state.live().into_iter().filter_map(applied).collect();
        if state.stable_seen == Some(branches.stable) {
            return Ok(landed);
        }
        for (intent, commit) in state.traces() {
            if !landed.contains_key(&intent)
                && self.repo.has_commit(&commit)?
                && self.repo.is_ancestor(&commit, &branches.stable)?
            {
                landed.insert(intent, commit);
            }
        }
        Ok(landed)
    }
}
