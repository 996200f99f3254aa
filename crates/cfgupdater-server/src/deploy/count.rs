//! What became of calls of deploy tools, counted.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Mutex, PoisonError};

use cfgupdater::core::RepoName;

/// What became of a deploy tool's call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    /// It told something new.
    Recorded,
    /// It told what was known.
    Known,
    /// It told nothing of what is deployed.
    Nothing,
    /// Its sender isn't configured.
    Unmapped,
    /// It was not authentic, or not allowed.
    Unauthentic,
    /// It could not be right.
    Refused,
}

impl Outcome {
    fn label(self) -> &'static str {
        match self {
            Self::Recorded => "recorded",
            Self::Known => "known",
            Self::Nothing => "nothing",
            Self::Unmapped => "unmapped",
            Self::Unauthentic => "unauthentic",
            Self::Refused => "refused",
        }
    }
}

/// Counts calls of deploy tools, by hook and outcome.
#[derive(Debug, Default)]
pub(crate) struct Counts(Mutex<BTreeMap<(&'static str, Outcome), u64>>);

impl Counts {
    pub(crate) fn count(&self, hook: &'static str, outcome: Outcome) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry((hook, outcome)).or_default() += 1;
    }

    pub(crate) fn render(&self, repo: &RepoName, out: &mut String) {
        for ((hook, outcome), count) in &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            let labels = format!("repo=\"{repo}\",hook=\"{hook}\",outcome=\"{}\"", outcome.label());
            // Writing to a text can't fail.
            let _ = writeln!(out, "cfgupdater_deploy_hooks_total{{{labels}}} {count}");
        }
    }
}
