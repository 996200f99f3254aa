//! Renders trees, and remembers what came of it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cfgupdater_core::{
    Error, GitRepo, Intent, Policy, RenderFailure, RenderFailureKind, RenderRequest, Renderer, TreeId,
};
use sha2::{Digest, Sha256};
use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::inputs::{fingerprint, holds_generated};

/// How many results are remembered; each takes some hundred bytes.
const REMEMBERED: usize = 4096;

/// How much of a failure is kept, in bytes: it goes into the state branch.
const MESSAGE: usize = 8 * 1024;

type Key = [u8; 32];

/// The renderer of one repository, with what it made of which inputs.
#[derive(Debug)]
pub(crate) struct Rendering {
    renderer: Option<Arc<dyn Renderer>>,
    done: Mutex<Done>,
    runs: AtomicU64,
    reused: AtomicU64,
    stopped: watch::Sender<bool>,
}

/// Results by their inputs, the oldest forgotten first.
#[derive(Debug, Default)]
struct Done {
    outcomes: BTreeMap<Key, Outcome>,
    order: VecDeque<Key>,
}

/// A tree with its generated files, and what was noticed on the way.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    pub(crate) tree: TreeId,
    pub(crate) findings: Vec<String>,
}

/// Why there is no outcome.
pub(crate) enum Stopped {
    Backend(Error),
    Failed(RenderFailure),
}

impl From<Error> for Stopped {
    fn from(error: Error) -> Self {
        Self::Backend(error)
    }
}

impl Rendering {
    pub(crate) fn new(renderer: Option<Arc<dyn Renderer>>) -> Self {
        Self {
            renderer,
            done: Mutex::default(),
            runs: AtomicU64::default(),
            reused: AtomicU64::default(),
            stopped: watch::Sender::default(),
        }
    }

    /// Tells whether there is a renderer at all.
    pub(crate) fn is_there(&self) -> bool {
        self.renderer.is_some()
    }

    /// Ends what is being rendered, and renders nothing more.
    pub(crate) fn stop(&self) {
        self.stopped.send_replace(true);
    }

    /// Returns how often the renderer was run, and how often it needn't be.
    pub(crate) fn counts(&self) -> (u64, u64) {
        (self.runs.load(Ordering::Relaxed), self.reused.load(Ordering::Relaxed))
    }

    /// Makes the generated files of `tree`, to which `intent` led. Blocks, and must be called on a thread that may.
    pub(crate) fn render(
        &self,
        repo: &dyn GitRepo,
        policy: &Policy,
        tree: TreeId,
        intent: Option<&Intent>,
    ) -> Result<Outcome, Stopped> {
        let Some((renderer, key)) = self.needed(repo, policy, &tree)? else {
            return Ok(Outcome { tree, findings: Vec::new() });
        };
        if let Some(known) = self.known(repo, &key) {
            self.reused.fetch_add(1, Ordering::Relaxed);
            return Ok(known);
        }
        self.run((renderer, key), repo, policy, tree, intent)
    }

    /// Makes the generated files of a tree to which nothing in particular led.
    pub(crate) fn render_as_it_stands(
        &self,
        repo: &dyn GitRepo,
        policy: &Policy,
        tree: TreeId,
    ) -> Result<Outcome, Stopped> {
        self.render(repo, policy, tree, None)
    }

    /// Makes the generated files of `tree` whatever is remembered of it: the question is whether it can be done here and
    /// now. Blocks as [`Rendering::render`] does.
    pub(crate) fn render_anew(
        &self,
        repo: &dyn GitRepo,
        policy: &Policy,
        tree: TreeId,
    ) -> Result<Outcome, Stopped> {
        match self.needed(repo, policy, &tree)? {
            Some(needed) => self.run(needed, repo, policy, tree, None),
            None => Ok(Outcome { tree, findings: Vec::new() }),
        }
    }

    /// Returns what renders and what the result depends on; `None` where nothing is generated.
    fn needed(
        &self,
        repo: &dyn GitRepo,
        policy: &Policy,
        tree: &TreeId,
    ) -> Result<Option<(&dyn Renderer, Key)>, Error> {
        let Some(renderer) = self.renderer.as_deref().filter(|_| !policy.generated.is_empty()) else {
            return Ok(None);
        };
        let inputs = fingerprint(repo, tree, &policy.generated)?;
        Ok(Some((renderer, key(&renderer.identity(), &inputs))))
    }

    fn run(
        &self,
        (renderer, key): (&dyn Renderer, Key),
        repo: &dyn GitRepo,
        policy: &Policy,
        tree: TreeId,
        intent: Option<&Intent>,
    ) -> Result<Outcome, Stopped> {
        self.runs.fetch_add(1, Ordering::Relaxed);
        let mut request = RenderRequest::new(tree, policy.generated.clone());
        if let Some(intent) = intent {
            request = request.for_intent(intent.clone());
        }
        let mut stopped = self.stopped.subscribe();
        let render = async {
            tokio::select! {
                rendered = renderer.render(&request) => rendered,
                _ = stopped.wait_for(|stopped| *stopped) => {
                    Err(RenderFailure::new(RenderFailureKind::Environment, "the service is stopping"))
                }
            }
        };
        let rendered = Handle::current().block_on(render).map_err(bounded)?;
        let (edits, findings) = rendered.within(&policy.generated);
        let made = if edits.is_empty() { tree } else { repo.edit_tree(Some(&tree), &edits)? };
        if made != tree
            && !holds_generated(repo, &made, &policy.generated)?
            && holds_generated(repo, &tree, &policy.generated)?
        {
            let message =
                "rendering left no generated file at all, which is not taken: look at what it removes";
            return Err(Stopped::Failed(RenderFailure::new(RenderFailureKind::Refused, message)));
        }
        let outcome = Outcome { tree: made, findings };
        self.done().remember(key, outcome.clone());
        Ok(outcome)
    }

    /// Returns what the same inputs gave: since all else is in the key, it is the whole result. A tree that is no longer in
    /// the database is made again.
    fn known(&self, repo: &dyn GitRepo, key: &Key) -> Option<Outcome> {
        let known = self.done().outcomes.get(key).cloned()?;
        repo.list(&known.tree).ok().map(|_| known)
    }

    fn done(&self) -> MutexGuard<'_, Done> {
        self.done.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Done {
    fn remember(&mut self, key: Key, outcome: Outcome) {
        if self.outcomes.insert(key, outcome).is_none() {
            self.order.push_back(key);
        }
        while self.order.len() > REMEMBERED {
            if let Some(oldest) = self.order.pop_front() {
                self.outcomes.remove(&oldest);
            }
        }
    }
}

fn key(identity: &str, inputs: &Key) -> Key {
    let mut hash = Sha256::new();
    hash.update(inputs);
    hash.update(identity);
    hash.finalize().into()
}

fn bounded(mut failure: RenderFailure) -> Stopped {
    if failure.message.len() > MESSAGE {
        let from = failure.message.len() - MESSAGE / 2;
        let from =
            (from..failure.message.len()).find(|at| failure.message.is_char_boundary(*at)).unwrap_or(from);
        let to = (0..MESSAGE / 2).rev().find(|at| failure.message.is_char_boundary(*at)).unwrap_or(0);
        failure.message = format!("{} … {}", &failure.message[..to], &failure.message[from..]);
    }
    Stopped::Failed(failure)
}

#[cfg(test)]
mod tests;
