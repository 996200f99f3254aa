use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use cfgupdater_core::{
    EntryKind, GitRepo, RenderFailure, RenderFailureKind, RenderRequest, Rendered, Renderer, RepoPath,
    TreeEdit, explain,
};
use tokio::sync::watch;

/// A renderer without processes and files: what it makes is a copy of one file of the tree.
///
/// It can be told to fail, as one does whose tools were uninstalled, to find something and to hang; and it counts how often it
/// was asked, which whoever remembers results wants to know. Clones are the same renderer.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use std::sync::Arc;
/// use cfgupdater_core::{GitRepo, ObjectFormat, PathSet, RenderRequest, Renderer, TreeEdit};
/// use cfgupdater_testkit::memory::{MemoryRenderer, git::MemoryRepo};
///
/// let repo = Arc::new(MemoryRepo::new(ObjectFormat::Sha1));
/// let blob = repo.write_blob(b"web: v1\n").unwrap();
/// let tree = repo.edit_tree(None, &[TreeEdit::file("images".parse().unwrap(), blob)]).unwrap();
/// let renderer = MemoryRenderer::new(repo, "images".parse().unwrap(), "generated/images".parse().unwrap());
/// let rendered = renderer.render(&RenderRequest::new(tree, PathSet::default())).await.unwrap();
/// assert_eq!((rendered.edits.len(), renderer.asked()), (1, 1));
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct MemoryRenderer {
    repo: Arc<dyn GitRepo>,
    source: RepoPath,
    target: RepoPath,
    told: Arc<Told>,
}

/// What it was told, and how often it was asked.
#[derive(Debug, Default)]
struct Told {
    failure: Mutex<Option<RenderFailure>>,
    findings: Mutex<Vec<String>>,
    held: watch::Sender<bool>,
    asked: watch::Sender<u64>,
    under_way: watch::Sender<u64>,
}

/// A rendering under way, until it ends or is given up.
struct UnderWay<'a>(&'a watch::Sender<u64>);

impl<'a> UnderWay<'a> {
    fn begin(under_way: &'a watch::Sender<u64>) -> Self {
        under_way.send_modify(|under_way| *under_way += 1);
        Self(under_way)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|under_way| *under_way -= 1);
    }
}

impl MemoryRenderer {
    /// Builds a renderer that copies `source` to `target`. A tree without the source has no target either.
    pub fn new(repo: Arc<dyn GitRepo>, source: RepoPath, target: RepoPath) -> Self {
        Self { repo, source, target, told: Arc::default() }
    }

    /// Makes every rendering from now on fail so, or none.
    pub fn fail(&self, failure: Option<RenderFailure>) {
        *self.told.failure.lock().unwrap_or_else(PoisonError::into_inner) = failure;
    }

    /// Makes every rendering from now on find this.
    pub fn find(&self, findings: Vec<String>) {
        *self.told.findings.lock().unwrap_or_else(PoisonError::into_inner) = findings;
    }

    /// Makes every rendering hang from now on, as one does that takes long, or lets all of them go on.
    pub fn hold(&self, held: bool) {
        self.told.held.send_replace(held);
    }

    /// Returns how often it was asked to render.
    pub fn asked(&self) -> u64 {
        *self.told.asked.borrow()
    }

    /// Waits until so many renderings are under way: those that hang and were not given up.
    pub async fn wait_until_under_way(&self, renderings: u64) {
        // As below.
        let _ = self.told.under_way.subscribe().wait_for(|under_way| *under_way == renderings).await;
    }

    /// Waits until it was asked to render at least so often.
    pub async fn wait_until_asked(&self, times: u64) {
        // What is sent to is held by this very renderer, so it is never closed.
        let _ = self.told.asked.subscribe().wait_for(|asked| *asked >= times).await;
    }
}

#[async_trait]
impl Renderer for MemoryRenderer {
    fn identity(&self) -> String {
        format!("copy {} to {}", self.source, self.target)
    }

    async fn render(&self, request: &RenderRequest) -> Result<Rendered, RenderFailure> {
        let _under_way = UnderWay::begin(&self.told.under_way);
        self.told.asked.send_modify(|asked| *asked += 1);
        let _ = self.told.held.subscribe().wait_for(|held| !held).await;
        if let Some(failure) = self.told.failure.lock().unwrap_or_else(PoisonError::into_inner).clone() {
            return Err(failure);
        }
        let findings = self.told.findings.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let unreadable = |error| RenderFailure::new(RenderFailureKind::Environment, explain(&error));
        let source = self.repo.entry(&request.tree, &self.source).map_err(unreadable)?;
        let there = self.repo.entry(&request.tree, &self.target).map_err(unreadable)?;
        let edit = match (source, there) {
            (Some(source), _) => Some(TreeEdit::put(self.target.clone(), EntryKind::File, source.id)),
            (None, Some(_)) => Some(TreeEdit::remove(self.target.clone())),
            (None, None) => None,
        };
        Ok(Rendered::new(edit.into_iter().collect()).with_findings(findings))
    }
}
