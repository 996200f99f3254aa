//! What a report is resolved to, and whether it counts.

use super::*;
use crate::call::RefusalKind;
use crate::policy::SetPolicy;
use crate::record::DeploymentStatus::{Failed, Succeeded};
use crate::testing::{Scene, at, commit, images, introduce};

/// Stable has release 1 in staging since commit 1, and release 2 since commit 2.
fn scene() -> Scene {
    let mut scene = Scene::new();
    for n in [1, 2] {
        scene.land(n, &introduce("app", "staging", n), n);
        let releases = [(Scene::slot("staging"), release(n))].into();
        scene.revisions.insert(commit(n), Some(Revision { on_stable: true, releases }));
    }
    scene
}

fn release(n: u8) -> Release {
    images(&[("web", n)]).release()
}

fn said(claim: Claim) -> DeploymentReport {
    DeploymentReport {
        wave: "staging".parse().unwrap(),
        target: "staging-1".parse().unwrap(),
        status: Succeeded,
        claim,
        set: None,
        observed_at: None,
    }
}

fn resolved(said: &DeploymentReport, scene: &Scene) -> Result<Vec<Report>, RefusalKind> {
    resolve(said, "argocd", &scene.policy, &scene.snapshot()).map_err(|refusal| refusal.kind)
}

#[test]
fn a_revision_or_a_release_is_resolved_to_the_introduction_it_runs() {
    let scene = scene();
    for claim in [Claim::Revision(commit(1)), Claim::Release(release(1))] {
        let reports = resolved(&said(claim), &scene).unwrap();
        let [report] = &reports[..] else { panic!("{reports:?}") };
        assert_eq!((report.release, report.introduction), (release(1), commit(1)));
    }
}

#[test]
fn what_is_unknown_or_not_on_stable_is_refused() {
    let mut scene = scene();
    scene.revisions.insert(commit(8), Some(Revision { on_stable: false, ..Revision::default() }));
    scene.revisions.insert(commit(7), Some(Revision { on_stable: true, ..Revision::default() }));
    for claim in [9, 8, 7].map(|n| Claim::Revision(commit(n))) {
        assert_eq!(resolved(&said(claim), &scene), Err(RefusalKind::Invalid), "{claim:?}");
    }
    assert_eq!(resolved(&said(Claim::Release(release(9))), &scene), Err(RefusalKind::Invalid));
    let elsewhere =
        DeploymentReport { target: "prod-1".parse().unwrap(), ..said(Claim::Release(release(1))) };
    assert_eq!(resolved(&elsewhere, &scene), Err(RefusalKind::Unknown));
}

#[test]
fn a_report_speaks_of_the_sets_that_its_target_runs() {
    let mut scene = scene();
    scene.policy.sets.push(SetPolicy::new("db".parse().unwrap()));
    let claim = Claim::Revision(commit(1));
    let of = |set: &str| DeploymentReport { set: Some(set.parse().unwrap()), ..said(claim) };
    let sets = |reports: Vec<Report>| reports.into_iter().map(|r| r.set.to_string()).collect::<Vec<_>>();
    assert_eq!(resolved(&of("app"), &scene).map(sets), Ok(vec!["app".to_owned()]));
    assert_eq!(resolved(&of("db"), &scene), Err(RefusalKind::Invalid), "the revision holds no images of it");
    assert_eq!(resolved(&of("other"), &scene), Err(RefusalKind::Unknown));
    scene.policy.waves[0].targets[0].sets = vec!["db".parse().unwrap()];
    assert_eq!(resolved(&of("app"), &scene), Err(RefusalKind::Invalid), "the target doesn't run it");
    assert_eq!(resolved(&said(claim), &scene), Err(RefusalKind::Invalid), "nothing of what it runs");
}

#[test]
fn a_revision_that_came_in_by_a_merge_speaks_of_the_release_it_holds() {
    let mut scene = scene();
    let merged = scene.revisions[&commit(1)].clone();
    scene.revisions.insert(commit(6), merged);
    let reports = resolved(&said(Claim::Revision(commit(6))), &scene).unwrap();
    assert_eq!(reports[0].introduction, commit(1));
}

/// Returns whether a report counts after one of `before`, each by revision, time seen and success.
fn counts_after(before: (u8, Option<i64>, bool), now: (u8, Option<i64>, bool)) -> bool {
    let mut scene = scene();
    let report = |(n, seen, works): (u8, Option<i64>, bool)| Report {
        wave: "staging".parse().unwrap(),
        target: "staging-1".parse().unwrap(),
        set: "app".parse().unwrap(),
        release: release(n),
        introduction: commit(n),
        revision: Some(commit(n)),
        status: if works { Succeeded } else { Failed },
        observed_at: seen.map(at),
        at: scene.now,
        actor: "argocd".to_owned(),
        asked_at: None,
        revoked: Vec::new(),
    };
    let (before, now) = (report(before), report(now));
    assert!(counts(&before, &scene.state, &scene.history), "the first one counts");
    scene.state.apply(&crate::record::Record::Reported { report: before }, scene.now);
    counts(&now, &scene.state, &scene.history)
}

#[test]
fn a_newer_revision_counts_and_an_older_one_does_not() {
    assert!(counts_after((1, None, true), (2, None, true)));
    assert!(!counts_after((2, None, true), (1, None, true)));
    assert!(!counts_after((2, Some(1), true), (1, Some(9), true)), "ancestry goes before time");
    assert!(counts_after((1, Some(9), true), (2, Some(1), true)), "also where time says otherwise");
}

#[test]
fn of_one_revision_the_one_seen_last_counts() {
    assert!(counts_after((1, Some(5), true), (1, Some(6), false)));
    assert!(!counts_after((1, Some(5), true), (1, Some(4), false)));
    assert!(counts_after((1, Some(5), true), (1, Some(5), false)), "seen at once, the later one counts");
    assert!(counts_after((1, None, true), (1, Some(4), false)));
}

#[test]
fn a_repetition_changes_nothing() {
    assert!(!counts_after((1, None, true), (1, None, true)));
    assert!(!counts_after((1, None, false), (1, None, false)));
    assert!(counts_after((1, None, true), (1, None, false)));
}

#[test]
fn an_answer_takes_back_what_the_target_said_of_newer_releases_and_nothing_else() {
    let mut scene = scene();
    scene.land(3, &introduce("app", "staging", 3), 3);
    for (n, status) in [(1, Succeeded), (2, Succeeded), (3, Failed)] {
        scene.report("staging", "staging-1", n, n, status);
    }
    let mut report = resolved(&said(Claim::Revision(commit(1))), &scene).unwrap().remove(0);
    assert_eq!(revoked(&report, &scene.state, &scene.history), [], "a word that was sent takes nothing back");
    report.asked_at = Some(scene.now.after(std::time::Duration::from_secs(1)));
    assert_eq!(revoked(&report, &scene.state, &scene.history), [commit(2)]);
    // It may have been on its way before that word was heard.
    report.asked_at = Some(scene.now);
    assert_eq!(revoked(&report, &scene.state, &scene.history), []);
}

#[test]
fn a_target_speaks_for_itself_alone() {
    let mut scene = scene();
    scene.report("staging", "staging-2", 2, 2, Succeeded);
    let older = resolved(&said(Claim::Revision(commit(1))), &scene).unwrap().remove(0);
    assert!(counts(&older, &scene.state, &scene.history), "of staging-1 nothing was heard yet");
}
