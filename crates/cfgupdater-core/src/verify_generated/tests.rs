use super::*;
use crate::check::RequiredChecks;
use crate::testing::{at, commit};
use crate::timeout::{Limits, late};
use crate::verdict::{Verdict, verdict};

const STABLE: u8 = 1;

fn looking(chain: &[u8]) -> Verification {
    let mut verification = Verification::default();
    look(&mut verification, STABLE, chain, 0);
    verification
}

fn look(verification: &mut Verification, stable: u8, chain: &[u8], now: i64) {
    verification.look(commit(stable), chain.iter().copied().map(commit).collect(), at(now));
}

fn as_it_stands(n: u8) -> ToRender {
    ToRender::as_it_stands(commit(n))
}

fn stable_anew() -> ToRender {
    ToRender { commit: commit(STABLE), anew: true }
}

fn failed(kind: RenderFailureKind) -> Compared {
    Compared::Failed(RenderFailure::new(kind, "jsonnet: no"))
}

fn differs() -> Compared {
    Compared::Differs("1 generated file is not up to date".to_owned())
}

fn verdict_of(verification: &Verification, n: u8) -> Verdict {
    verdict(&RequiredChecks::named([GENERATED_CHECK]), &[verification.run_on(&commit(n), at(50))])
}

fn texts(verification: &Verification) -> String {
    verification.findings().iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_is_not_rendered_yet_is_pending_and_says_so_and_on_stable_it_only_says_so() {
    let mut verification = looking(&[2, 3]);
    assert_eq!(verification.open(), [commit(2), commit(3), commit(STABLE)]);
    assert_eq!(
        (verdict_of(&verification, 2), verdict_of(&verification, 1)),
        (Verdict::Pending, Verdict::Green)
    );
    let said = texts(&verification);
    assert_eq!(said.matches("are being rendered").count(), 3, "{said}");
    for n in [2, 3, 1] {
        assert_eq!(verification.next(), Some(as_it_stands(n)));
        verification.learn(&as_it_stands(n), Compared::UpToDate, at(1));
    }
    assert_eq!((verification.next(), texts(&verification)), (None, String::new()));
    assert_eq!(verdict_of(&verification, 3), Verdict::Green);
    // However often it is looked at, and also once it has landed.
    look(&mut verification, 3, &[], 1_000_000);
    assert_eq!((verification.next(), verification.open()), (None, Vec::new()));
}

#[test]
fn a_commit_is_red_only_once_stable_rendered_after_it_is_what_it_holds() {
    for wrong in [differs(), failed(RenderFailureKind::Tree), failed(RenderFailureKind::Refused)] {
        let mut verification = looking(&[2]);
        verification.learn(&as_it_stands(STABLE), Compared::UpToDate, at(1));
        verification.learn(&as_it_stands(2), wrong, at(1));
        assert_eq!(verdict_of(&verification, 2), Verdict::Pending, "what was rendered before proves nothing");
        assert!(texts(&verification).contains("whose fault"), "{}", texts(&verification));
        assert_eq!(verification.next(), Some(stable_anew()));
        verification.learn(&stable_anew(), Compared::UpToDate, at(2));
        assert_eq!((verdict_of(&verification, 2), verification.next()), (Verdict::Red, None));
        assert!(verification.run_on(&commit(2), at(3)).summary.is_some());
        // It stays so, and nothing is rendered for it again, until stable moves.
        look(&mut verification, STABLE, &[2], 1_000_000);
        assert_eq!((verdict_of(&verification, 2), verification.next()), (Verdict::Red, None));
        look(&mut verification, 9, &[2], 1_000_000);
        assert_eq!(
            (verdict_of(&verification, 2), verification.next()),
            (Verdict::Pending, Some(as_it_stands(2)))
        );
    }
}

#[test]
fn nobody_is_blamed_while_stable_can_not_be_rendered_either() {
    let unlike = [differs(), failed(RenderFailureKind::Tree), failed(RenderFailureKind::Environment)];
    for stable in unlike {
        let mut verification = looking(&[2, 3]);
        for n in [2, 3, STABLE] {
            verification.learn(&as_it_stands(n), failed(RenderFailureKind::Tree), at(1));
        }
        assert_eq!(verification.next(), Some(stable_anew()), "once for both");
        verification.learn(&stable_anew(), stable, at(1));
        assert_eq!(
            (verdict_of(&verification, 2), verdict_of(&verification, 3)),
            (Verdict::Pending, Verdict::Pending)
        );
        let said = texts(&verification);
        assert_eq!(said.matches("nobody is blamed").count(), 2, "{said}");
        assert_eq!(verification.next(), None);
        // Then it is tried again, all of it.
        look(&mut verification, STABLE, &[2, 3], 60);
        verification.learn(&as_it_stands(2), failed(RenderFailureKind::Tree), at(61));
        verification.learn(&as_it_stands(3), Compared::UpToDate, at(61));
        verification.learn(&as_it_stands(STABLE), Compared::UpToDate, at(61));
        verification.learn(&stable_anew(), Compared::UpToDate, at(61));
        assert_eq!(
            (verdict_of(&verification, 2), verdict_of(&verification, 3)),
            (Verdict::Red, Verdict::Green)
        );
    }
}

#[test]
fn what_says_nothing_of_a_commit_is_tried_again_after_growing_pauses_and_never_red() {
    for kind in [RenderFailureKind::Environment, RenderFailureKind::Limit] {
        let mut verification = looking(&[2]);
        verification.learn(&as_it_stands(STABLE), Compared::UpToDate, at(0));
        let (mut now, mut pauses) = (at(0), Vec::new());
        for _ in 0..12 {
            assert_eq!(verification.next(), Some(as_it_stands(2)));
            verification.learn(&as_it_stands(2), failed(kind), now);
            assert_eq!((verification.next(), verdict_of(&verification, 2)), (None, Verdict::Pending));
            let said = &verification.findings()[0];
            assert!(said.text.contains("jsonnet: no"), "{said}");
            let until = said.until.unwrap();
            verification.look(commit(STABLE), vec![commit(2)], now.after(until.since(now) / 2));
            assert_eq!(verification.next(), None, "it isn't looked at before");
            pauses.push(until.since(now).as_secs());
            now = until;
            verification.look(commit(STABLE), vec![commit(2)], now);
            let said = texts(&verification);
            assert!(said.contains("jsonnet: no") && said.contains("tried again"), "{said}");
        }
        assert_eq!(pauses, [2, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
        verification.learn(&as_it_stands(2), Compared::UpToDate, now);
        assert_eq!((verdict_of(&verification, 2), texts(&verification)), (Verdict::Green, String::new()));
    }
}

#[test]
fn what_was_not_tried_yet_goes_before_what_failed() {
    let mut verification = looking(&[2]);
    verification.learn(&as_it_stands(2), failed(RenderFailureKind::Limit), at(0));
    look(&mut verification, STABLE, &[2, 3], 10);
    let mut asked = Vec::new();
    while let Some(next) = verification.next() {
        asked.push(next.commit);
        verification.learn(&next, Compared::UpToDate, at(10));
    }
    assert_eq!(asked, [commit(3), commit(STABLE), commit(2)]);
}

#[test]
fn what_left_auto_or_stable_is_not_wanted_any_more() {
    let mut verification = looking(&[2, 3]);
    let under_way = verification.next().unwrap();
    assert!(verification.wants(&under_way));
    look(&mut verification, STABLE, &[3], 1);
    assert!(!verification.wants(&under_way));
    verification.learn(&under_way, differs(), at(2));
    assert_eq!(verification.open(), [commit(3), commit(STABLE)]);
    // A proof is of no use once stable has moved or nobody is suspected any more.
    verification.learn(&as_it_stands(STABLE), Compared::UpToDate, at(2));
    verification.learn(&as_it_stands(3), differs(), at(2));
    assert!(verification.wants(&stable_anew()));
    look(&mut verification, STABLE, &[], 3);
    assert!(!verification.wants(&stable_anew()));
    look(&mut verification, STABLE, &[3], 3);
    verification.learn(&as_it_stands(3), differs(), at(3));
    look(&mut verification, 9, &[3], 4);
    verification.learn(&stable_anew(), Compared::UpToDate, at(4));
    assert_eq!(verdict_of(&verification, 3), Verdict::Pending);
}

#[test]
fn on_stable_it_only_finds() {
    for (compared, said) in [
        (differs(), "not up to date"),
        (failed(RenderFailureKind::Tree), "can't be rendered: jsonnet: no"),
        (failed(RenderFailureKind::Environment), "jsonnet: no"),
    ] {
        let mut verification = looking(&[]);
        verification.learn(&as_it_stands(STABLE), compared, at(0));
        assert_eq!((verdict_of(&verification, STABLE), verification.next()), (Verdict::Green, None));
        assert!(texts(&verification).contains(said), "{}", texts(&verification));
    }
}

#[test]
fn a_check_that_is_not_decided_is_never_late() {
    // It would evict a commit whose rendering says nothing of it.
    let limits = Limits {
        not_started: std::time::Duration::from_secs(10),
        running: std::time::Duration::from_secs(10),
    };
    let required = RequiredChecks::named([GENERATED_CHECK]);
    let mut verification = looking(&[2]);
    for _ in 0..2 {
        let run = verification.run_on(&commit(2), at(1000));
        assert_eq!(late(&required, &[run], at(0), limits, at(1000)).1, None);
        verification.learn(&as_it_stands(2), failed(RenderFailureKind::Environment), at(999));
    }
}

#[test]
fn a_clock_that_was_put_back_keeps_nobody_waiting() {
    let mut verification = Verification::default();
    look(&mut verification, STABLE, &[], 1000);
    verification.learn(&as_it_stands(STABLE), failed(RenderFailureKind::Environment), at(1000));
    assert_eq!(verification.next(), None);
    look(&mut verification, STABLE, &[], 0);
    assert_eq!(verification.next(), Some(as_it_stands(STABLE)));
}
