//! Renders commits for the service's own check, in the background: no reading of the repository waits for it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use cfgupdater_core::{
    CommitId, Compared, Error, ErrorKind, GitRepo, Policy, RenderFailure, RenderFailureKind, ToRender,
    TreeId, Verification, explain,
};
use tokio::sync::Notify;

use crate::clock;
use crate::engine::Backends;
use crate::late::{Obsolete, on_a_thread};
use crate::rendering::{Outcome, Rendering, Stopped};

/// How often it is told at most that something was found out while more is being rendered: each time the repository is read.
const TOLD_EVERY: Duration = Duration::from_secs(2);

/// Renders one commit of one repository at a time, and knows what came of it.
#[derive(Debug)]
pub(crate) struct Verifier {
    repo: Arc<dyn GitRepo>,
    policy: Arc<Policy>,
    rendering: Arc<Rendering>,
    work: Mutex<Work>,
    found: Notify,
}

/// What is known, and what is being found out.
#[derive(Debug, Default)]
struct Work {
    verification: Verification,
    /// Whether a thread renders what is next.
    runs: bool,
    under_way: Option<(ToRender, Obsolete)>,
}

impl Verifier {
    pub(crate) fn new(backends: &Backends, policy: &Arc<Policy>, rendering: &Arc<Rendering>) -> Self {
        Self {
            repo: Arc::clone(&backends.repo),
            policy: Arc::clone(policy),
            rendering: Arc::clone(rendering),
            work: Mutex::default(),
            found: Notify::new(),
        }
    }

    /// Tells whether there is anything to do at all.
    pub(crate) fn is_wanted(&self) -> bool {
        self.policy.verify_generated && self.rendering.is_there()
    }

    /// Waits until something was found out that nobody has looked at.
    pub(crate) async fn found(&self) {
        self.found.notified().await;
    }

    /// Returns what is known of these commits, and has the others rendered; what is rendered for none of them is given up.
    pub(crate) async fn look(
        self: &Arc<Self>,
        stable: CommitId,
        chain: Vec<CommitId>,
    ) -> Result<Verification, Error> {
        let open = self.work().look(stable, chain);
        if !open.is_empty() {
            let this = Arc::clone(self);
            let interrupted =
                |error| Error::new(ErrorKind::Other, "verifying was interrupted").with_source(error);
            tokio::task::spawn_blocking(move || this.recall(open)).await.map_err(interrupted)??;
        }
        let mut work = self.work();
        if !work.runs && work.verification.next().is_some() {
            work.runs = true;
            self.start();
        }
        Ok(work.verification.clone())
    }

    /// Settles what needs no rendering. What a write has just rendered never waits for what takes long.
    fn recall(&self, open: Vec<CommitId>) -> Result<(), Error> {
        for commit in open {
            let tree = self.repo.commit(&commit)?.tree;
            if let Some(known) = self.rendering.recall(&*self.repo, &self.policy, tree)? {
                let compared = compare(&*self.repo, tree, &known)?;
                self.work().verification.learn(&ToRender::as_it_stands(commit), compared, clock::now());
            }
        }
        Ok(())
    }

    fn start(self: &Arc<Self>) {
        let ended = on_a_thread({
            let this = Arc::clone(self);
            move || this.run()
        });
        let this = Arc::clone(self);
        tokio::spawn(async move {
            if let Err(error) = ended.await {
                this.work().panicked(&error.to_string());
            }
            this.found.notify_one();
        });
    }

    fn run(&self) {
        let mut told = Instant::now();
        loop {
            let Some((next, obsolete)) = self.work().begin() else { return };
            let compared = self.render(&next, &obsolete).unwrap_or_else(|stopped| match stopped {
                Stopped::Failed(failure) => Compared::Failed(failure),
                Stopped::Backend(error) => place(explain(&error)),
            });
            self.work().end(compared);
            if told.elapsed() >= TOLD_EVERY {
                told = Instant::now();
                self.found.notify_one();
            }
        }
    }

    fn render(&self, next: &ToRender, obsolete: &Obsolete) -> Result<Compared, Stopped> {
        let (repo, policy, rendering) = (&*self.repo, &*self.policy, &*self.rendering);
        let tree = repo.commit(&next.commit)?.tree;
        let known = if next.anew { None } else { rendering.recall(repo, policy, tree)? };
        let made = match known {
            Some(known) => known,
            None => rendering.render_anew(repo, policy, tree, Some(obsolete))?,
        };
        Ok(compare(repo, tree, &made)?)
    }

    fn work(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Work {
    /// Gives up what is of no use to these commits, and returns those that nothing is known of.
    fn look(&mut self, stable: CommitId, chain: Vec<CommitId>) -> Vec<CommitId> {
        self.verification.look(stable, chain, clock::now());
        if let Some((rendering, obsolete)) = &self.under_way
            && !self.verification.wants(rendering)
        {
            obsolete.make();
        }
        self.verification.open()
    }

    fn begin(&mut self) -> Option<(ToRender, Obsolete)> {
        self.under_way = self.verification.next().map(|next| (next, Obsolete::default()));
        self.runs = self.under_way.is_some();
        self.under_way.clone()
    }

    fn end(&mut self, compared: Compared) {
        let Some((rendered, obsolete)) = self.under_way.take() else { return };
        // One that was given up and is wanted again is rendered again.
        if !obsolete.is_set() {
            self.verification.learn(&rendered, compared, clock::now());
        }
    }

    /// A renderer that panics is one that can't be used here.
    fn panicked(&mut self, error: &str) {
        self.end(place(format!("rendering was interrupted: {error}")));
        self.runs = false;
    }
}

fn place(why: String) -> Compared {
    Compared::Failed(RenderFailure::new(RenderFailureKind::Environment, why))
}

fn compare(repo: &dyn GitRepo, tree: TreeId, made: &Outcome) -> Result<Compared, Error> {
    if made.tree == tree {
        return Ok(Compared::UpToDate);
    }
    let changes = repo.diff(Some(&tree), &made.tree)?;
    let first = changes.first().map(|change| String::from_utf8_lossy(&change.path).into_owned());
    Ok(Compared::Differs(format!(
        "{} generated files are not up to date, {} for one: render them and commit the result",
        changes.len(),
        first.unwrap_or_default()
    )))
}

#[cfg(test)]
mod tests;
