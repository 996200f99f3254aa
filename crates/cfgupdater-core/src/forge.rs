//! [`Forge`]: where checks come from.

use std::collections::BTreeMap;
use std::fmt::{self, Debug};

use async_trait::async_trait;

use crate::check::{CheckRun, CheckState, RequiredChecks};
use crate::error::{Error, ErrorKind};
use crate::object_id::CommitId;
use crate::timestamp::Timestamp;

/// All attempts known, by commit.
pub type Checks = BTreeMap<CommitId, Vec<CheckRun>>;

/// Answers what the checks of a commit say. One value is bound to one repository.
///
/// # Contract
/// [`Forge::checks`] is complete or an error: an adapter that read one page of three returns an error, since a
/// missing failure must never look like success. The verdict is not an adapter's business. Operations beyond these
/// are variants of [`ForgeAction`], so that this trait doesn't grow.
#[async_trait]
pub trait Forge: Debug + Send + Sync {
    /// Tells what this forge can do.
    fn capabilities(&self) -> Capabilities;

    /// Reads every attempt of every check of each commit at this very SHA. A commit the forge doesn't know yet has
    /// no checks.
    ///
    /// # Errors
    /// Fails rather than leave out an attempt.
    async fn checks(&self, commits: &[CommitId]) -> Result<Checks, Error>;

    /// Reads the checks the forge itself requires for the stable branch; `None` where it has no such setting.
    ///
    /// # Errors
    /// Fails where the setting exists but can't be read.
    async fn required_checks(&self) -> Result<Option<RequiredChecks>, Error>;

    /// Reads a webhook. Pure: a delivery may only cause a look at the repository.
    ///
    /// # Errors
    /// Refuses what isn't authentic or can't be read.
    fn decode_webhook(&self, delivery: &WebhookDelivery<'_>) -> Result<WebhookMeaning, Error>;

    /// Returns what git needs to log in, `None` where it needs nothing or has it already.
    ///
    /// # Errors
    /// Fails where a credential can't be had.
    async fn git_credentials(&self) -> Result<Option<GitCredentials>, Error> {
        Ok(None)
    }

    /// Checks rights and settings, and reports what would not work.
    ///
    /// # Errors
    /// Fails where it can't look.
    async fn preflight(&self) -> Result<Vec<Finding>, Error> {
        Ok(Vec::new())
    }

    /// Carries out one of the operations that only some forges have.
    ///
    /// # Errors
    /// Fails with [`ErrorKind::Unsupported`] by default.
    async fn perform(&self, action: ForgeAction) -> Result<ForgeAnswer, Error> {
        Err(Error::new(ErrorKind::Unsupported, format!("this forge can't {}", action.describe())))
    }
}

/// What a forge can do, as declared by its adapter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "capabilities are independent of each other")]
pub struct Capabilities {
    /// Runs the checks of any commit when asked ([`ForgeAction::RequestChecks`]). Without it, a commit is tested by
    /// pushing it to a branch.
    pub requests_checks: bool,
    /// Takes results from outside ([`ForgeAction::ReportCheck`]).
    pub takes_reports: bool,
    /// Cancels the running checks of a branch when the branch moves on.
    pub cancels_superseded: bool,
    /// Keeps the output of checks ([`ForgeAction::ReadEvidence`]).
    pub keeps_evidence: bool,
    /// How many pushes a minute a repository may get, where the forge gives such advice.
    pub pushes_per_minute: Option<u32>,
}

/// An operation that only some forges have.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ForgeAction {
    /// Starts the checks of commits that have no attempt; does nothing for those that run or ended.
    RequestChecks {
        /// The commits to test, most wanted first.
        commits: Vec<CommitId>,
    },
    /// Records a result that somebody reports.
    ReportCheck {
        /// The commit it speaks of.
        commit: CommitId,
        /// The check's name.
        context: String,
        /// What it says.
        state: CheckState,
        /// Who says so: the name of a token.
        source: String,
        /// Where people read more.
        link: Option<String>,
        /// A short summary.
        summary: Option<String>,
    },
    /// Reads the kept output of the latest attempt of a check.
    ReadEvidence {
        /// The commit tested.
        commit: CommitId,
        /// The check's name.
        context: String,
    },
    /// Tells what was asked of the forge's interface, and what it still takes. Asks nothing of the forge itself.
    ReadUsage,
    /// Gives git another login from now on, where there is one to be had.
    ReplaceCredentials {
        /// The login that git was refused.
        refused: GitCredentials,
    },
}

impl ForgeAction {
    fn describe(&self) -> &'static str {
        match self {
            Self::RequestChecks { .. } => "start checks on request",
            Self::ReportCheck { .. } => "take check results from outside",
            Self::ReadEvidence { .. } => "show the output of a check",
            Self::ReadUsage => "tell what was asked of it",
            Self::ReplaceCredentials { .. } => "replace a login that was refused",
        }
    }
}

/// What [`Forge::perform`] answers.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ForgeAnswer {
    /// It was done, or will be.
    Done,
    /// The kept output, `None` where nothing is kept.
    Evidence(Option<String>),
    /// What was asked of the forge's interface.
    Usage(ApiUsage),
}

/// What was asked of a forge's interface, and what it still takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ApiUsage {
    /// Requests answered.
    pub requests: u64,
    /// Answers that said "unchanged", which cost nothing.
    pub unchanged: u64,
    /// Answers that asked for fewer requests.
    pub limited: u64,
    /// Requests allowed in a window, as told last.
    pub limit: Option<u64>,
    /// Requests left in it, as told last.
    pub remaining: Option<u64>,
    /// When the next window begins.
    pub reset: Option<Timestamp>,
}

/// A webhook as received. The body is the raw bytes that a signature was made over.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct WebhookDelivery<'a> {
    /// Header names in lower case, with their values.
    pub headers: &'a [(String, String)],
    /// The raw body.
    pub body: &'a [u8],
}

impl<'a> WebhookDelivery<'a> {
    /// Builds a delivery from lower-case header names and the raw body.
    pub fn new(headers: &'a [(String, String)], body: &'a [u8]) -> Self {
        Self { headers, body }
    }

    /// Returns the first value of a header, by its lower-case name.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

impl Debug for WebhookDelivery<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Headers carry signatures and shared secrets.
        f.debug_struct("WebhookDelivery").field("body_bytes", &self.body.len()).finish_non_exhaustive()
    }
}

/// What an authentic webhook means to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum WebhookMeaning {
    /// Something may have changed: look at the repository.
    Look,
    /// Nothing that concerns us.
    Ignore,
}

/// A login for git over HTTP.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct GitCredentials {
    /// The user name.
    pub username: String,
    /// The password or token.
    pub password: String,
}

impl GitCredentials {
    /// Builds a login.
    pub fn new(username: impl Into<String>, password: impl Into<String>) -> Self {
        Self { username: username.into(), password: password.into() }
    }
}

impl Debug for GitCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GitCredentials").field("username", &self.username).finish_non_exhaustive()
    }
}

/// Something a preflight found, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// Whether the service can't work with it.
    pub fatal: bool,
    /// What is wrong.
    pub problem: String,
    /// What to do.
    pub remedy: String,
}

impl Finding {
    /// Builds a finding that stops the service from working.
    pub fn fatal(problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { fatal: true, problem: problem.into(), remedy: remedy.into() }
    }

    /// Builds a finding the service can live with.
    pub fn warning(problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { fatal: false, problem: problem.into(), remedy: remedy.into() }
    }
}
