//! What follows from a tree that could not be rendered: the intent is evicted if it is to blame, else auto waits.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::end::{CheckOutcome, Evidence};
use crate::failure::pause;
use crate::intent::IntentId;
use crate::object_id::CommitId;
use crate::render::Culprit;
use crate::timestamp::Timestamp;

/// The check that evidence of an unrenderable intent names.
pub const RENDER_CHECK: &str = "render";

/// How long auto waits at least before it is tried again.
const SHORTEST: Duration = Duration::from_secs(2);

/// Returns how long what can't be rendered is left alone after `failures` in a row.
pub(crate) fn rendering_pause(failures: u32) -> Duration {
    pause(failures).max(SHORTEST)
}

/// A rebuild of auto that ended at an intent whose files could not be rendered.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct RenderingFailure {
    /// The stable tip that the rebuild was planned on.
    pub stable: CommitId,
    /// The intent.
    pub intent: IntentId,
    /// The commit it was applied to.
    pub base: CommitId,
    /// Who is to blame.
    pub culprit: Culprit,
    /// What happened.
    pub message: String,
}

impl RenderingFailure {
    /// Builds a failure.
    pub fn new(
        stable: CommitId,
        (intent, base): (IntentId, CommitId),
        culprit: Culprit,
        message: impl Into<String>,
    ) -> Self {
        Self { stable, intent, base, culprit, message: message.into() }
    }
}

/// What is known of rendering on the present stable tip. It is forgotten when stable moves, and tried again after a
/// growing pause.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(crate) struct Unrendered {
    stable: Option<CommitId>,
    guilty: BTreeMap<IntentId, Evidence>,
    waits: Option<String>,
    until: Option<Timestamp>,
    failures: u32,
}

impl Unrendered {
    /// Learns of a failure.
    pub(crate) fn learn(&mut self, failure: &RenderingFailure, now: Timestamp) {
        self.on(failure.stable);
        match failure.culprit {
            Culprit::Intent => {
                let evidence = Evidence {
                    commit: failure.base,
                    check: RENDER_CHECK.to_owned(),
                    outcome: CheckOutcome::NotRendered,
                    link: None,
                    summary: Some(failure.message.clone()),
                };
                self.guilty.insert(failure.intent, evidence);
            }
            Culprit::Others => {
                self.failures = self.failures.saturating_add(1);
                let text = format!(
                    "nothing new gets onto auto, since files can't be rendered on {}: {}",
                    failure.base.short(10),
                    failure.message
                );
                self.waits = Some(text);
                self.until = Some(now.after(rendering_pause(self.failures)));
            }
            Culprit::Nobody => {
                self.waits = Some(format!("auto follows once its files are rendered: {}", failure.message));
                self.until = Some(now.after(SHORTEST));
            }
        }
    }

    /// Learns that auto was written.
    pub(crate) fn passed(&mut self) {
        *self = Self { stable: self.stable, ..Self::default() };
    }

    /// Looks at a stable tip: what was learnt on another one counts for nothing, and a pause may be over.
    pub(crate) fn look(&mut self, stable: CommitId, now: Timestamp) {
        self.on(stable);
        if self.until.is_some_and(|until| until <= now) {
            (self.until, self.waits) = (None, None);
        }
    }

    /// Forgets the intents that are settled.
    pub(crate) fn forget(&mut self, is_settled: impl Fn(IntentId) -> bool) {
        self.guilty.retain(|id, _| !is_settled(*id));
    }

    fn on(&mut self, stable: CommitId) {
        if self.stable != Some(stable) {
            *self = Self { stable: Some(stable), ..Self::default() };
        }
    }

    /// Returns the intents to evict, with what proves it.
    pub(crate) fn guilty(&self) -> BTreeMap<IntentId, Evidence> {
        self.guilty.clone()
    }

    /// Says why auto waits, and until when it does without being tried again.
    pub(crate) fn waits(&self) -> Option<(String, Timestamp)> {
        self.waits.clone().zip(self.until)
    }

    /// Lets it be tried again at once.
    pub(crate) fn retry_at(&mut self, now: Timestamp) {
        self.until = self.until.map(|_| now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{at, commit, introduce};

    fn failure(culprit: Culprit) -> RenderingFailure {
        let id = introduce("app", "staging", 1).id;
        RenderingFailure::new(commit(1), (id, commit(1)), culprit, "make: *** error")
    }

    #[test]
    fn a_guilty_intent_is_evicted_with_what_proves_it() {
        let mut unrendered = Unrendered::default();
        unrendered.learn(&failure(Culprit::Intent), at(10));
        let guilty = unrendered.guilty();
        let evidence = guilty.values().next().unwrap();
        assert_eq!((evidence.commit, evidence.outcome), (commit(1), CheckOutcome::NotRendered));
        assert!(unrendered.waits().is_none());
    }

    #[test]
    fn what_waits_is_tried_again_later_or_when_stable_moves() {
        let mut unrendered = Unrendered::default();
        unrendered.learn(&failure(Culprit::Others), at(10));
        let (text, until) = unrendered.waits().unwrap();
        assert!(text.contains("make: *** error") && until > at(10), "{text}");
        unrendered.look(commit(1), at(11));
        assert!(unrendered.waits().is_some());
        unrendered.look(commit(2), at(11));
        assert!(unrendered.waits().is_none());
        unrendered.learn(&failure(Culprit::Others), at(10));
        unrendered.look(commit(1), until);
        assert!(unrendered.waits().is_none());
        let before = until;
        unrendered.learn(&failure(Culprit::Others), at(10));
        unrendered.learn(&failure(Culprit::Others), at(10));
        assert!(unrendered.waits().unwrap().1 > before, "pauses grow");
    }

    #[test]
    fn what_only_takes_long_is_looked_at_again_soon_however_often_that_was() {
        let mut unrendered = Unrendered::default();
        for _ in 0..20 {
            unrendered.learn(&failure(Culprit::Nobody), at(10));
        }
        let (text, until) = unrendered.waits().unwrap();
        assert!(text.contains("once its files are rendered") && until == at(12), "{text}");
        assert!(unrendered.guilty().is_empty());
    }

    #[test]
    fn what_is_learnt_on_a_stable_tip_holds_until_it_is_settled_or_auto_is_written() {
        let intent = introduce("app", "staging", 1).id;
        let mut unrendered = Unrendered::default();
        unrendered.learn(&failure(Culprit::Intent), at(10));
        unrendered.look(commit(1), at(11));
        unrendered.forget(|settled| settled != intent);
        assert!(unrendered.guilty().contains_key(&intent));
        unrendered.forget(|settled| settled == intent);
        assert!(unrendered.guilty().is_empty());
        unrendered.learn(&failure(Culprit::Intent), at(10));
        unrendered.learn(&failure(Culprit::Others), at(10));
        unrendered.passed();
        assert_eq!((unrendered.guilty().len(), unrendered.waits()), (0, None));
    }

    #[test]
    fn a_pause_ends_at_once_where_its_clock_was_put_back() {
        let mut unrendered = Unrendered::default();
        unrendered.retry_at(at(5));
        assert_eq!(unrendered.waits(), None);
        unrendered.learn(&failure(Culprit::Others), at(1000));
        unrendered.retry_at(at(5));
        unrendered.look(commit(1), at(5));
        assert_eq!(unrendered.waits(), None);
    }
}
