//! Approvals: each binds one proven release.

use super::*;
use crate::policy::SetPolicy;
use crate::record::DeploymentStatus::Succeeded;

fn approve(wave: &str, release: Option<Release>) -> Operation {
    Operation::Approve { wave: wave.parse().unwrap(), release, reason: why() }
}

fn release(n: u8) -> Release {
    images(&[("web", n)]).release()
}

/// What an approval lets in, or why it doesn't.
fn approved(scene: &mut Scene, operation: Operation) -> Result<(String, Release), String> {
    let operated = act(scene, operation).map_err(|refusal| refusal.detail)?;
    match &operated.records[..] {
        [Record::Approved { set, release, .. }] => Ok((set.to_string(), *release)),
        other => panic!("{other:?}"),
    }
}

/// Release 2 is proven in staging.
fn proven() -> Scene {
    let mut scene = two_releases();
    for target in ["staging-1", "staging-2"] {
        scene.report("staging", target, 2, 2, Succeeded);
    }
    scene
}

#[test]
fn what_waits_is_approved_whether_it_is_named_or_not() {
    for named in [None, Some(release(2))] {
        let let_in = approved(&mut proven(), approve("internal", named));
        assert_eq!(let_in, Ok(("app".to_owned(), release(2))));
    }
}

#[test]
fn nothing_is_approved_before_it_is_proven() {
    let mut scene = two_releases();
    let refused = approved(&mut scene, approve("internal", None)).unwrap_err();
    assert!(refused.contains("no proven release waits to enter wave `internal`"), "{refused}");
}

#[test]
fn nothing_is_approved_into_another_wave_than_the_one_it_waits_for() {
    for wave in ["staging", "production"] {
        let refused = approved(&mut proven(), approve(wave, None)).unwrap_err();
        assert!(refused.contains("no proven release waits"), "{wave}: {refused}");
    }
}

#[test]
fn another_release_than_the_one_that_waits_is_a_conflict() {
    let refused = approved(&mut proven(), approve("internal", Some(release(1)))).unwrap_err();
    assert!(refused.ends_with(&format!("release {} does", release(2))), "{refused}");
}

#[test]
fn of_several_releases_that_wait_one_must_be_named() {
    let mut scene = proven();
    scene.policy.sets.push(SetPolicy::new("db".parse().unwrap()));
    let slot = ("staging".parse().unwrap(), "db".parse().unwrap());
    let (changed, intent, writes, app_sha) = ([(slot, Some(release(7)))].into(), None, None, None);
    scene.history.push(crate::history::HistoryCommit { id: commit(3), intent, writes, app_sha, changed });
    for target in ["staging-1", "staging-2"] {
        let of_app = ("staging".parse().unwrap(), target.parse().unwrap(), "app".parse().unwrap());
        let mut report = scene.state.targets[&of_app].newest.clone();
        (report.set, report.release, report.introduction) = ("db".parse().unwrap(), release(7), commit(3));
        scene.state.apply(&Record::Reported { report }, scene.now);
    }
    let refused = approved(&mut scene, approve("internal", None)).unwrap_err();
    assert!(refused.contains("name one: app ") && refused.contains(", db "), "{refused}");
    let let_in = approved(&mut scene, approve("internal", Some(release(7))));
    assert_eq!(let_in, Ok(("db".to_owned(), release(7))));
}
