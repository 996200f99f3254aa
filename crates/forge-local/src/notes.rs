//! The notes of a remote, changed by compare-and-swap.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use cfgupdater_core::{
    BlobId, CommitId, Error, ErrorKind, GitRemote, GitRepo, NewCommit, RefEdit, RefName, RefOutcome,
    RepoPath, Timestamp, TreeEdit, TreeId,
};
use tokio::sync::Mutex;

use crate::note::Note;

/// The reference that holds the results.
pub const NOTES_REF: &str = "refs/notes/cfgupdater/checks";

/// How long one exchange with the remote may take.
const DEADLINE: Duration = Duration::from_mins(1);

/// How often a lost race is run again.
const TRIES: usize = 20;

/// Reads and changes the notes of one remote.
#[derive(Debug)]
pub(crate) struct Notes {
    repo: Arc<dyn GitRepo>,
    remote: Arc<dyn GitRemote>,
    /// One writer a process; writers of other processes are met by the lease.
    writing: Mutex<()>,
}

impl Notes {
    pub(crate) fn new(repo: Arc<dyn GitRepo>, remote: Arc<dyn GitRemote>) -> Self {
        Self { repo, remote, writing: Mutex::default() }
    }

    /// Reads the notes of these commits as they are on the remote now.
    pub(crate) async fn read(&self, commits: &[CommitId]) -> Result<BTreeMap<CommitId, Note>, Error> {
        let Some(tip) = self.tip().await? else { return Ok(BTreeMap::new()) };
        let (repo, commits) = (Arc::clone(&self.repo), commits.to_vec());
        blocking(move || {
            let tree = repo.commit(&tip)?.tree;
            commits.iter().map(|commit| Ok((*commit, find_note(&*repo, &tree, commit)?.note))).collect()
        })
        .await
    }

    /// Changes the note of one commit. `change` may run several times, each time on what is there by then; `None`
    /// means that nothing is to be changed.
    pub(crate) async fn update<T: Send + 'static>(
        &self,
        commit: CommitId,
        now: Timestamp,
        change: impl Fn(&mut Note) -> Option<T> + Clone + Send + 'static,
    ) -> Result<Option<T>, Error> {
        let _one_at_a_time = self.writing.lock().await;
        for _ in 0..TRIES {
            let tip = self.tip().await?;
            let (repo, change) = (Arc::clone(&self.repo), change.clone());
            let written = blocking(move || write(&*repo, tip, &commit, now, change)).await?;
            let Some((new, answer)) = written else { return Ok(None) };
            let edit = RefEdit::exact(notes_ref(), tip, Some(new));
            match self.remote.push(&[edit], DEADLINE).await?.into_iter().next() {
                Some(RefOutcome::Moved) => return Ok(Some(answer)),
                Some(RefOutcome::Declined { reason }) => return Err(declined(&reason)),
                // Whatever it was, the next reading tells: the same change finds itself done or is made again.
                _ => {}
            }
        }
        let message =
            format!("{NOTES_REF} moved {TRIES} times while one result was to be written; report it again");
        Err(Error::new(ErrorKind::Unavailable, message))
    }

    async fn tip(&self) -> Result<Option<CommitId>, Error> {
        let name = notes_ref();
        Ok(self.remote.fetch(std::slice::from_ref(&name), DEADLINE).await?.get(&name).copied())
    }
}

fn declined(reason: &str) -> Error {
    let message = format!("the remote declines results on {NOTES_REF}: {reason}; allow pushes to it");
    Error::new(ErrorKind::Forbidden, message)
}

fn notes_ref() -> RefName {
    NOTES_REF.parse().expect("a constant name")
}

/// Deepest fan-out looked at: git splits the names of notes into directories of two digits as their number grows.
const DEEPEST: usize = 3;

/// Where the note of a commit is written that has none yet.
const USUAL_DEPTH: usize = 1;

/// Where git may keep the note of a commit: `depth` times two digits and a slash, then the rest.
fn path_of(commit: &CommitId, depth: usize) -> RepoPath {
    let hex = commit.to_string();
    let mut path = String::new();
    for level in 0..depth {
        path.push_str(&hex[2 * level..2 * level + 2]);
        path.push('/');
    }
    path.push_str(&hex[2 * depth..]);
    path.parse().expect("hex digits make a path")
}

/// A note with the places it was found at: `git notes` moves notes to another depth, and joins what lies at several.
#[derive(Debug, Default)]
struct Found {
    note: Note,
    depths: Vec<usize>,
}

fn find_note(repo: &dyn GitRepo, tree: &TreeId, commit: &CommitId) -> Result<Found, Error> {
    let (mut content, mut depths) = (Vec::new(), Vec::new());
    for depth in 0..=DEEPEST {
        if let Some(entry) = repo.entry(tree, &path_of(commit, depth))? {
            content.extend(repo.blob(&BlobId::new(entry.id))?);
            content.push(b'\n');
            depths.push(depth);
        }
    }
    let note = Note::decode(&content).map_err(|unreadable| {
        let message = format!(
            "the note of commit {} on {NOTES_REF} can't be read ({}); repair or remove it with `git notes`",
            commit.short(10),
            unreadable.0
        );
        Error::new(ErrorKind::Other, message)
    })?;
    Ok(Found { note, depths })
}

fn write<T>(
    repo: &dyn GitRepo,
    tip: Option<CommitId>,
    commit: &CommitId,
    now: Timestamp,
    change: impl Fn(&mut Note) -> Option<T>,
) -> Result<Option<(CommitId, T)>, Error> {
    let tree = tip.map(|tip| repo.commit(&tip)).transpose()?.map(|tip| tip.tree);
    let found = tree.map(|tree| find_note(repo, &tree, commit)).transpose()?.unwrap_or_default();
    let mut note = found.note;
    let Some(answer) = change(&mut note) else { return Ok(None) };
    let (depth, others) = found.depths.split_first().map_or((USUAL_DEPTH, &[][..]), |(d, o)| (*d, o));
    let mut edits = vec![TreeEdit::file(path_of(commit, depth), repo.write_blob(&note.encode())?)];
    edits.extend(others.iter().map(|other| TreeEdit::remove(path_of(commit, *other))));
    let tree = repo.edit_tree(tree.as_ref(), &edits)?;
    let identity = ("cfgupdater", "cfgupdater@localhost");
    let message = format!("checks of {commit}\n");
    let new = repo.write_commit(&NewCommit::new(tree, tip.into_iter().collect(), identity, now, message))?;
    Ok(Some((new, answer)))
}

/// Runs what blocks where it may.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let interrupted =
        |error| Error::new(ErrorKind::Other, "local git work was interrupted").with_source(error);
    tokio::task::spawn_blocking(work).await.map_err(interrupted)?
}
