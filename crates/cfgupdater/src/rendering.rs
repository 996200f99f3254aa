//! Renders trees, and remembers what came of it.

mod done;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cfgupdater_core::{
    Error, GitRepo, Intent, Policy, RenderFailure, RenderFailureKind, RenderRequest, Rendered, Renderer,
    TreeId,
};
use sha2::{Digest, Sha256};
use tokio::runtime::Handle;
use tokio::sync::watch;

pub(crate) use self::done::Outcome;
use self::done::{Done, Key};
use crate::inputs::{fingerprint, holds_generated};
use crate::late::Obsolete;

/// How much of a failure is kept, in bytes: it goes into the state branch.
const MESSAGE: usize = 8 * 1024;

/// The renderer of one repository, with what it made of which inputs.
#[derive(Debug)]
pub(crate) struct Rendering {
    renderer: Option<Arc<dyn Renderer>>,
    done: Mutex<Done>,
    runs: AtomicU64,
    reused: AtomicU64,
    stopped: watch::Sender<bool>,
    /// How many writes wait for what they render.
    writes: watch::Sender<usize>,
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
            writes: watch::Sender::default(),
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
        match self.known(repo, &key) {
            Some(known) => Ok(known),
            None => self.run((renderer, key), repo, &request(policy, tree, intent), None),
        }
    }

    /// Returns what is remembered of a tree to which nothing in particular led; itself where nothing is generated.
    pub(crate) fn recall(
        &self,
        repo: &dyn GitRepo,
        policy: &Policy,
        tree: TreeId,
    ) -> Result<Option<Outcome>, Error> {
        Ok(match self.needed(repo, policy, &tree)? {
            Some((_, key)) => self.known(repo, &key),
            None => Some(Outcome { tree, findings: Vec::new() }),
        })
    }

    /// Makes the generated files of `tree` whatever is remembered of it: the question is whether it can be done here and
    /// now. Blocks as [`Rendering::render`] does. With what tells when it is obsolete, no write waits for it: then it ends,
    /// and gives way to what a write renders.
    pub(crate) fn render_anew(
        &self,
        repo: &dyn GitRepo,
        policy: &Policy,
        tree: TreeId,
        obsolete: Option<&Obsolete>,
    ) -> Result<Outcome, Stopped> {
        match self.needed(repo, policy, &tree)? {
            Some(needed) => self.run(needed, repo, &request(policy, tree, None), obsolete),
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
        request: &RenderRequest,
        obsolete: Option<&Obsolete>,
    ) -> Result<Outcome, Stopped> {
        self.runs.fetch_add(1, Ordering::Relaxed);
        let (tree, generated) = (request.tree, &request.generated);
        let mut stopped = self.stopped.subscribe();
        let render = async {
            tokio::select! {
                rendered = self.by_priority(renderer, request, obsolete) => rendered,
                _ = stopped.wait_for(|stopped| *stopped) => Err(ended("the service is stopping")),
            }
        };
        let rendered = Handle::current().block_on(render).map_err(bounded)?;
        let (edits, findings) = rendered.within(generated);
        let made = if edits.is_empty() { tree } else { repo.edit_tree(Some(&tree), &edits)? };
        if made != tree
            && !holds_generated(repo, &made, generated)?
            && holds_generated(repo, &tree, generated)?
        {
            let message =
                "rendering left no generated file at all, which is not taken: look at what it removes";
            return Err(Stopped::Failed(RenderFailure::new(RenderFailureKind::Refused, message)));
        }
        let outcome = Outcome { tree: made, findings };
        self.done().remember(key, outcome.clone());
        Ok(outcome)
    }

    /// Runs the renderer for a write, or in the background while no write needs it: renderers work on one tree at a time.
    async fn by_priority(
        &self,
        renderer: &dyn Renderer,
        request: &RenderRequest,
        obsolete: Option<&Obsolete>,
    ) -> Result<Rendered, RenderFailure> {
        let Some(obsolete) = obsolete else {
            let _write = Write::begin(&self.writes);
            return renderer.render(request).await;
        };
        let mut writes = self.writes.subscribe();
        loop {
            // What is waited for is held here, so it is never closed.
            tokio::select! {
                _ = writes.wait_for(|writes| *writes == 0) => {}
                () = obsolete.set() => return Err(ended("nobody needs it any more")),
            }
            tokio::select! {
                rendered = renderer.render(request) => return rendered,
                _ = writes.wait_for(|writes| *writes > 0) => {}
                () = obsolete.set() => return Err(ended("nobody needs it any more")),
            }
        }
    }

    /// Returns what the same inputs gave: since all else is in the key, it is the whole result. A tree that is no longer in
    /// the database is made again.
    fn known(&self, repo: &dyn GitRepo, key: &Key) -> Option<Outcome> {
        let known = self.done().get(key).cloned()?;
        let known = repo.list(&known.tree).ok().map(|_| known)?;
        self.reused.fetch_add(1, Ordering::Relaxed);
        Some(known)
    }

    fn done(&self) -> MutexGuard<'_, Done> {
        self.done.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A write that waits for what it renders.
struct Write<'a>(&'a watch::Sender<usize>);

impl<'a> Write<'a> {
    fn begin(writes: &'a watch::Sender<usize>) -> Self {
        writes.send_modify(|writes| *writes += 1);
        Self(writes)
    }
}

impl Drop for Write<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|writes| *writes -= 1);
    }
}

fn ended(why: &str) -> RenderFailure {
    RenderFailure::new(RenderFailureKind::Environment, format!("rendering was ended: {why}"))
}

fn request(policy: &Policy, tree: TreeId, intent: Option<&Intent>) -> RenderRequest {
    let request = RenderRequest::new(tree, policy.generated.clone());
    match intent {
        Some(intent) => request.for_intent(intent.clone()),
        None => request,
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
