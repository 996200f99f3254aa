//! The audit trail: the history of the state branch, read back.

use std::sync::Arc;

use cfgupdater_core::{CommitId, Error, ErrorKind, GitRepo, Record, Timestamp, Walk, decode_entry};
use serde::Serialize;

use crate::state_branch::entry_path;

/// One transition of the audit trail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LogItem {
    /// The state commit that recorded it.
    pub state: CommitId,
    /// When it was decided.
    pub at: Timestamp,
    /// What was decided.
    #[serde(flatten)]
    pub record: Record,
}

/// A page of the audit trail, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LogPage {
    /// The transitions.
    pub items: Vec<LogItem>,
    /// What to pass as `after` for the next page; `None` on the last one.
    pub next: Option<String>,
}

/// Reads the audit trail of one repository.
#[derive(Debug, Clone)]
pub(crate) struct Audit {
    repo: Arc<dyn GitRepo>,
}

impl Audit {
    pub(crate) fn new(repo: Arc<dyn GitRepo>) -> Self {
        Self { repo }
    }

    /// Reads `limit` state commits from `after` on, or from the newest.
    pub(crate) async fn page(
        &self,
        newest: Option<CommitId>,
        after: Option<String>,
        limit: usize,
    ) -> Result<LogPage, Error> {
        let start = match &after {
            Some(text) => Some(text.parse().map_err(|error| {
                Error::new(ErrorKind::Invalid, format!("`after` must be what `next` was: {error}"))
            })?),
            None => newest,
        };
        let Some(start) = start else { return Ok(LogPage { items: Vec::new(), next: None }) };
        let repo = Arc::clone(&self.repo);
        tokio::task::spawn_blocking(move || read_page(&*repo, start, limit)).await.map_err(|error| {
            Error::new(ErrorKind::Other, "reading the audit trail was interrupted").with_source(error)
        })?
    }
}

fn read_page(repo: &dyn GitRepo, start: CommitId, limit: usize) -> Result<LogPage, Error> {
    let mut commits = repo.walk(&Walk::from(start).first_parent().limit(limit.saturating_add(1)))?;
    let next = (commits.len() > limit).then(|| commits.pop()).flatten().map(|commit| commit.to_string());
    let mut items = Vec::new();
    for commit in commits {
        items.extend(read_entry(repo, commit)?.into_iter().rev());
    }
    Ok(LogPage { items, next })
}

fn read_entry(repo: &dyn GitRepo, commit: CommitId) -> Result<Vec<LogItem>, Error> {
    let tree = repo.commit(&commit)?.tree;
    let Some(entry) = repo.entry(&tree, &entry_path())? else { return Ok(Vec::new()) };
    let content = repo.blob(&cfgupdater_core::BlobId::new(entry.id))?;
    let entry = decode_entry(&content).map_err(|error| {
        Error::new(ErrorKind::Corrupt, format!("state commit {} can't be read", commit.short(10)))
            .with_source(error)
    })?;
    let item = |record| LogItem { state: commit, at: entry.at, record };
    Ok(entry.records.into_iter().map(item).collect())
}
