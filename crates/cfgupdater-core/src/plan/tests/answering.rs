//! When calls are answered, and what they are told.

use super::*;
use crate::call::{Claim, DeploymentReport, OperationAnswer, ReportAnswer};
use crate::operate::OperationKey;
use crate::reason::Reason;
use crate::record::DeploymentStatus;

fn operate(operation: Operation) -> Call {
    Call::new("ops", Request::Operate(operation))
}

fn decided(scene: &Scene, calls: &[&Call]) -> Decision {
    decide(&scene.snapshot(), &scene.policy, calls, &Scope::default())
}

fn reported(target: &str, status: DeploymentStatus) -> Call {
    call(Request::Report(DeploymentReport {
        wave: "staging".parse().unwrap(),
        target: target.parse().unwrap(),
        status,
        claim: Claim::Revision(commit(1)),
        set: None,
        observed_at: None,
    }))
}

fn told(reply: &Reply) -> &ReportAnswer {
    match reply {
        Reply::Now(Ok(Answer::Reported(told))) | Reply::OnceWritten(Answer::Reported(told)) => told,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_operator_is_answered_once_it_is_written_and_so_is_a_repetition_beside_it() {
    let mut scene = Scene::new();
    let hold = operate(Operation::Hold { wave: "staging".parse().unwrap(), reason: "incident".to_owned() });
    let decision = decided(&scene, &[&hold, &hold]);
    let changed = |reply: &Reply| match reply {
        Reply::OnceWritten(Answer::Operated(OperationAnswer { changed, .. })) => Some(*changed),
        _ => None,
    };
    assert_eq!(decision.replies.iter().map(changed).collect::<Vec<_>>(), [Some(true), Some(false)]);
    for record in write(decision.plan).records {
        scene.state.apply(&record, scene.now);
    }
    let again = decided(&scene, &[&hold]);
    assert!(
        matches!(&again.replies[..], [Reply::Now(Ok(Answer::Operated(told)))] if !told.changed),
        "{again:?}"
    );
}

#[test]
fn an_operator_is_told_what_waits_now() {
    let mut scene = Scene::new();
    scene.land(1, &intent(1), 1);
    for target in ["staging-1", "staging-2"] {
        scene.report("staging", target, 1, 1, Succeeded);
    }
    let hold = operate(Operation::Hold { wave: "internal".parse().unwrap(), reason: "incident".to_owned() });
    let decision = decided(&scene, &[&hold]);
    let Reply::OnceWritten(Answer::Operated(told)) = &decision.replies[0] else { panic!("{decision:?}") };
    assert_eq!(told.waits.iter().map(|reason| reason.code).collect::<Vec<_>>(), [Code::Held]);
}

#[test]
fn whoever_reports_is_told_what_it_caused_or_what_the_wave_still_waits_for() {
    let mut scene = Scene::new();
    scene.land(1, &intent(1), 1);
    scene.state.stable_seen = Some(commit(1));
    let first = decided(&scene, &[&reported("staging-1", Succeeded)]);
    let answer = told(&first.replies[0]);
    assert_eq!((answer.recorded, answer.promoted.len()), (true, 0));
    assert_eq!(answer.waits.iter().map(|reason| reason.code).collect::<Vec<_>>(), [Code::Targets]);
    for record in write(first.plan).records {
        scene.state.apply(&record, scene.now);
    }
    let again = decided(&scene, &[&reported("staging-1", Succeeded)]);
    assert!(matches!(&again.replies[0], Reply::Now(_)) && !told(&again.replies[0]).recorded, "{again:?}");
    let last = decided(&scene, &[&reported("staging-2", Succeeded)]);
    let answer = told(&last.replies[0]);
    assert_eq!((answer.recorded, answer.promoted.len(), answer.waits.len()), (true, 1, 0));
}

#[test]
fn a_report_of_a_failure_withdraws_at_once_what_it_proves_no_longer() {
    let mut scene = Scene::new();
    scene.land(1, &intent(1), 1);
    scene.state.stable_seen = Some(commit(1));
    for target in ["staging-1", "staging-2"] {
        scene.report("staging", target, 1, 1, Succeeded);
    }
    scene.on_auto(2, promote("app", "staging", "internal", 1));
    let transaction = write(decided(&scene, &[&reported("staging-2", Failed)]).plan);
    assert!(matches!(ends(&transaction)[..], [(_, End::Withdrawn { .. })]), "{transaction:?}");
}

#[test]
fn while_something_goes_first_calls_are_decided_later_and_people_are_still_told() {
    let scene = chain_of(&[GREEN]);
    let mut snapshot = scene.snapshot();
    snapshot.findings.push(Reason::new(Code::Rendering, "stable", "committed files differ"));
    let announce = call(Request::Announce(announcement("app", 9)));
    let decision = decide(&snapshot, &scene.policy, &[&announce], &Scope::default());
    assert!(matches!(decision.plan.effect, Some(Effect::Land { .. })));
    assert_eq!((decision.replies, codes(&decision.plan)), (vec![Reply::Later], vec![Code::Rendering]));
}

#[test]
fn an_acceptance_is_written_by_the_state_that_is_there_and_people_are_told_what_is_wrong() {
    let mut scene = Scene::new();
    scene.faults = vec![Fault::StableRewound { seen: commit(7) }];
    let accept = operate(Operation::Accept { reason: "on purpose".to_owned() });
    let decision = decided(&scene, &[&accept]);
    assert_eq!(codes(&decision.plan), [Code::Fault]);
    let transaction = write(decision.plan);
    assert_eq!(transaction.state, Some(commit(200)));
    assert!(matches!(&transaction.records[..], [Record::AcceptedAsIs { .. }]), "{transaction:?}");
}

#[test]
fn an_acceptance_that_was_carried_out_before_is_answered_at_once() {
    let mut scene = Scene::new();
    let fault = Fault::StableRewound { seen: commit(7) };
    scene.faults = vec![fault.clone()];
    let key = OperationKey::new("ops", "1");
    let accept = operate(Operation::Accept { reason: "on purpose".to_owned() }).with_key(key);
    for record in write(decided(&scene, &[&accept]).plan).records {
        scene.state.apply(&record, scene.now);
    }
    let again = decided(&scene, &[&accept]);
    assert!(matches!(&again.replies[..], [Reply::Now(Ok(_))]), "{again:?}");
    assert_eq!(again.plan.effect, None, "what is wrong now was not looked at by the operator");
}

#[test]
fn a_transaction_accepts_what_it_records_as_accepted() {
    let mut scene = Scene::new();
    let announce = call(Request::Announce(announcement("app", 1)));
    let transaction = write(decided(&scene, &[&announce]).plan);
    assert!(transaction.accepts(intent(1).id) && !transaction.accepts(intent(2).id));
    scene.accept(intent(1));
    assert!(!write(scene.plan()).accepts(intent(1).id), "it was accepted before");
}
