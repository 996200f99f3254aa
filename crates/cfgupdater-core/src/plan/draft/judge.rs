//! What lands, who is evicted, and what is tested to find out.

use crate::check::CheckRun;
use crate::end::{CheckOutcome, End, Evidence};
use crate::evict::{Blame, blame};
use crate::intent::IntentId;
use crate::land::{Candidate, landable};
use crate::object_id::CommitId;
use crate::policy::Landing;
use crate::reason::{Code, Reason};
use crate::snapshot::{ChainCommit, Relation};
use crate::timeout::{Limits, ended_later, late};
use crate::verdict::{Verdict, by_check};
use crate::verify_generated::GENERATED_CHECK;

use super::{Draft, Effect, ended};

impl<'a> Draft<'a> {
    /// Finds the commit that may become stable, unless landing is stopped.
    pub(in crate::plan) fn land(&mut self) -> Option<Effect> {
        if self.snapshot.relation != Relation::Ahead {
            return None;
        }
        // In the order of the projection: somebody may have put our own commits into another one.
        let wanted = self.projection.chain.iter().map(Some).chain(std::iter::repeat(None));
        let candidate = |((commit, verdict), wanted): ((&ChainCommit, &Verdict), Option<&IntentId>)| {
            // What state doesn't name is recorded first: once on stable, only the record tells it from a copy.
            let named = self.state.built_at(&commit.id).is_some();
            let live = named && wanted.is_some() && commit.intent.as_ref() == wanted;
            Candidate { verdict: *verdict, live }
        };
        let candidates: Vec<Candidate> =
            self.snapshot.chain.iter().zip(&self.verdicts).zip(wanted).map(candidate).collect();
        let to = self.snapshot.chain[landable(&candidates, self.policy.landing)?].id;
        if let Some(pause) = &self.state.paused {
            let text =
                format!("{} is green, but {} paused landing: {}", to.short(10), pause.actor, pause.reason);
            self.why.push(Reason::new(Code::Paused, "stable", text));
            return None;
        }
        Some(Effect::Land { from: self.snapshot.branches.stable, to })
    }

    /// Evicts the one commit that is proven guilty, or has what is suspected tested.
    pub(in crate::plan) fn evict(&mut self) {
        if self.snapshot.relation != Relation::Ahead {
            return;
        }
        let chain = &self.snapshot.chain;
        match blame(self.snapshot.stable_verdict(), &self.verdicts) {
            Blame::Guilty(index) => self.evict_at(index, None),
            Blame::Test(index) => self.probe = Some(chain[index].id),
            Blame::TestStable => {
                self.probe = Some(self.snapshot.branches.stable);
                self.why_stable_is_not_green(&self.how_stable_is_tested());
            }
            Blame::Wait if self.snapshot.stable_verdict() == Verdict::Red => {
                self.why_stable_is_not_green("is red itself: mend it, nothing is evicted meanwhile");
            }
            Blame::Nobody if self.policy.landing == Landing::EveryCommit => {
                self.probe = self.lowest_untested();
            }
            Blame::Wait => self.why_stable_is_not_known(),
            Blame::Nobody => {}
        }
        self.watch_the_clock();
    }

    /// Finds what must be tested before the tip may carry it: the lowest commit that isn't green, if it has no checks.
    fn lowest_untested(&self) -> Option<CommitId> {
        let (_, beneath) = self.verdicts.split_last()?;
        let lowest = beneath.iter().position(|verdict| *verdict != Verdict::Green)?;
        (beneath[lowest] == Verdict::Missing).then(|| self.snapshot.chain[lowest].id)
    }

    fn why_stable_is_not_known(&mut self) {
        if self.snapshot.stable_verdict() == Verdict::Pending {
            self.why_stable_is_not_green("is being tested, or its checks were cancelled: run them again");
        }
    }

    fn how_stable_is_tested(&self) -> String {
        let probe = &self.policy.probe;
        if self.snapshot.capabilities.requests_checks {
            return "has no verdict of its own yet; its checks are asked for".to_owned();
        }
        format!("has no verdict of its own yet; it is pushed to {probe}, where CI must test it")
    }

    fn why_stable_is_not_green(&mut self, what: &str) {
        let text = format!("the tip {} {what}", self.snapshot.branches.stable.short(10));
        self.why.push(Reason::new(Code::StableNotGreen, "stable", text));
    }

    fn evict_at(&mut self, index: usize, timed_out: Option<&str>) {
        let commit = &self.snapshot.chain[index];
        let Some(id) = commit.intent.filter(|id| self.state.live_intent(*id).is_some()) else { return };
        let evidence = match timed_out {
            Some(check) => Evidence {
                commit: commit.id,
                check: check.to_owned(),
                outcome: CheckOutcome::TimedOut,
                link: None,
                summary: None,
            },
            None => self.failure_of(&commit.id),
        };
        self.record(ended(id, End::Evicted { evidence }));
        self.project();
    }

    fn failure_of(&self, commit: &CommitId) -> Evidence {
        let failed =
            by_check(&self.snapshot.required, self.runs(commit)).find(|said| said.verdict == Verdict::Red);
        let run = failed.and_then(|said| said.run);
        Evidence {
            commit: *commit,
            check: failed.map(|said| said.check.name.clone()).unwrap_or_default(),
            outcome: CheckOutcome::Failed,
            link: run.and_then(|run| run.link.clone()),
            summary: run.and_then(|run| run.summary.clone()),
        }
    }

    pub(super) fn runs(&self, commit: &CommitId) -> &'a [CheckRun] {
        self.snapshot.runs(commit)
    }

    /// Finds checks that don't start or don't end: evicted if they did on a later commit, else reported as stalled.
    fn watch_the_clock(&mut self) {
        let limits =
            Limits { not_started: self.policy.not_started_timeout, running: self.policy.running_timeout };
        let tip = self.snapshot.chain.len().saturating_sub(1);
        for (index, commit) in self.snapshot.chain.iter().enumerate() {
            // A commit that state doesn't know was pushed when state was not: nobody is blamed by a guess.
            let known = self.state.built_at(&commit.id);
            let accepted = || Some(self.state.live_intent(commit.intent?)?.accepted_at);
            let Some(built_at) = known.or_else(accepted) else { continue };
            let runs = self.runs(&commit.id);
            // Forges that test pushed tips only never start checks on the others, and that is no delay.
            let untested = runs.iter().all(|run| run.name == GENERATED_CHECK)
                && index != tip
                && !self.snapshot.capabilities.requests_checks;
            let probed = self.snapshot.branches.probe == Some(commit.id);
            if untested && !probed {
                continue;
            }
            let (next, found) = late(&self.snapshot.required, runs, built_at, limits, self.snapshot.now);
            self.look_again_at(next);
            let Some(found) = found else { continue };
            let later: Vec<&[CheckRun]> =
                self.snapshot.chain[index + 1..].iter().map(|above| self.runs(&above.id)).collect();
            let parent = index
                .checked_sub(1)
                .map_or_else(|| self.snapshot.stable_verdict(), |below| self.verdicts[below]);
            // When it was probed isn't known, so a probe that came to nothing is nobody's fault.
            let blamed = !untested && known.is_some();
            if blamed && parent == Verdict::Green && ended_later(found.check, &later) {
                return self.evict_at(index, Some(&found.check.name.clone()));
            }
            let how = if found.started { "has not ended" } else { "has not started" };
            let text = format!("required check {} {how} since {}; look at CI", found.check, found.since);
            self.why.push(Reason::new(Code::Stalled, format!("commit {}", commit.id.short(10)), text));
        }
    }
}
