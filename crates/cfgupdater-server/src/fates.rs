//! [`Fates`]: what became of the webhooks of forges, counted.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Mutex, PoisonError};

use cfgupdater::core::RepoName;

/// What became of a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fate {
    /// It caused a look.
    Looked,
    /// It was delivered before.
    Repeated,
    /// It is about nothing that concerns the repository.
    Ignored,
    /// It was not authentic.
    Unauthentic,
    /// It could not be a webhook of this forge.
    Malformed,
    /// Nobody can tell whether it is authentic, since the secret can't be had.
    Unprovable,
}

impl Fate {
    fn label(self) -> &'static str {
        match self {
            Self::Looked => "looked",
            Self::Repeated => "repeated",
            Self::Ignored => "ignored",
            Self::Unauthentic => "unauthentic",
            Self::Malformed => "malformed",
            Self::Unprovable => "unprovable",
        }
    }
}

/// Counts webhooks, by repository and what became of them.
#[derive(Debug, Default)]
pub(crate) struct Fates(Mutex<BTreeMap<(RepoName, Fate), u64>>);

impl Fates {
    pub(crate) fn count(&self, repo: &RepoName, fate: Fate) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry((repo.clone(), fate)).or_default() += 1;
    }

    /// Renders them in the Prometheus text format.
    pub(crate) fn render(&self, out: &mut String) {
        out.push_str("# HELP cfgupdater_forge_hooks_total Webhooks of forges, by what became of them.\n");
        out.push_str("# TYPE cfgupdater_forge_hooks_total counter\n");
        for ((repo, fate), count) in &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            let labels = format!("repo=\"{repo}\",outcome=\"{}\"", fate.label());
            // Writing to a text can't fail.
            let _ = writeln!(out, "cfgupdater_forge_hooks_total{{{labels}}} {count}");
        }
    }
}
