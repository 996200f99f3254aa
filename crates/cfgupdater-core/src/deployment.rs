//! Which deployment reports count.

use crate::call::{Claim, DeploymentReport, Refusal, RefusalKind};
use crate::history::{History, Introduction, Slot};
use crate::name::SetName;
use crate::object_id::CommitId;
use crate::policy::{Policy, WavePolicy};
use crate::record::Report;
use crate::release::Release;
use crate::snapshot::{Revision, Snapshot};
use crate::state::{State, TargetReports};

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
    };
    let reports: Vec<Report> = introduced.into_iter().flatten().map(report).collect();
    if reports.is_empty() {
        return Err(nothing_known(said));
    }
    Ok(reports)
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
            let known = snapshot.revisions.get(revision).and_then(Option::as_ref);
            let known = known.ok_or_else(|| {
                let detail = format!("revision {revision} does not exist in the repository");
                Refusal::new(RefusalKind::Invalid, detail).at("revision")
            })?;
            in_revision(revision, known, slot, &snapshot.history)
        }
    }
}

fn in_revision(
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
    // A revision that came in by a merge has no place of its own among first parents.
    let introduction = history.introduction_before(slot, *release, revision).or_else(|| {
        history.position(revision).is_none().then(|| history.introduction_of(slot, *release)).flatten()
    });
    Ok(introduction.map(|introduction| (*release, *introduction)))
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

/// Tells whether a report changes anything: it is new, and not about an older revision than the target's last.
///
/// Reports are ordered by the ancestry of their revisions, else by when the target saw it, else by arrival.
pub(crate) fn counts(report: &Report, state: &State, history: &History) -> bool {
    let key = (report.wave.clone(), report.target.clone(), report.set.clone());
    state
        .targets
        .get(&key)
        .is_none_or(|known| !is_older(report, &known.newest, history) && !repeats(report, known))
}

fn is_older(report: &Report, last: &Report, history: &History) -> bool {
    let position = |report: &Report| report.revision.and_then(|revision| history.position(&revision));
    match (position(report), position(last)) {
        (Some(now), Some(before)) if now != before => now < before,
        _ => matches!((report.observed_at, last.observed_at), (Some(now), Some(before)) if now < before),
    }
}

fn repeats(report: &Report, known: &TargetReports) -> bool {
    let same_state = known.newest.introduction == report.introduction && known.newest.status == report.status;
    let said = known.by_introduction.get(&report.introduction).map(|word| word.status);
    same_state && said == Some(report.status)
}
