//! Performing effects: build the objects, push, and tell what became of it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cfgupdater_core::{
    AutoEdit, Built, Code, Commit, CommitId, Culprit, Effect, Entry, Error, ErrorKind, Failure, GitRepo,
    Intent, LayoutError, PARKED, Policy, Reason, Record, RefEdit, RefName, RefOutcome, RenderingFailure,
    Snapshot, State, Transaction, Written, culprit,
};
use tokio::task::JoinError;

use crate::apply::Unapplied;
use crate::engine::Backends;
use crate::late::{Late, Obsolete};
use crate::rendering::{Outcome, Rendering, Stopped};
use crate::state_branch::{self, AcceptedIn};
use crate::{apply, clock};

/// How long one push may take.
const PUSH_DEADLINE: Duration = Duration::from_mins(2);

/// How long a write waits for its files to be rendered. Then auto is left for later, so that calls are accepted within
/// their own patience, which is twice as long, and landing goes on.
const RENDER_PATIENCE: Duration = Duration::from_secs(10);

/// Carries out the effects of one repository.
#[derive(Debug)]
pub(crate) struct Performer {
    backends: Backends,
    policy: Arc<Policy>,
    rendering: Arc<Rendering>,
    accepted_in: Mutex<AcceptedIn>,
    late: Late<Ready>,
}

/// A transaction whose objects are written, and what it will have accepted.
type Ready = Result<(Prepared, AcceptedIn), Unprepared>;

/// Why a transaction could not be prepared.
#[derive(Debug)]
enum Unprepared {
    Backend(Error),
    Rendering(Box<RenderingFailure>),
    /// Something newer is to be prepared; what was rendered for this is remembered.
    Obsolete,
}

impl From<Error> for Unprepared {
    fn from(error: Error) -> Self {
        Self::Backend(error)
    }
}

impl From<Unprepared> for Failure {
    fn from(why: Unprepared) -> Self {
        match why {
            Unprepared::Backend(error) => Self::of(&error),
            Unprepared::Rendering(failure) => Self::Rendering(*failure),
            // As after a lost race: look again.
            Unprepared::Obsolete => Self::Stale,
        }
    }
}

/// The objects of a transaction, ready to be pushed.
#[derive(Debug)]
struct Prepared {
    edits: Vec<RefEdit>,
    written: Written,
}

impl Performer {
    pub(crate) fn new(backends: Backends, policy: Arc<Policy>, rendering: Arc<Rendering>) -> Self {
        Self { backends, policy, rendering, accepted_in: Mutex::default(), late: Late::default() }
    }

    /// Carries out one effect that was planned on `snapshot`.
    pub(crate) async fn perform(&self, effect: Effect, snapshot: Arc<Snapshot>) -> Result<Written, Failure> {
        match effect {
            Effect::Land { to, .. } => {
                self.push(&[RefEdit::fast_forward(self.policy.stable.to_ref(), to)]).await?;
                Ok(Written::default())
            }
            Effect::Probe { from, to } => {
                self.push(&[RefEdit::exact(self.policy.probe.to_ref(), from, Some(to))]).await?;
                Ok(Written::default())
            }
            Effect::Write(transaction) => self.write(transaction, snapshot).await,
            _ => {
                let error = Error::new(ErrorKind::Unsupported, "this engine doesn't know the planned effect");
                Err(Failure::of(&error))
            }
        }
    }

    async fn write(&self, transaction: Transaction, snapshot: Arc<Snapshot>) -> Result<Written, Failure> {
        let park = self.not_parked_yet(&transaction.park).await?;
        let (repo, policy) = (Arc::clone(&self.backends.repo), Arc::clone(&self.policy));
        let rendering = Arc::clone(&self.rendering);
        // A push that loses its race accepted nothing, so what it would have accepted is remembered after it.
        let mut accepted_in = self.accepted_in().clone();
        let unfinished = self.rendering.is_there().then(|| unfinished(&transaction, &snapshot)).flatten();
        let prepare = move |obsolete: &Obsolete| {
            let writer = Writer { repo: &*repo, policy: &policy, rendering: &rendering, obsolete };
            let prepared = writer.prepare(&transaction, &snapshot, &mut accepted_in)?;
            accepted_in.keep(|id| snapshot.state.live_intent(id).is_some() || transaction.accepts(id));
            Ok::<_, Unprepared>((prepared, accepted_in))
        };
        let (prepared, accepted_in) = match unfinished {
            None => ended(tokio::task::spawn_blocking(move || prepare(&Obsolete::default())).await)??,
            Some(unfinished) => {
                let ready = self
                    .late
                    .in_time(RENDER_PATIENCE, prepare)
                    .await
                    .ok_or(Failure::Rendering(unfinished))?;
                ended(ready)??
            }
        };
        let Prepared { mut edits, written } = prepared;
        edits.extend(park);
        self.push(&edits).await?;
        *self.accepted_in() = accepted_in;
        Ok(written)
    }

    fn accepted_in(&self) -> MutexGuard<'_, AcceptedIn> {
        self.accepted_in.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives a name to each commit of others that has none yet.
    async fn not_parked_yet(&self, commits: &[CommitId]) -> Result<Vec<RefEdit>, Failure> {
        if commits.is_empty() {
            return Ok(Vec::new());
        }
        let name = |commit: &CommitId| -> RefName {
            format!("refs/heads/{PARKED}/{commit}").parse().expect("an id makes a valid name")
        };
        let names: Vec<RefName> = commits.iter().map(name).collect();
        let known =
            self.backends.remote.ls_remote(&names, PUSH_DEADLINE).await.map_err(|e| Failure::of(&e))?;
        let missing = names.into_iter().zip(commits).filter(|(name, _)| !known.contains_key(name));
        Ok(missing.map(|(name, commit)| RefEdit::exact(name, None, Some(*commit))).collect())
    }

    async fn push(&self, edits: &[RefEdit]) -> Result<(), Failure> {
        let outcomes =
            self.backends.remote.push(edits, PUSH_DEADLINE).await.map_err(|error| Failure::of(&error))?;
        worst(&outcomes).map_or(Ok(()), Err)
    }
}

/// Returns how a push failed, `None` where every reference moved: a lost race outweighs doubt, and doubt a refusal,
/// since each is settled by looking again.
fn worst(outcomes: &[RefOutcome]) -> Option<Failure> {
    let find = |wanted: fn(&RefOutcome) -> Option<Failure>| outcomes.iter().find_map(wanted);
    find(|outcome| matches!(outcome, RefOutcome::Stale { .. }).then_some(Failure::Stale))
        .or_else(|| {
            find(|outcome| match outcome {
                RefOutcome::Indeterminate { reason } => {
                    Some(Failure::Indeterminate { reason: reason.clone() })
                }
                _ => None,
            })
        })
        .or_else(|| {
            find(|outcome| match outcome {
                RefOutcome::Declined { reason } => Some(Failure::Declined { reason: reason.clone() }),
                RefOutcome::Moved => None,
                _ => Some(Failure::Stale),
            })
        })
}

fn ended<T>(joined: Result<T, JoinError>) -> Result<T, Failure> {
    joined.map_err(|error| {
        Failure::of(&Error::new(ErrorKind::Other, "writing objects was interrupted").with_source(error))
    })
}

/// Returns what is said of a write whose files are not rendered in time; `None` where it renders nothing.
fn unfinished(transaction: &Transaction, snapshot: &Snapshot) -> Option<RenderingFailure> {
    let auto = transaction.auto.as_ref()?;
    let about = (*auto.intents.first()?, auto.base);
    let said = format!("rendering has gone on for more than {} s", RENDER_PATIENCE.as_secs());
    Some(RenderingFailure::new(snapshot.branches.stable, about, Culprit::Nobody, said))
}

impl Drop for Performer {
    fn drop(&mut self) {
        self.rendering.stop();
    }
}

struct Writer<'a> {
    repo: &'a dyn GitRepo,
    policy: &'a Policy,
    rendering: &'a Rendering,
    obsolete: &'a Obsolete,
}

/// A chain as it was rebuilt.
#[derive(Default)]
struct Rebuilt<'s> {
    commits: Vec<(&'s Intent, CommitId)>,
    findings: Vec<Reason>,
}

impl Writer<'_> {
    fn prepare(
        &self,
        transaction: &Transaction,
        snapshot: &Snapshot,
        accepted_in: &mut AcceptedIn,
    ) -> Result<Prepared, Unprepared> {
        let mut tip = transaction.state;
        let mut state = State::clone(&snapshot.state);
        if !transaction.records.is_empty() {
            self.record(&mut state, &mut tip, transaction.records.clone())?;
            remember_accepted(transaction, tip, accepted_in);
        }
        let mut edits = Vec::new();
        let mut written = Written::default();
        if let Some(auto) = &transaction.auto {
            let stable = snapshot.branches.stable;
            let Rebuilt { commits, findings } = self.rebuild(auto, &state, (stable, tip), accepted_in)?;
            written.findings = findings;
            written.commits = commits.iter().map(|(intent, commit)| (intent.id, *commit)).collect();
            let top = commits.last().map_or(auto.base, |(_, commit)| *commit);
            let built = chain_record(auto, &state, &written, snapshot);
            self.record(&mut state, &mut tip, vec![built])?;
            if auto.from != Some(top) {
                edits.push(RefEdit::exact(self.policy.auto.to_ref(), auto.from, Some(top)));
            }
        }
        edits.insert(0, RefEdit::exact(self.policy.state.to_ref(), transaction.state, tip));
        Ok(Prepared { edits, written })
    }

    /// Adds one commit to the state branch.
    fn record(
        &self,
        state: &mut State,
        tip: &mut Option<CommitId>,
        records: Vec<Record>,
    ) -> Result<(), Error> {
        let entry = Entry { at: clock::now(), records };
        let before = state.clone();
        state.apply_entry(&entry);
        *tip = Some(state_branch::write(self.repo, *tip, &before, state, &entry, &self.policy.identity)?);
        Ok(())
    }

    /// Re-applies intents one after the other: the whole of what other tools do by `git rebase`.
    fn rebuild<'s>(
        &self,
        auto: &AutoEdit,
        state: &'s State,
        (stable, tip): (CommitId, Option<CommitId>),
        accepted_in: &mut AcceptedIn,
    ) -> Result<Rebuilt<'s>, Unprepared> {
        let mut parent = self.repo.commit(&auto.base)?;
        let mut rebuilt = Rebuilt::default();
        for id in &auto.intents {
            if self.obsolete.is_set() {
                return Err(Unprepared::Obsolete);
            }
            let unknown = || Error::new(ErrorKind::Invalid, format!("intent {id} is not live"));
            let intent = state.live_intent(*id).ok_or_else(unknown)?;
            let cited = accepted_in.find(self.repo, tip.ok_or_else(unknown)?, *id)?;
            let applied = self.apply(intent, &parent, stable)?;
            rebuilt.findings.extend(
                applied
                    .findings
                    .iter()
                    .map(|finding| Reason::new(Code::Rendering, format!("intent {id}"), finding.clone())),
            );
            let commit = apply::commit(self.repo, &parent, applied.tree, intent, cited, self.policy)?;
            rebuilt.commits.push((intent, commit));
            parent = self.repo.commit(&commit)?;
        }
        Ok(rebuilt)
    }

    /// Writes images and then what is generated from them.
    fn apply(&self, intent: &Intent, parent: &Commit, stable: CommitId) -> Result<Outcome, Unprepared> {
        let failed = |culprit, message: String| {
            let failure = RenderingFailure::new(stable, (intent.id, parent.id), culprit, message);
            Unprepared::Rendering(Box::new(failure))
        };
        let tree = match apply::tree(self.repo, &parent.tree, intent, self.policy) {
            Ok(tree) => tree,
            Err(Unapplied::Backend(error)) => return Err(error.into()),
            Err(Unapplied::Layout(error @ LayoutError::Images { .. })) => {
                return Err(failed(Culprit::Intent, error.to_string()));
            }
            Err(Unapplied::Layout(error)) => return Err(failed(Culprit::Others, error.to_string())),
        };
        let failure = match self.rendering.render(self.repo, self.policy, tree, Some(intent)) {
            Ok(outcome) => return Ok(outcome),
            Err(Stopped::Backend(error)) => return Err(error.into()),
            Err(Stopped::Failed(failure)) => failure,
        };
        // What is remembered of the base doesn't count: it may be the renderer that broke since.
        let base = match self.rendering.render_anew(self.repo, self.policy, parent.tree, None) {
            Ok(_) => Ok(()),
            Err(Stopped::Backend(error)) => return Err(error.into()),
            Err(Stopped::Failed(failure)) => Err(failure),
        };
        Err(failed(culprit(&failure, base.as_ref().copied()), failure.message))
    }
}

fn remember_accepted(transaction: &Transaction, tip: Option<CommitId>, accepted_in: &mut AcceptedIn) {
    for record in &transaction.records {
        if let (Record::Accepted { intent }, Some(tip)) = (record, tip) {
            accepted_in.remember(intent.id, tip);
        }
    }
}

/// Records the chain with the time each commit was first on auto.
fn chain_record(auto: &AutoEdit, state: &State, written: &Written, snapshot: &Snapshot) -> Record {
    let kept = auto.keep.iter().filter_map(|commit| {
        let known = state.built.iter().find(|built| built.commit == *commit).copied();
        // One that somebody else put there is watched from now on.
        let link = || snapshot.chain.iter().find(|link| link.id == *commit)?.intent;
        known.or_else(|| Some(Built { commit: *commit, intent: link()?, at: snapshot.now }))
    });
    let fresh = written.commits.iter().map(|(intent, commit)| Built {
        commit: *commit,
        intent: *intent,
        at: state.built_at(commit).unwrap_or(snapshot.now),
    });
    Record::Built { commits: kept.chain(fresh).collect() }
}
