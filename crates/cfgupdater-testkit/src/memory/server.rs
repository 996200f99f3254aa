//! [`MemoryServer`]: what the in-memory forge holds, and what goes wrong there.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cfgupdater_core::{CommitId, Error, ErrorKind, ObjectId, RequiredCheck, Retry};

use crate::conformance::forge::{Posted, Trouble};

/// The kinds of results that the server holds.
pub(super) const KINDS: [&str; 2] = ["status", "run"];

/// The sources that the server knows by default.
pub(super) const SOURCES: [&str; 2] = ["robot", "somebody"];

/// How many attempts stand on a page.
const PAGE: usize = 100;

/// The other side of a [`MemoryForge`](super::MemoryForge); cheap to clone.
#[derive(Clone)]
pub struct MemoryServer {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    commits: BTreeMap<CommitId, Vec<Attempt>>,
    required: Option<Vec<RequiredCheck>>,
    requested: Vec<CommitId>,
    trouble: Option<Trouble>,
    token: u64,
    attempts: u64,
}

/// One attempt as the server holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Attempt {
    pub(super) number: u64,
    pub(super) posted: Posted,
    pub(super) link: Option<String>,
    pub(super) summary: Option<String>,
}

/// A part of a list.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) attempts: Vec<Attempt>,
    /// How long the server says that the whole list is.
    pub(super) total: usize,
    pub(super) is_last: bool,
}

impl MemoryServer {
    /// Builds a server with one repository that holds nothing.
    pub fn new() -> Self {
        Self { inner: Arc::default() }
    }

    /// Makes a commit that the forge knows, and returns its id.
    pub fn new_commit(&self) -> CommitId {
        let mut inner = self.lock();
        let mut bytes = [0xc0; 20];
        bytes[12..].copy_from_slice(&(inner.commits.len() as u64).to_be_bytes());
        let id = CommitId::new(ObjectId::from_bytes(&bytes).expect("as long as SHA-1"));
        inner.commits.insert(id, Vec::new());
        id
    }

    /// Tells the forge of a commit that was made elsewhere.
    pub fn push(&self, commit: CommitId) {
        self.lock().commits.entry(commit).or_default();
    }

    /// Adds an attempt, and the commit where the forge doesn't know it yet. The kinds are `status` and `run`; the words
    /// are `queued`, `running`, `success`, `failure` and `cancelled`, others are unknown.
    pub fn add(&self, commit: CommitId, posted: &Posted) {
        self.record(commit, posted, None, None);
    }

    pub(super) fn record(
        &self,
        commit: CommitId,
        posted: &Posted,
        link: Option<String>,
        summary: Option<String>,
    ) {
        let mut inner = self.lock();
        inner.attempts += 1;
        let number = inner.attempts;
        let posted = posted.clone();
        inner.commits.entry(commit).or_default().push(Attempt { number, posted, link, summary });
    }

    /// Requires these checks of the stable branch; `None` takes the setting away.
    pub fn set_required(&self, checks: Option<Vec<RequiredCheck>>) {
        self.lock().required = checks;
    }

    /// Makes something go wrong until it is ended by `None`. An expired token is replaced by a new one at once.
    pub fn set_trouble(&self, trouble: Option<Trouble>) {
        let mut inner = self.lock();
        inner.token += u64::from(trouble == Some(Trouble::TokenExpired));
        inner.trouble = trouble.filter(|trouble| *trouble != Trouble::TokenExpired);
    }

    /// Ends every check that was requested, with this word.
    pub fn run_requested(&self, word: &str) {
        let requested = std::mem::take(&mut self.lock().requested);
        for commit in requested {
            self.add(commit, &Posted::new(KINDS[1], "ci", word));
        }
    }

    /// Notes that the checks of a commit are wanted, unless they run or ended.
    pub(super) fn request(&self, commit: CommitId) -> Result<(), Error> {
        let mut inner = self.lock();
        let Some(attempts) = inner.commits.get(&commit) else { return Err(no_commit(commit)) };
        if attempts.is_empty() && !inner.requested.contains(&commit) {
            inner.requested.push(commit);
        }
        Ok(())
    }

    pub(super) fn knows(&self, commit: CommitId) -> Result<(), Error> {
        if self.lock().commits.contains_key(&commit) { Ok(()) } else { Err(no_commit(commit)) }
    }

    /// Hands out the token that is valid now.
    pub(super) fn log_in(&self) -> Result<String, Error> {
        let inner = self.lock();
        match inner.trouble {
            Some(Trouble::TokenRevoked) => Err(not_logged_in()),
            _ => Ok(token(inner.token)),
        }
    }

    /// Returns a page of the attempts of one kind; the first is page 1. A commit that isn't known has none.
    pub(super) fn page(&self, token: &str, commit: CommitId, kind: &str, page: usize) -> Result<Page, Error> {
        let inner = self.lock();
        inner.admit(token)?;
        match inner.trouble {
            Some(Trouble::PageFails(bad)) if bad == page => return Err(down()),
            Some(Trouble::PageIsMissing(bad)) if bad == page => {
                return Err(Error::new(ErrorKind::NotFound, "there is no such page of checks; read again"));
            }
            Some(Trouble::PageIsCut(bad)) if bad == page => {
                return Err(Error::new(ErrorKind::Other, "a page of checks ended in its middle; try again"));
            }
            Some(Trouble::ChecksForbidden) => return Err(forbidden("the checks")),
            Some(Trouble::CommitUnknown(unknown)) if unknown == commit => return Ok(Page::empty()),
            _ => {}
        }
        let Some(all) = inner.commits.get(&commit) else { return Ok(Page::empty()) };
        let mut of_kind: Vec<Attempt> =
            all.iter().filter(|attempt| attempt.posted.kind == kind).cloned().collect();
        // One kind is listed from the newest, the other from the oldest: the order tells nothing.
        if kind == KINDS[0] {
            of_kind.reverse();
        }
        let total = of_kind.len();
        if inner.trouble == Some(Trouble::PageIsShort) {
            of_kind.pop();
        }
        let attempts: Vec<Attempt> = of_kind.iter().skip((page - 1) * PAGE).take(PAGE).cloned().collect();
        Ok(Page { attempts, total, is_last: page * PAGE >= of_kind.len() })
    }

    pub(super) fn required(&self, token: &str) -> Result<Option<Vec<RequiredCheck>>, Error> {
        let inner = self.lock();
        inner.admit(token)?;
        if inner.trouble == Some(Trouble::RequiredForbidden) {
            return Err(forbidden("what the stable branch requires"));
        }
        Ok(inner.required.clone())
    }

    pub(super) fn token(&self) -> String {
        token(self.lock().token)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MemoryServer {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // It holds tokens.
        f.debug_struct("MemoryServer").field("commits", &self.lock().commits.len()).finish_non_exhaustive()
    }
}

impl Inner {
    /// Lets a request in, or says why not.
    fn admit(&self, given: &str) -> Result<(), Error> {
        match self.trouble {
            Some(Trouble::RateLimited { after }) => {
                let retry = after.map_or(Retry::Backoff, Retry::After);
                let message = "the in-memory forge asks for fewer requests; wait before the next";
                return Err(Error::new(ErrorKind::RateLimited, message).with_retry(retry));
            }
            Some(Trouble::Unavailable) => return Err(down()),
            Some(Trouble::RepositoryGone) => {
                let message = "the in-memory forge has no such repository; look at its name";
                return Err(Error::new(ErrorKind::NotFound, message));
            }
            Some(Trouble::TokenRevoked) => return Err(not_logged_in()),
            _ => {}
        }
        if given == token(self.token) { Ok(()) } else { Err(not_logged_in()) }
    }
}

impl Page {
    fn empty() -> Self {
        Self { attempts: Vec::new(), total: 0, is_last: true }
    }
}

fn token(number: u64) -> String {
    format!("memory-token-{number}-kept-secret")
}

fn down() -> Error {
    Error::new(ErrorKind::Unavailable, "the in-memory forge is not available; try again later")
}

fn not_logged_in() -> Error {
    Error::new(ErrorKind::Unauthenticated, "the in-memory forge does not accept the token; get another")
}

fn forbidden(what: &str) -> Error {
    Error::new(ErrorKind::Forbidden, format!("the token may not read {what}; give it the right to"))
}

fn no_commit(commit: CommitId) -> Error {
    let message = format!("the in-memory forge has no commit {}; push it first", commit.short(10));
    Error::new(ErrorKind::NotFound, message)
}
