//! Check results as forges report them.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::timestamp::Timestamp;

/// What one attempt of a check says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CheckState {
    /// Waiting for a machine.
    Queued,
    /// Running.
    Running,
    /// Passed.
    Success,
    /// Failed.
    Failure,
    /// Ended without saying anything of the commit: cancelled, stale, start-up failure. Asked again or waited for.
    Infrastructure(String),
    /// A conclusion this version doesn't know; never green, never red.
    Unknown(String),
}

impl CheckState {
    /// Tells whether the attempt has ended.
    pub fn is_finished(&self) -> bool {
        !matches!(self, Self::Queued | Self::Running)
    }
}

/// One attempt of one check on one commit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CheckRun {
    /// The check's name, or a status's context.
    pub name: String,
    /// Who reported it: an app id, a login, a token's name.
    pub source: Option<String>,
    /// Tells apart kinds of results that share a name and don't replace each other, such as GitHub's statuses and
    /// check runs. A name must pass in every series it appears in.
    pub series: String,
    /// Orders attempts of the same name and series: the highest is the latest.
    pub attempt: u64,
    /// What it says.
    pub state: CheckState,
    /// When it was reported.
    pub at: Option<Timestamp>,
    /// Where people read more.
    pub link: Option<String>,
    /// A short summary, such as the end of the output.
    pub summary: Option<String>,
}

impl CheckRun {
    /// Builds an attempt without source, time and link.
    pub fn new(name: impl Into<String>, attempt: u64, state: CheckState) -> Self {
        Self {
            name: name.into(),
            source: None,
            series: String::new(),
            attempt,
            state,
            at: None,
            link: None,
            summary: None,
        }
    }
}

/// A check that must pass, from whichever source or from one alone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RequiredCheck {
    /// The check's name.
    pub name: String,
    /// The only source whose word counts, if one is set.
    pub source: Option<String>,
}

impl RequiredCheck {
    /// Requires `name` from any source.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), source: None }
    }

    /// Tells whether `run` is an attempt of this check; the right name from another source is not.
    pub fn accepts(&self, run: &CheckRun) -> bool {
        run.name == self.name && (self.source.is_none() || self.source == run.source)
    }
}

impl fmt::Display for RequiredCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Some(source) => write!(f, "{} (by {source})", self.name),
            None => f.write_str(&self.name),
        }
    }
}

/// The checks a commit must pass before it may land.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct RequiredChecks {
    /// The checks; an empty set lands nothing unless `allow_empty` is set.
    pub checks: BTreeSet<RequiredCheck>,
    /// The operator said in so many words that nothing needs to pass.
    pub allow_empty: bool,
}

impl RequiredChecks {
    /// Requires these names, from any source.
    pub fn named<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        Self { checks: names.into_iter().map(RequiredCheck::named).collect(), allow_empty: false }
    }
}
