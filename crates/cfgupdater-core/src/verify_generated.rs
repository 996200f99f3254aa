//! The service's own check: are the generated files of a commit what rendering gives? What is rendered for it next, and what
//! it says meanwhile.

use std::collections::BTreeMap;

use crate::object_id::CommitId;
use crate::render::{RenderFailure, RenderFailureKind};
use crate::timestamp::Timestamp;
use crate::unrendered::rendering_pause;

#[cfg(test)]
mod tests;
mod told;

/// The name of the check.
pub const GENERATED_CHECK: &str = "cfgupdater/generated";

/// A commit that is to be rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ToRender {
    /// The commit.
    pub commit: CommitId,
    /// Whether what is remembered of its tree doesn't count: the question is whether rendering works here and now.
    pub anew: bool,
}

impl ToRender {
    /// Asks for a commit whose tree may have been rendered before.
    pub fn as_it_stands(commit: CommitId) -> Self {
        Self { commit, anew: false }
    }
}

/// What came of rendering a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Compared {
    /// It holds what was made.
    UpToDate,
    /// It holds something else; says what, and what to do.
    Differs(String),
    /// It could not be rendered.
    Failed(RenderFailure),
}

/// The check on the commits of auto, and on stable's tip, where people push to and it only finds.
///
/// Whoever renders asks for [`Verification::next`] again and again, and tells what came of it. Nobody who reads waits for it:
/// what isn't known yet is pending. A commit is red only if stable, rendered after it, is what it holds; else the renderer
/// broke or became another one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verification {
    stable: Option<CommitId>,
    chain: Vec<CommitId>,
    known: BTreeMap<CommitId, Known>,
    looked: Option<Timestamp>,
}

/// What is known of one commit.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Known {
    said: Said,
    /// How often in a row it came to nothing.
    failures: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Said {
    /// It is to be rendered: for the first time, or after this stood in the way.
    Open(Option<String>),
    UpToDate,
    /// This is wrong, unless it is the renderer that broke.
    Suspect(String),
    /// This is wrong.
    Wrong(String),
    /// Nothing is known of the commit, for this reason, until it is tried again.
    Waits(String, Timestamp),
}

impl Verification {
    /// Looks at the commits on which the check is wanted: the oldest of auto first. What failed on another stable tip counts
    /// for nothing, and a pause may be over.
    pub fn look(&mut self, stable: CommitId, chain: Vec<CommitId>, now: Timestamp) {
        let put_back = self.looked.replace(now).is_some_and(|before| now < before);
        let moved = self.stable.replace(stable) != Some(stable);
        self.chain = chain;
        let wanted: Vec<CommitId> = self.commits().collect();
        self.known
            .retain(|commit, known| wanted.contains(commit) && (!moved || known.said == Said::UpToDate));
        for commit in wanted {
            let known = self.known.entry(commit).or_insert(Known { said: Said::Open(None), failures: 0 });
            if let Said::Waits(text, until) = &known.said
                && (put_back || *until <= now)
            {
                known.said = Said::Open(Some(text.clone()));
            }
        }
    }

    /// Returns what to render next; `None` while nothing needs to be.
    pub fn next(&self) -> Option<ToRender> {
        let open = |commit: &CommitId, tried: bool| match self.said(commit) {
            Some(Said::Open(before)) => before.is_some() == tried,
            _ => false,
        };
        // A proof is of use to all who are suspected, so it comes last.
        let first = self.commits().find(|commit| open(commit, false));
        let again = || self.commits().find(|commit| open(commit, true));
        let as_it_stands = first.or_else(again).map(ToRender::as_it_stands);
        as_it_stands.or_else(|| {
            let stable = self.stable.filter(|_| self.suspects_anybody())?;
            Some(ToRender { commit: stable, anew: true })
        })
    }

    /// Lists the commits that are to be rendered as they stand: what is remembered of their trees is told at once.
    pub fn open(&self) -> Vec<CommitId> {
        self.commits().filter(|commit| matches!(self.said(commit), Some(Said::Open(_)))).collect()
    }

    /// Tells whether a rendering that has begun is still of use.
    pub fn wants(&self, rendering: &ToRender) -> bool {
        if rendering.anew {
            return self.stable == Some(rendering.commit) && self.suspects_anybody();
        }
        matches!(self.said(&rendering.commit), Some(Said::Open(_)))
    }

    /// Learns what came of a rendering; nothing where it isn't wanted any more.
    pub fn learn(&mut self, rendered: &ToRender, compared: Compared, now: Timestamp) {
        if !self.wants(rendered) {
            return;
        }
        if rendered.anew {
            return self.prove(&compared, now);
        }
        let is_stable = self.stable == Some(rendered.commit);
        let Some(known) = self.known.get_mut(&rendered.commit) else { return };
        match compared {
            Compared::UpToDate => *known = Known { said: Said::UpToDate, failures: 0 },
            Compared::Differs(text) if is_stable => known.said = Said::Wrong(text),
            Compared::Differs(text) => known.said = Said::Suspect(text),
            Compared::Failed(failure) if says_nothing(failure.kind) => known.wait(
                format!("it isn't known whether its generated files are up to date: {}", failure.message),
                now,
            ),
            Compared::Failed(failure) => {
                let text = format!("its files can't be rendered: {}", failure.message);
                // What a make target says of a missing tool can't be told from what it says of a bad tree.
                if is_stable { known.wait(text, now) } else { known.said = Said::Suspect(text) }
            }
        }
    }

    /// Settles what is suspected by what came of rendering stable, which began after all of it was found.
    fn prove(&mut self, stable: &Compared, now: Timestamp) {
        for known in self.known.values_mut() {
            let Said::Suspect(text) = &known.said else { continue };
            if *stable == Compared::UpToDate {
                known.said = Said::Wrong(text.clone());
            } else {
                let text = format!(
                    "{text}; nobody is blamed, since rendering stable doesn't give what it holds either"
                );
                known.wait(text, now);
            }
        }
    }

    fn commits(&self) -> impl Iterator<Item = CommitId> {
        self.chain.iter().copied().chain(self.stable)
    }

    fn said(&self, commit: &CommitId) -> Option<&Said> {
        self.known.get(commit).map(|known| &known.said)
    }

    fn suspects_anybody(&self) -> bool {
        self.known.values().any(|known| matches!(known.said, Said::Suspect(_)))
    }
}

impl Known {
    fn wait(&mut self, text: String, now: Timestamp) {
        self.failures = self.failures.saturating_add(1);
        self.said = Said::Waits(text, now.after(rendering_pause(self.failures)));
    }
}

/// Tells whether a failure says nothing of what was rendered: the place is at fault, or it took too long here.
fn says_nothing(kind: RenderFailureKind) -> bool {
    match kind {
        RenderFailureKind::Environment | RenderFailureKind::Limit => true,
        RenderFailureKind::Tree | RenderFailureKind::Refused => false,
    }
}
