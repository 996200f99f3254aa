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

    /// Reads about `limit` transitions from `after` on, or from the newest.
    ///
    /// # Errors
    /// Fails where `after` is no commit of the state branch, and where the repository can't be read.
    pub(crate) async fn page(
        &self,
        newest: Option<CommitId>,
        after: Option<String>,
        limit: usize,
    ) -> Result<LogPage, Error> {
        let after = after.map(|text| text.parse().map_err(|_| not_next())).transpose()?;
        let Some(newest) = newest else { return Ok(LogPage { items: Vec::new(), next: None }) };
        let repo = Arc::clone(&self.repo);
        let read = move || {
            let start = after.unwrap_or(newest);
            // Whoever may read the audit trail may not walk every other commit by its id.
            if !repo.has_commit(&start)? || !repo.is_ancestor(&start, &newest)? {
                return Err(not_next());
            }
            read_page(&*repo, start, limit)
        };
        tokio::task::spawn_blocking(read).await.map_err(|error| {
            Error::new(ErrorKind::Other, "reading the audit trail was interrupted").with_source(error)
        })?
    }
}

fn not_next() -> Error {
    Error::new(ErrorKind::Invalid, "`after` must be what `next` of the page before was")
}

/// Reads state commits until `limit` transitions are there. Those of one commit, which came together, stay together.
fn read_page(repo: &dyn GitRepo, start: CommitId, limit: usize) -> Result<LogPage, Error> {
    let commits = repo.walk(&Walk::from(start).first_parent().limit(limit.saturating_add(1)))?;
    let (mut items, mut next) = (Vec::new(), None);
    for (read, commit) in commits.into_iter().enumerate() {
        let transitions = if read < limit { read_entry(repo, commit)? } else { Vec::new() };
        if read == limit || (!items.is_empty() && items.len() + transitions.len() > limit) {
            next = Some(commit.to_string());
            break;
        }
        items.extend(transitions.into_iter().rev());
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
