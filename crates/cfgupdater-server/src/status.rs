//! Views as the API shows them.

use cfgupdater::View;
use cfgupdater::core::{
    BranchName, ChainCommit, CommitId, Finding, History, Intent, IntentId, Note, Policy, Reason, Relation,
    Snapshot, Verdict, WavePolicy, by_check,
};

use crate::api::{
    Branch, ChainEntry, CheckView, IntentView, PreflightFinding, RepoStatus, Target, TargetReport, Wave,
    WaveSet, Why,
};

/// Shows the state of a repository.
pub fn status_of(view: &View) -> RepoStatus {
    let snapshot = view.snapshot.as_deref();
    RepoStatus {
        name: view.repo.to_string(),
        reachable: view.reachable,
        paused: snapshot.and_then(|snapshot| snapshot.state.paused.as_ref()).map(said),
        observations: view.counters.observations,
        branches: snapshot.map(|snapshot| branches(snapshot, &view.policy)).unwrap_or_default(),
        relation: snapshot.map_or("unknown", |snapshot| relation(snapshot.relation)).to_owned(),
        chain: snapshot.map(chain).unwrap_or_default(),
        queued: snapshot.map(queued).unwrap_or_default(),
        waves: snapshot.map(|snapshot| waves(snapshot, &view.policy)).unwrap_or_default(),
        why: view.why.iter().map(why).collect(),
        preflight: None,
    }
}

/// Shows the state of a repository, with what was found of its forge's settings where they were looked at.
pub(crate) fn shown(view: &View, findings: Option<&[Finding]>) -> RepoStatus {
    RepoStatus { preflight: findings.map(preflight), ..status_of(view) }
}

fn preflight(findings: &[Finding]) -> Vec<PreflightFinding> {
    let shown = |finding: &Finding| PreflightFinding {
        fatal: finding.fatal,
        problem: finding.problem.clone(),
        remedy: finding.remedy.clone(),
    };
    findings.iter().map(shown).collect()
}

/// Says who decided something, since when and why.
fn said(note: &Note) -> String {
    format!("{} since {}: {}", note.actor, note.at, note.reason)
}

fn branches(snapshot: &Snapshot, policy: &Policy) -> Vec<Branch> {
    let branch = |role: &str, name: &BranchName, commit: Option<CommitId>, verdict: Option<Verdict>| Branch {
        role: role.to_owned(),
        name: name.to_string(),
        commit: commit.map(|commit| commit.to_string()),
        verdict: verdict.map(|verdict| verdict_name(verdict).to_owned()),
    };
    let at = &snapshot.branches;
    vec![
        branch("stable", &policy.stable, Some(at.stable), Some(snapshot.stable_verdict())),
        branch("auto", &policy.auto, at.auto, None),
        branch("state", &policy.state, at.state, None),
    ]
}

fn relation(relation: Relation) -> &'static str {
    match relation {
        Relation::Absent => "absent",
        Relation::Same => "same",
        Relation::Behind => "behind",
        Relation::Ahead => "ahead",
        Relation::Diverged => "diverged",
    }
}

fn verdict_name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Green => "green",
        Verdict::Red => "red",
        Verdict::Pending => "pending",
        Verdict::Missing => "missing",
    }
}

fn chain(snapshot: &Snapshot) -> Vec<ChainEntry> {
    let entry = |commit: &ChainCommit| {
        let runs = snapshot.runs(&commit.id);
        let checks = by_check(&snapshot.required, runs).map(|said| CheckView {
            name: said.check.to_string(),
            verdict: verdict_name(said.verdict).to_owned(),
            link: said.run.and_then(|run| run.link.clone()),
        });
        ChainEntry {
            commit: commit.id.to_string(),
            subject: commit.subject.clone(),
            intent: commit.intent.map(|intent| intent.to_string()),
            verdict: verdict_name(snapshot.verdict_of(&commit.id)).to_owned(),
            checks: checks.collect(),
        }
    };
    snapshot.chain.iter().map(entry).collect()
}

fn queued(snapshot: &Snapshot) -> Vec<IntentView> {
    let on_auto = |id: IntentId| snapshot.chain.iter().any(|commit| commit.intent == Some(id));
    let waiting = snapshot.state.live().into_iter().filter(|intent| !on_auto(intent.id));
    waiting.filter_map(|intent| intent_view(snapshot, intent.id)).collect()
}

fn waves(snapshot: &Snapshot, policy: &Policy) -> Vec<Wave> {
    let wave = |wave: &WavePolicy| {
        let hold = snapshot.state.wave(&wave.name).and_then(|decided| decided.hold.as_ref());
        Wave {
            name: wave.name.to_string(),
            held: hold.map(said),
            sets: wave_sets(wave, &snapshot.history, policy),
            targets: targets(wave, snapshot, policy),
        }
    };
    policy.waves.iter().map(wave).collect()
}

fn wave_sets(wave: &WavePolicy, history: &History, policy: &Policy) -> Vec<WaveSet> {
    let through = policy.sets.iter().filter(|set| policy.waves_of(set).any(|known| known.name == wave.name));
    let set = |set: &cfgupdater::core::SetPolicy| {
        let latest = history.latest(&(wave.name.clone(), set.name.clone()));
        WaveSet {
            set: set.name.to_string(),
            release: latest.and_then(|latest| latest.release).map(|release| release.to_string()),
            commit: latest.map(|latest| latest.commit.to_string()),
            app_sha: latest.and_then(|latest| latest.app_sha).map(|sha| sha.to_string()),
        }
    };
    through.map(set).collect()
}

fn targets(wave: &WavePolicy, snapshot: &Snapshot, policy: &Policy) -> Vec<Target> {
    let reports = |target: &cfgupdater::core::TargetPolicy| {
        let sets = policy.sets.iter().map(|set| &set.name);
        let said = sets.filter_map(|set| {
            let key = (wave.name.clone(), target.name.clone(), set.clone());
            let newest = &snapshot.state.targets.get(&key)?.newest;
            Some(TargetReport {
                set: set.to_string(),
                release: newest.release.to_string(),
                status: match newest.status {
                    cfgupdater::core::DeploymentStatus::Succeeded => "succeeded".to_owned(),
                    cfgupdater::core::DeploymentStatus::Failed => "failed".to_owned(),
                },
                at: newest.at.to_string(),
            })
        });
        said.collect()
    };
    let waived = |target: &cfgupdater::core::TargetPolicy| {
        let waiver = snapshot.state.wave(&wave.name)?.waivers.get(&target.name)?;
        waiver.until.is_none_or(|until| until > snapshot.now).then(|| said(&waiver.note))
    };
    let shown = |target: &cfgupdater::core::TargetPolicy| Target {
        name: target.name.to_string(),
        waived: waived(target),
        reports: reports(target),
    };
    wave.targets.iter().map(shown).collect()
}

/// Shows one intent; `None` where it was never accepted.
pub fn intent_view(snapshot: &Snapshot, id: IntentId) -> Option<IntentView> {
    let accepted = snapshot.state.intents.get(&id);
    let landed = snapshot.history.by_intent(id).map(|introduction| introduction.commit);
    if accepted.is_none() && !snapshot.state.knows(id) && landed.is_none() {
        return None;
    }
    let intent = accepted.map(|accepted| &accepted.intent);
    let on_auto = snapshot.chain.iter().find(|commit| commit.intent == Some(id)).map(|commit| commit.id);
    let end = snapshot.state.end_of(id).and_then(|end| serde_json::to_value(end).ok());
    let state = match (&end, on_auto) {
        (Some(_), _) => "ended",
        (None, Some(_)) => "on_auto",
        (None, None) => "queued",
    };
    Some(IntentView {
        id: id.to_string(),
        kind: intent.map(|intent| intent.action.kind().to_owned()),
        set: intent.map(|intent| intent.set.to_string()),
        wave: intent.map(|intent| intent.wave.to_string()),
        release: intent.map(|intent| intent.release.to_string()),
        app_sha: intent.and_then(Intent::app_sha).map(|sha| sha.to_string()),
        accepted_at: intent.map(|intent| intent.accepted_at.to_string()),
        actor: intent.map(|intent| intent.actor.clone()),
        state: state.to_owned(),
        commit: on_auto.or(landed).map(|commit| commit.to_string()),
        end,
    })
}

/// Shows a reason.
pub(crate) fn why(reason: &Reason) -> Why {
    let code = serde_json::to_value(reason.code).ok();
    Why {
        code: code.and_then(|code| code.as_str().map(str::to_owned)).unwrap_or_default(),
        subject: reason.subject.clone(),
        text: reason.text.clone(),
        until: reason.until.map(|until| until.to_string()),
    }
}
