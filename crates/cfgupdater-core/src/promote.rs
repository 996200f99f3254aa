//! Which release of a wave is proven, and what stands against its promotion to the next wave.

use crate::gate::{self, subject};
use crate::history::{History, Introduction, Slot};
use crate::intent::{Action, Intent, IntentId, promotion_id};
use crate::name::TargetName;
use crate::policy::{SetPolicy, WavePolicy};
use crate::reason::{Code, Reason};
use crate::record::DeploymentStatus;
use crate::release::Release;
use crate::state::{State, TargetReports};
use crate::timestamp::Timestamp;

/// How many candidates have their images read before anybody reports them.
const NEWEST: usize = 20;

/// A possible promotion of one set from one wave to the next, with all it depends on.
#[derive(Debug, Clone, Copy)]
pub struct Step<'a> {
    /// The set.
    pub set: &'a SetPolicy,
    /// The wave it leaves.
    pub from: &'a WavePolicy,
    /// The wave it enters.
    pub to: &'a WavePolicy,
    /// What was accepted and decided.
    pub state: &'a State,
    /// What stable holds.
    pub history: &'a History,
    /// The present.
    pub now: Timestamp,
}

/// What a step comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// The next wave has everything already, or a promotion is under way.
    Nothing,
    /// Something newer waits.
    Wait(Reason),
    /// Promote this release, as this attempt.
    Promote {
        /// Where it came into the wave.
        introduction: Introduction,
        /// The intent's id.
        id: IntentId,
        /// The attempt that id stands for.
        attempt: u32,
    },
}

/// One target as a proof sees it.
struct Witness<'a> {
    name: &'a TargetName,
    reports: Option<&'a TargetReports>,
}

impl Step<'_> {
    /// Decides what this step comes to: the newest proven release moves on unless something stands against it.
    pub fn progress(&self) -> Progress {
        let candidates = self.candidates();
        let Some(newest) = candidates.first() else { return Progress::Nothing };
        if let Some(reason) = self.stopped() {
            return Progress::Wait(reason);
        }
        let witnesses = self.witnesses();
        let proven =
            candidates.iter().find_map(|candidate| Some((candidate, proven_since(candidate, &witnesses)?)));
        match proven {
            None => Progress::Wait(self.missing_reports(newest, &witnesses)),
            Some((candidate, since)) => self.gated(candidate, since),
        }
    }

    /// Returns why nothing leaves the wave: the newest word of one of its targets is a failure.
    pub(crate) fn stopped(&self) -> Option<Reason> {
        let witnesses = self.witnesses();
        let mut reports = witnesses.iter().filter_map(|witness| witness.reports);
        let failed = reports.find(|reports| reports.newest.status == DeploymentStatus::Failed)?;
        Some(self.failure(failed))
    }

    /// Tells whether a promotion along this step was accepted and has not ended.
    pub(crate) fn is_under_way(&self) -> bool {
        let from_here = |intent: &Intent| matches!(&intent.action, Action::Promote { from, .. } if *from == self.from.name);
        self.bound_for_it().any(from_here)
    }

    /// Lists the live intents for the next wave.
    fn bound_for_it(&self) -> impl Iterator<Item = &Intent> {
        let live = self.state.intents.values().filter(|known| known.end.is_none()).map(|known| &known.intent);
        live.filter(|intent| intent.wave == self.to.name && intent.set == self.set.name)
    }

    /// Returns the newest proven release that the next wave doesn't have, whatever stands against it.
    pub fn proven(&self) -> Option<Release> {
        let witnesses = self.witnesses();
        let proven =
            self.candidates().into_iter().find(|candidate| proven_since(candidate, &witnesses).is_some());
        proven?.release
    }

    /// Lists the targets whose word counts here: those that run the set and are not waived.
    pub(crate) fn waited_for(&self) -> impl Iterator<Item = &TargetName> {
        self.witnesses().into_iter().map(|witness| witness.name)
    }

    /// Lists the introductions whose images a plan may need, in [`Snapshot::images`](crate::Snapshot::images): those
    /// that may be proven by what is reported already, and the newest ones, since a report may come with the plan.
    pub fn promotable(&self) -> Vec<Introduction> {
        // A waiver may have ended by the time of the plan.
        let targets: Vec<Witness<'_>> = self.targets().collect();
        let reported = |candidate: &Introduction| {
            targets.iter().any(|target| succeeded_since(target, candidate).is_some())
        };
        let candidates = self.candidates().into_iter().enumerate();
        candidates.filter(|(age, candidate)| *age < NEWEST || reported(candidate)).map(|(_, c)| c).collect()
    }

    /// Lists what came into the wave after what the next wave has, newest first, each release once.
    fn candidates(&self) -> Vec<Introduction> {
        let floor = self.floor();
        let present = self.history.latest(&self.destination()).and_then(|latest| latest.release);
        let known = self.history.introductions(&self.source());
        let mut candidates: Vec<Introduction> = Vec::new();
        for introduction in known.iter().rev().take_while(|i| floor.is_none_or(|floor| i.position > floor)) {
            let seen = candidates.iter().any(|newer| newer.release == introduction.release);
            if introduction.release.is_some() && introduction.release != present && !seen {
                candidates.push(*introduction);
            }
        }
        candidates
    }

    /// Returns the ordinal of the newest thing put into the next wave, landed or not (invariant S10).
    ///
    /// A promoted release counts by its position in the wave it came from, a person's edit by its own.
    fn floor(&self) -> Option<u64> {
        let ordinal = |release| self.history.introduction_of(&self.source(), release).map(|i| i.position);
        let landed = self.history.latest(&self.destination()).map(|latest| {
            let promoted = latest.intent.and(latest.release).and_then(ordinal);
            promoted.unwrap_or(latest.position)
        });
        let unlanded = self.bound_for_it().filter(|i| matches!(i.action, Action::Promote { .. }));
        let unlanded = unlanded.filter_map(|i| ordinal(i.release));
        landed.into_iter().chain(unlanded).max()
    }

    /// Applies what stands between a proven release and the next wave.
    fn gated(&self, candidate: &Introduction, since: Timestamp) -> Progress {
        let decided = self.state.wave(&self.to.name);
        if let Some(reason) = gate::closed(self.to, decided, self.now) {
            return Progress::Wait(reason);
        }
        let soaked = since.after(self.from.soak);
        if soaked > self.now {
            let text = format!("release {} soaks in {}", self.label(candidate), self.from.name);
            return Progress::Wait(Reason::new(Code::Soak, subject(&self.to.name), text).until(soaked));
        }
        let approved = decided.and_then(|decided| decided.approvals.get(&self.set.name)).map(|a| a.release);
        if self.to.approval && approved != candidate.release {
            let text = format!(
                "release {} of {} needs an operator's approval",
                self.label(candidate),
                self.set.name
            );
            return Progress::Wait(Reason::new(Code::Approval, subject(&self.to.name), text));
        }
        self.attempt(candidate)
    }

    /// Finds the attempt to make. One that failed by its own fault returns only by an operator's retry.
    fn attempt(&self, candidate: &Introduction) -> Progress {
        let Some(release) = candidate.release else { return Progress::Nothing };
        let (set, from, to) = (&self.set.name, &self.from.name, &self.to.name);
        for attempt in 1.. {
            let id = promotion_id(set, from, to, release, attempt);
            match self.state.end_of(id) {
                Some(end) if end.needs_an_operator() => {
                    let text = format!(
                        "promotion {id} of release {} was {end}; retry it or announce anew",
                        self.label(candidate)
                    );
                    return Progress::Wait(Reason::new(Code::Evicted, subject(to), text));
                }
                Some(_) => {}
                None if self.state.knows(id) => return Progress::Nothing,
                None => return Progress::Promote { introduction: *candidate, id, attempt },
            }
        }
        Progress::Nothing
    }

    fn witnesses(&self) -> Vec<Witness<'_>> {
        let waivers = self.state.wave(&self.from.name).map(|decided| &decided.waivers);
        let waived = |target: &TargetName| {
            let waiver = waivers.and_then(|waivers| waivers.get(target));
            waiver.is_some_and(|waiver| waiver.until.is_none_or(|until| until > self.now))
        };
        self.targets().filter(|target| !waived(target.name)).collect()
    }

    fn targets(&self) -> impl Iterator<Item = Witness<'_>> {
        self.from.targets_of(&self.set.name).map(|target| {
            let key = (self.from.name.clone(), target.name.clone(), self.set.name.clone());
            Witness { name: &target.name, reports: self.state.targets.get(&key).map(|known| &**known) }
        })
    }

    fn failure(&self, failed: &TargetReports) -> Reason {
        let report = &failed.newest;
        let text = format!(
            "target {} reported that release {} failed at {}; nothing leaves the wave until it reports success",
            report.target,
            report.release.short(),
            report.at
        );
        Reason::new(Code::TargetFailed, subject(&self.from.name), text)
    }

    fn missing_reports(&self, newest: &Introduction, witnesses: &[Witness<'_>]) -> Reason {
        let missing: Vec<&str> = witnesses
            .iter()
            .filter(|w| succeeded_since(w, newest).is_none())
            .map(|w| w.name.as_str())
            .collect();
        let text = if witnesses.is_empty() {
            "every target is waived, so nothing can be proven here".to_owned()
        } else {
            format!("waiting for {} to report release {}", missing.join(", "), self.label(newest))
        };
        Reason::new(Code::Targets, subject(&self.from.name), text)
    }

    fn label(&self, introduction: &Introduction) -> String {
        let release = introduction.release.map(|release| release.short()).unwrap_or_default();
        match introduction.app_sha {
            Some(sha) => format!("{release} ({} {})", self.set.name, sha.short(10)),
            None => release,
        }
    }

    fn source(&self) -> Slot {
        (self.from.name.clone(), self.set.name.clone())
    }

    fn destination(&self) -> Slot {
        (self.to.name.clone(), self.set.name.clone())
    }
}

/// Returns since when every witness runs what `introduction` brought (invariant S15): the time of the last first
/// report. Without any witness nothing is proven.
fn proven_since(introduction: &Introduction, witnesses: &[Witness<'_>]) -> Option<Timestamp> {
    let since: Option<Vec<Timestamp>> = witnesses.iter().map(|w| succeeded_since(w, introduction)).collect();
    since?.into_iter().max()
}

fn succeeded_since(witness: &Witness<'_>, introduction: &Introduction) -> Option<Timestamp> {
    let word = witness.reports?.by_introduction.get(&introduction.commit)?;
    (word.status == DeploymentStatus::Succeeded).then_some(word.since)
}

#[cfg(test)]
mod candidates;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object_id::CommitId;
    use crate::record::DeploymentStatus::{Failed, Succeeded};
    use crate::testing::{self, Scene};

    fn progress(scene: &Scene, from: usize) -> Progress {
        let (set, waves) = (&scene.policy.sets[0], &scene.policy.waves);
        let (state, history, now) = (&scene.state, &scene.history, scene.now);
        Step { set, from: &waves[from], to: &waves[from + 1], state, history, now }.progress()
    }

    fn promoted(scene: &Scene) -> Option<CommitId> {
        match progress(scene, 0) {
            Progress::Promote { introduction, .. } => Some(introduction.commit),
            _ => None,
        }
    }

    fn waits_for(scene: &Scene) -> Option<Code> {
        match progress(scene, 0) {
            Progress::Wait(reason) => Some(reason.code),
            _ => None,
        }
    }

    /// Releases 1 and 2 came into staging with commits 1 and 2.
    fn two_releases() -> Scene {
        let mut scene = Scene::new();
        for n in [1, 2] {
            scene.land(n, &testing::introduce("app", "staging", n), n);
        }
        scene
    }

    #[test]
    fn a_release_moves_on_when_every_target_reported_it() {
        let mut scene = two_releases();
        scene.report("staging", "staging-1", 2, 2, Succeeded);
        assert_eq!((promoted(&scene), waits_for(&scene)), (None, Some(Code::Targets)));
        scene.report("staging", "staging-2", 2, 2, Succeeded);
        assert_eq!(promoted(&scene), Some(testing::commit(2)));
    }

    #[test]
    fn skewed_targets_promote_the_newest_release_that_all_of_them_reported() {
        let mut scene = two_releases();
        scene.report("staging", "staging-1", 1, 1, Succeeded);
        scene.report("staging", "staging-1", 2, 2, Succeeded);
        scene.report("staging", "staging-2", 1, 1, Succeeded);
        assert_eq!(promoted(&scene), Some(testing::commit(1)));
    }

    #[test]
    fn what_is_reported_can_be_promoted_however_much_came_after_it() {
        let mut scene = Scene::new();
        for n in 1..=30 {
            scene.land(n, &testing::introduce("app", "staging", n), n);
        }
        for target in ["staging-1", "staging-2"] {
            scene.report("staging", target, 2, 2, Succeeded);
        }
        assert_eq!(promoted(&scene), Some(testing::commit(2)));
        let (set, waves) = (&scene.policy.sets[0], &scene.policy.waves);
        let (state, history, now) = (&scene.state, &scene.history, Timestamp::default());
        let step = Step { set, from: &waves[0], to: &waves[1], state, history, now };
        let read: Vec<CommitId> = step.promotable().iter().map(|candidate| candidate.commit).collect();
        let newest = (11..=30).rev().chain([2]).map(testing::commit);
        assert_eq!(read, newest.collect::<Vec<_>>());
    }

    #[test]
    fn a_failure_stops_the_wave_until_the_target_reports_success() {
        let mut scene = two_releases();
        scene.report("staging", "staging-1", 1, 1, Succeeded);
        scene.report("staging", "staging-2", 1, 1, Succeeded);
        scene.report("staging", "staging-2", 2, 2, Failed);
        assert_eq!(waits_for(&scene), Some(Code::TargetFailed));
        scene.report("staging", "staging-2", 2, 2, Succeeded);
        assert_eq!(promoted(&scene), Some(testing::commit(1)));
    }

    #[test]
    fn nothing_older_than_what_the_next_wave_has_moves_on() {
        let mut scene = two_releases();
        scene.land(3, &testing::promote("app", "staging", "internal", 2), 2);
        scene.report("staging", "staging-1", 1, 1, Succeeded);
        scene.report("staging", "staging-2", 1, 1, Succeeded);
        assert_eq!(progress(&scene, 0), Progress::Nothing);
    }

    #[test]
    fn a_persons_edit_of_the_next_wave_counts_as_its_newest() {
        let mut scene = two_releases();
        scene.person_pushes(3, &[("internal", 9)]);
        scene.report("staging", "staging-1", 2, 2, Succeeded);
        scene.report("staging", "staging-2", 2, 2, Succeeded);
        assert_eq!(progress(&scene, 0), Progress::Nothing);
    }

    #[test]
    fn a_release_that_returned_needs_new_reports() {
        let mut scene = two_releases();
        scene.report("staging", "staging-1", 1, 1, Succeeded);
        scene.report("staging", "staging-2", 1, 1, Succeeded);
        scene.person_pushes(3, &[("staging", 1)]);
        assert_eq!(waits_for(&scene), Some(Code::Targets));
        scene.report("staging", "staging-1", 3, 1, Succeeded);
        scene.report("staging", "staging-2", 3, 1, Succeeded);
        assert_eq!(promoted(&scene), Some(testing::commit(3)));
    }

    #[test]
    fn gates_soak_and_approval_stand_between_a_proven_release_and_its_promotion() {
        let mut scene = two_releases();
        scene.report("staging", "staging-1", 2, 2, Succeeded);
        scene.report("staging", "staging-2", 2, 2, Succeeded);
        scene.policy.waves[0].soak = std::time::Duration::from_mins(1);
        scene.policy.waves[1].approval = true;
        assert_eq!(waits_for(&scene), Some(Code::Soak));
        scene.now = scene.now.after(std::time::Duration::from_mins(1));
        assert_eq!(waits_for(&scene), Some(Code::Approval));
        let note = crate::plan::note("ops", "looks fine", scene.now);
        let release = testing::images(&[("web", 2)]).release();
        let (wave, set) = Scene::slot("internal");
        let approved = crate::record::Record::Approved { wave, set, release, note };
        scene.state.apply(&approved, scene.now);
        assert_eq!(promoted(&scene), Some(testing::commit(2)));
    }

    #[test]
    fn an_evicted_promotion_is_not_repeated_by_itself() {
        let mut scene = two_releases();
        scene.report("staging", "staging-1", 2, 2, Succeeded);
        scene.report("staging", "staging-2", 2, 2, Succeeded);
        let intent = testing::promote("app", "staging", "internal", 2);
        let id = intent.id;
        scene.accept(intent);
        assert_eq!(progress(&scene, 0), Progress::Nothing);
        let refused = crate::end::End::Refused { reason: "hook".to_owned() };
        scene.state.apply(&crate::record::Record::Ended { id, end: refused }, scene.now);
        assert_eq!(waits_for(&scene), Some(Code::Evicted));
        let withdrawn = crate::end::End::Withdrawn { reason: "held".to_owned(), actor: None };
        scene.state.apply(&crate::record::Record::Ended { id, end: withdrawn }, scene.now);
        assert!(matches!(progress(&scene, 0), Progress::Promote { attempt: 2, .. }));
    }

    #[test]
    fn with_every_target_waived_nothing_is_proven() {
        let mut scene = two_releases();
        let note = crate::plan::note("ops", "cluster is gone", scene.now);
        for target in ["staging-1", "staging-2"] {
            let (wave, target) = ("staging".parse().unwrap(), target.parse().unwrap());
            let waived = crate::record::Record::Waived { wave, target, until: None, note: note.clone() };
            scene.state.apply(&waived, scene.now);
        }
        assert_eq!(waits_for(&scene), Some(Code::Targets));
    }
}
