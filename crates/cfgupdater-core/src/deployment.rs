//! Which deployment reports count.

use crate::call::{Claim, DeploymentReport, Refusal, RefusalKind};
use crate::history::{History, Introduction, Slot};
use crate::name::{SetName, TargetName, WaveName};
use crate::object_id::CommitId;
use crate::policy::{Policy, WavePolicy};
use crate::record::{DeploymentStatus, Report};
use crate::release::Release;
use crate::snapshot::{Revision, Snapshot};
use crate::state::{State, TargetReports};
use crate::timestamp::Timestamp;

/// Resolves a report to what it says of each set that its target runs.
///
/// # Errors
/// Refuses unknown waves, targets, sets, revisions and releases, and reports that speak of none of the target's sets.
pub(crate) fn resolve(
    said: &DeploymentReport,
    actor: &str,
    policy: &Policy,
    snapshot: &Snapshot,
) -> Result<Vec<Report>, Refusal> {
    let reports = read(said, actor, policy, snapshot)?;
    if reports.is_empty() { Err(nothing_known(said)) } else { Ok(reports) }
}

/// Reads what a report says of each set; nothing where what it names holds none of them.
fn read(
    said: &DeploymentReport,
    actor: &str,
    policy: &Policy,
    snapshot: &Snapshot,
) -> Result<Vec<Report>, Refusal> {
    let wave = policy.wave(&said.wave).ok_or_else(|| unknown("wave", said.wave.as_str()))?;
    let sets = sets_of(said, wave, policy)?;
    let introduced = sets.into_iter().map(|set| {
        let slot = (wave.name.clone(), set.clone());
        Ok(find(&said.claim, &slot, snapshot)?.map(|found| (set, found)))
    });
    let introduced = introduced.collect::<Result<Vec<_>, Refusal>>()?;
    let report = |(set, (release, introduction)): (SetName, (Release, Introduction))| Report {
        wave: said.wave.clone(),
        target: said.target.clone(),
        set,
        release,
        introduction: introduction.commit,
        revision: match said.claim {
            Claim::Revision(revision) => Some(revision),
            Claim::Release(_) => None,
        },
        status: said.status,
        observed_at: said.observed_at,
        at: snapshot.now,
        actor: actor.to_owned(),
        asked_at: None,
        revoked: Vec::new(),
    };
    Ok(introduced.into_iter().flatten().map(report).collect())
}

fn sets_of(said: &DeploymentReport, wave: &WavePolicy, policy: &Policy) -> Result<Vec<SetName>, Refusal> {
    let target = wave.targets.iter().find(|target| target.name == said.target);
    let target = target.ok_or_else(|| unknown("target", said.target.as_str()))?;
    if let Some(set) = &said.set {
        policy.set(set).ok_or_else(|| unknown("set", set.as_str()))?;
        if !target.runs(set) {
            let detail = format!("target `{}` doesn't run set `{set}`", target.name);
            return Err(Refusal::new(RefusalKind::Invalid, detail).at("set"));
        }
        return Ok(vec![set.clone()]);
    }
    Ok(policy.sets.iter().map(|set| set.name.clone()).filter(|set| target.runs(set)).collect())
}

fn find(claim: &Claim, slot: &Slot, snapshot: &Snapshot) -> Result<Option<(Release, Introduction)>, Refusal> {
    match claim {
        Claim::Release(release) => {
            Ok(snapshot.history.introduction_of(slot, *release).map(|introduction| (*release, *introduction)))
        }
        Claim::Revision(revision) => {
            // What stable's history says of a revision needs no reading.
            if let Some(position) = snapshot.history.position(revision) {
                let found = snapshot.history.at(slot, position);
                return Ok(found.and_then(|found| Some((found.release?, *found))));
            }
            let known = snapshot.revisions.get(revision).and_then(Option::as_ref);
            let known = known.ok_or_else(|| {
                let detail = format!("revision {revision} does not exist in the repository");
                Refusal::new(RefusalKind::Invalid, detail).at("revision")
            })?;
            merged_in(revision, known, slot, &snapshot.history)
        }
    }
}

/// A revision that came in by a merge has no place of its own among first parents.
fn merged_in(
    revision: &CommitId,
    known: &Revision,
    slot: &Slot,
    history: &History,
) -> Result<Option<(Release, Introduction)>, Refusal> {
    if !known.on_stable {
        let detail =
            format!("revision {revision} is not in the history of the stable branch, so no wave can run it");
        return Err(Refusal::new(RefusalKind::Invalid, detail).at("revision"));
    }
    let Some(release) = known.releases.get(slot) else { return Ok(None) };
    Ok(history.introduction_of(slot, *release).map(|introduction| (*release, *introduction)))
}

fn nothing_known(said: &DeploymentReport) -> Refusal {
    let (what, field) = match said.claim {
        Claim::Revision(revision) => (format!("revision {} holds no images", revision.short(10)), "revision"),
        Claim::Release(release) => (format!("release {release} was never introduced"), "release"),
    };
    let detail = format!("{what} of a set that target `{}` of wave `{}` runs", said.target, said.wave);
    Refusal::new(RefusalKind::Invalid, detail).at(field)
}

fn unknown(what: &'static str, name: &str) -> Refusal {
    let detail = format!("{what} `{name}` is not configured for this repository");
    Refusal::new(RefusalKind::Unknown, detail).at(what)
}

/// Tells whether a report would change anything, as far as a snapshot can tell; in doubt it would. Whoever repeats
/// itself can be answered by this alone, without reading the repository anew.
pub fn is_news(
    said: &DeploymentReport,
    asked_at: Option<Timestamp>,
    policy: &Policy,
    snapshot: &Snapshot,
) -> bool {
    let Ok(reports) = read(said, "", policy, snapshot) else { return true };
    if reports.is_empty() {
        // What a known revision holds doesn't change; a release may have come in since.
        return matches!(said.claim, Claim::Release(_));
    }
    let mut asked = reports.into_iter().map(|report| Report { asked_at, ..report });
    asked.any(|report| counts(&report, &snapshot.state, &snapshot.history))
}

/// Tells whether a report changes anything: it is new, and not about an older revision than the target's last.
///
/// Reports are ordered by the ancestry of what they name, else by when the target saw it, else by arrival. What the
/// target's deploy tool answered when it was asked, after the target's last word, is how it is now: it may move back.
/// What was seen before such a question says nothing new, whenever it arrives.
pub(crate) fn counts(report: &Report, state: &State, history: &History) -> bool {
    let Some(known) = state.targets.get(&key(report)) else { return true };
    let says_more = !repeats(report, known) || fails_further_on(report, known, history);
    (is_present(report, known) || !is_older(report, known, history)) && says_more
}

/// Lists the introductions newer than the one reported that the target said it runs: it doesn't any more.
pub(crate) fn revoked(report: &Report, state: &State, history: &History) -> Vec<CommitId> {
    let known = state.targets.get(&key(report)).filter(|known| is_present(report, known));
    let Some(known) = known else { return Vec::new() };
    let present = history.position(&report.introduction);
    let said = known.by_introduction.iter().filter(|(_, word)| word.status == DeploymentStatus::Succeeded);
    said.map(|(introduction, _)| *introduction).filter(|newer| history.position(newer) > present).collect()
}

/// Tells whether a report is how its target is now: its deploy tool was asked after the last that was heard.
fn is_present(report: &Report, known: &TargetReports) -> bool {
    report.asked_at.is_some_and(|asked_at| asked_at > known.newest.at)
}

fn key(report: &Report) -> (WaveName, TargetName, SetName) {
    (report.wave.clone(), report.target.clone(), report.set.clone())
}

fn is_older(report: &Report, known: &TargetReports, history: &History) -> bool {
    let seen = report.asked_at.or(report.observed_at);
    if seen.zip(known.sighted).is_some_and(|(seen, sighted)| seen <= sighted) {
        return true;
    }
    let (last, place) = (&known.newest, |commit: CommitId| history.position(&commit));
    if let Some((now, before)) = revisions(report, known, history).filter(|(now, before)| now != before) {
        return now < before;
    }
    let brought =
        place(report.introduction).zip(place(last.introduction)).filter(|(now, before)| now != before);
    if report.asked_at.is_some() {
        // It was asked before the last word came in, so it contradicts that word only by something newer.
        return brought.is_none_or(|(now, before)| now < before);
    }
    let Some((now, before)) = brought else {
        return report.observed_at.zip(last.observed_at).is_some_and(|(now, before)| now < before);
    };
    // A release names its last introduction, so one that came in again may be meant as it was before: time tells, and
    // what was seen at the same instant is the same word.
    now < before || report.observed_at.zip(last.observed_at).is_some_and(|(now, before)| now <= before)
}

fn repeats(report: &Report, known: &TargetReports) -> bool {
    let same_state = known.newest.introduction == report.introduction && known.newest.status == report.status;
    let said = known.by_introduction.get(&report.introduction).map(|word| word.status);
    same_state && said == Some(report.status)
}

/// Tells whether a target that failed still fails at a newer revision. A success between the two may be on its way, and
/// must not count once it comes (invariant S15). That a target still works isn't written for every commit it comes by:
/// a failure from between stops what could go on, until the target speaks again or is asked.
fn fails_further_on(report: &Report, known: &TargetReports, history: &History) -> bool {
    let further = || revisions(report, known, history).is_some_and(|(now, before)| now > before);
    report.status == DeploymentStatus::Failed && further()
}

/// Returns where the revisions of a report and of its target's last word are on stable, if both are.
fn revisions(report: &Report, known: &TargetReports, history: &History) -> Option<(u64, u64)> {
    let place = |revision: Option<CommitId>| history.position(&revision?);
    place(report.revision).zip(place(known.newest.revision))
}

#[cfg(test)]
mod sightings;

#[cfg(test)]
mod tests;
