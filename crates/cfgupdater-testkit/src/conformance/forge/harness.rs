//! [`ForgeHarness`]: what a forge can't do by itself.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use cfgupdater_core::{CheckState, CommitId, Forge, RequiredCheck};

use super::case::Unable;

/// The side of a forge that an adapter doesn't see: the people, the CI and the operators of a server, and what goes
/// wrong there. One value is one repository on one server, with a stable branch that requires nothing yet.
///
/// Only the methods without a default are needed to begin. What the others can't do they say, and the cases that need
/// it are skipped where the suite is told to skip them.
///
/// Where the server is your own, let its clock stand still: two attempts within the same second are the usual case.
#[async_trait]
pub trait ForgeHarness: Send + Sync {
    /// Builds the adapter under test as a service builds it, without memory of any other.
    async fn forge(&self) -> Arc<dyn Forge>;

    /// Lists the kinds of results that the forge has; at least one.
    fn kinds(&self) -> Vec<CheckKind>;

    /// Makes a commit that the forge knows, and returns its id.
    async fn commit(&self) -> CommitId;

    /// Begins another attempt of a check on a commit, which at once says what it says.
    ///
    /// # Errors
    /// Says so where this forge can't hold such a result.
    async fn post(&self, commit: CommitId, posted: &Posted) -> Result<(), Unable>;

    /// Begins many attempts, as [`ForgeHarness::post`] does one after the other. Worth doing at once where one takes time.
    ///
    /// # Errors
    /// As [`ForgeHarness::post`].
    async fn post_all(&self, commit: CommitId, posted: &[Posted]) -> Result<(), Unable> {
        for one in posted {
            self.post(commit, one).await?;
        }
        Ok(())
    }

    /// Lists texts that nothing may ever show: tokens, keys, the secrets of webhooks.
    fn secrets(&self) -> Vec<String>;

    /// Requires these checks of the stable branch, on the forge's own side, in the place of what it required before.
    ///
    /// # Errors
    /// Says so where this forge has no such setting.
    async fn require(&self, _: &[RequiredCheck]) -> Result<(), Unable> {
        Err(Unable::to("require checks on the forge's side"))
    }

    /// Makes something go wrong, from the next request on and until [`ForgeHarness::cure`].
    ///
    /// # Errors
    /// Says so where it can't.
    async fn cause(&self, trouble: Trouble) -> Result<(), Unable> {
        Err(Unable::to(format!("cause {trouble:?}")))
    }

    /// Ends all trouble.
    async fn cure(&self) {}

    /// Waits until everything that the forge was asked to run has ended.
    ///
    /// # Errors
    /// Says so where the forge runs nothing.
    async fn settle(&self) -> Result<(), Unable> {
        Err(Unable::to("wait for requested checks"))
    }

    /// Returns how webhooks are signed.
    ///
    /// # Errors
    /// Says so where this forge has no webhooks.
    fn signing(&self) -> Result<WebhookSigning, Unable> {
        Err(Unable::to("deliver webhooks"))
    }

    /// Makes the webhook of an event, as the forge sends it but for its signature.
    ///
    /// # Errors
    /// Says so where this forge sends none.
    fn webhook(&self, event: WebhookEvent) -> Result<Webhook, Unable> {
        Err(Unable::to(format!("deliver a webhook of {event:?}")))
    }

    /// Returns the header that signs this webhook with this secret, its name in lower case. Called only where
    /// [`ForgeHarness::signing`] answers.
    fn signature(&self, _webhook: &Webhook, _secret: &str) -> (String, String) {
        Default::default()
    }
}

/// A kind of results, such as GitHub's statuses and its check runs.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckKind {
    /// What the harness calls it.
    pub name: String,
    /// Every word that the forge documents for the state of an attempt, and what it means.
    pub words: Vec<(String, CheckState)>,
    /// Two who can report, as [`CheckRun::source`](cfgupdater_core::CheckRun) shows them; none where the forge doesn't
    /// tell. Who posts without saying so is the first.
    pub sources: Vec<String>,
}

impl CheckKind {
    /// Builds a kind from the words for its states. What stands in
    /// [`CheckState::Infrastructure`] and [`CheckState::Unknown`] is not compared.
    pub fn new<'a>(
        name: impl Into<String>,
        words: impl IntoIterator<Item = (&'a str, CheckState)>,
        sources: &[&str],
    ) -> Self {
        let words = words.into_iter().map(|(word, state)| (word.to_owned(), state)).collect();
        Self {
            name: name.into(),
            words,
            sources: sources.iter().map(|source| (*source).to_owned()).collect(),
        }
    }
}

/// An attempt as the forge is told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Posted {
    /// The name of a [`CheckKind`].
    pub kind: String,
    /// The check's name.
    pub name: String,
    /// What it says, in the forge's own words or in words the forge doesn't document.
    pub word: String,
    /// Who says so: one of the kind's sources.
    pub source: Option<String>,
}

impl Posted {
    /// Builds an attempt by the first source.
    pub fn new(kind: impl Into<String>, name: impl Into<String>, word: impl Into<String>) -> Self {
        Self { kind: kind.into(), name: name.into(), word: word.into(), source: None }
    }
}

/// What goes wrong on a forge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trouble {
    /// Every request is answered that there were too many.
    RateLimited {
        /// When to come back, where the forge says so.
        after: Option<Duration>,
    },
    /// Every request is answered that the server is not available.
    Unavailable,
    /// A page of a list of checks is answered by a server error; the first is page 1.
    PageFails(usize),
    /// A page of a list of checks, not the first, is answered that there is no such thing.
    PageIsMissing(usize),
    /// A page of a list of checks ends in its middle.
    PageIsCut(usize),
    /// A list of checks is shorter than the forge itself says that it is.
    PageIsShort,
    /// The API doesn't know this commit yet, though git does.
    CommitUnknown(CommitId),
    /// The API knows no such repository.
    RepositoryGone,
    /// The short-lived token in use has expired, and a new one is to be had.
    TokenExpired,
    /// The credentials no longer hold.
    TokenRevoked,
    /// The credentials may not read checks.
    ChecksForbidden,
    /// The credentials may not read what the forge requires; all else may be read.
    RequiredForbidden,
}

/// What a webhook tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum WebhookEvent {
    /// A check of a commit got a result.
    CheckChanged,
    /// Somebody pushed the stable branch.
    StableMoved,
    /// Somebody changed which checks the stable branch requires.
    RequirementsChanged,
    /// Something in another repository that shares the secret.
    OtherRepository,
    /// Something that this adapter can't know yet.
    Unknown,
}

/// A webhook before it is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Webhook {
    /// Header names in lower case, with their values.
    pub headers: Vec<(String, String)>,
    /// The raw body.
    pub body: Vec<u8>,
}

impl Webhook {
    /// Builds a webhook.
    pub fn new(headers: &[(&str, &str)], body: impl Into<Vec<u8>>) -> Self {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Self { headers: headers.iter().map(owned).collect(), body: body.into() }
    }
}

/// How a forge signs webhooks.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct WebhookSigning {
    /// The secrets in force: one, or also the next while they are exchanged.
    pub secrets: Vec<String>,
    /// Whether the signature covers the body; a plain token doesn't.
    pub covers_body: bool,
}

impl WebhookSigning {
    /// Describes signatures made over the body.
    pub fn over_body(secrets: &[&str]) -> Self {
        Self { secrets: secrets.iter().map(|secret| (*secret).to_owned()).collect(), covers_body: true }
    }

    /// Describes a secret that is sent as it is.
    pub fn token(secrets: &[&str]) -> Self {
        Self { covers_body: false, ..Self::over_body(secrets) }
    }
}

impl fmt::Debug for WebhookSigning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookSigning").field("covers_body", &self.covers_body).finish_non_exhaustive()
    }
}
