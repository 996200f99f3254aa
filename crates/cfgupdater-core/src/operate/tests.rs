//! Each action of an operator, and what it must not do.
#![allow(clippy::needless_pass_by_value, reason = "a test hands an operation over and is done with it")]

mod approvals;
mod taking_back;

use super::*;
use crate::call::Request;
use crate::end::{CheckOutcome, End, Evidence};
use crate::plan::ended;
use crate::snapshot::{Fault, Revision};
use crate::testing::{Scene, at, commit, images, introduce, promote};

fn why() -> String {
    "because".to_owned()
}

fn staging() -> WaveName {
    "staging".parse().unwrap()
}

/// Decides an operation, and applies what it records.
fn act(scene: &mut Scene, operation: Operation) -> Result<Operated, Refusal> {
    act_with_key(scene, operation, None)
}

fn act_with_key(scene: &mut Scene, operation: Operation, key: Option<&str>) -> Result<Operated, Refusal> {
    let mut call = Call::new("ops", Request::Operate(operation.clone()));
    call.key = key.map(|key| OperationKey::new("ops", key));
    let snapshot = scene.snapshot();
    let desk = Desk { actor: "ops", policy: &scene.policy, state: &scene.state, snapshot: &snapshot };
    let operated = operate(&call, &operation, desk)?;
    for record in &operated.records {
        scene.state.apply(record, scene.now);
    }
    Ok(operated)
}

/// Waives what the first target of staging says.
fn waive(until: Option<Timestamp>) -> Operation {
    Operation::Waive { wave: staging(), target: "staging-1".parse().unwrap(), until, reason: why() }
}

fn changes(scene: &mut Scene, operation: Operation) -> bool {
    !act(scene, operation).unwrap().records.is_empty()
}

fn evict(scene: &mut Scene, id: IntentId) {
    let evidence = Evidence {
        commit: commit(1),
        check: "ci".to_owned(),
        outcome: CheckOutcome::Failed,
        link: None,
        summary: None,
    };
    scene.state.apply(&ended(id, End::Evicted { evidence }), scene.now);
}

/// Stable had release 1 in staging at commit 1, and has release 2 since commit 2.
fn two_releases() -> Scene {
    let mut scene = Scene::new();
    for n in [1, 2] {
        scene.land(n, &introduce("app", "staging", n), n);
    }
    let releases = [(Scene::slot("staging"), images(&[("web", 1)]).release())].into();
    scene.revisions.insert(commit(1), Some(Revision { on_stable: true, releases }));
    scene
}

#[test]
fn repeating_an_operation_changes_nothing() {
    let mut scene = Scene::new();
    let target: TargetName = "staging-1".parse().unwrap();
    let waive = Operation::Waive { wave: staging(), target, until: None, reason: why() };
    for operation in [
        Operation::Hold { wave: staging(), reason: why() },
        Operation::Release { wave: staging(), reason: why() },
        Operation::Pause { reason: why() },
        Operation::Resume { reason: why() },
        waive,
    ] {
        assert!(changes(&mut scene, operation.clone()), "{operation:?}");
        assert!(!changes(&mut scene, operation.clone()), "{operation:?}");
    }
}

#[test]
fn a_key_tells_a_repetition_from_a_new_call() {
    let mut scene = Scene::new();
    let hold = Operation::Hold { wave: staging(), reason: why() };
    assert!(!act_with_key(&mut scene, hold.clone(), Some("1")).unwrap().records.is_empty());
    assert!(changes(&mut scene, Operation::Release { wave: staging(), reason: why() }));
    let late = act_with_key(&mut scene, hold.clone(), Some("1")).unwrap();
    assert!(late.records.is_empty(), "a repetition that comes late doesn't hold the wave again");
    assert!(!act_with_key(&mut scene, hold, Some("2")).unwrap().records.is_empty());
    let other = act_with_key(&mut scene, Operation::Pause { reason: why() }, Some("1")).unwrap_err();
    assert_eq!((other.kind, other.field), (RefusalKind::Conflict, Some("Idempotency-Key")));
}

#[test]
fn a_rollback_is_a_hold_and_an_intent_in_one() {
    let mut scene = two_releases();
    let back = Operation::RollBack { wave: staging(), to: commit(1), reason: why() };
    let operated = act(&mut scene, back.clone()).unwrap();
    let [Record::Held { .. }, Record::Accepted { intent }] = &operated.records[..] else {
        panic!("{operated:?}")
    };
    assert_eq!(intent.images, images(&[("web", 1)]));
    assert!(act(&mut scene, back).unwrap().records.is_empty(), "it is on its way already");
}

#[test]
fn a_rollback_needs_a_commit_of_stable_that_holds_images() {
    let mut scene = two_releases();
    let back = |to| Operation::RollBack { wave: staging(), to, reason: why() };
    let refused = |scene: &mut Scene, to| act(scene, back(to)).unwrap_err().to_string();
    assert!(refused(&mut scene, commit(77)).contains("does not exist"));
    scene.revisions.insert(commit(8), Some(Revision { on_stable: false, ..Revision::default() }));
    assert!(refused(&mut scene, commit(8)).contains("not in the history of stable"));
    scene.revisions.insert(commit(9), Some(Revision { on_stable: true, ..Revision::default() }));
    assert!(refused(&mut scene, commit(9)).contains("holds no images"));
}

#[test]
fn the_same_way_back_can_be_taken_twice() {
    let mut scene = two_releases();
    let back = Operation::RollBack { wave: staging(), to: commit(1), reason: why() };
    let first = act(&mut scene, back.clone()).unwrap().intents[0];
    scene.state.apply(&ended(first, End::Landed { commit: commit(3) }), at(2000));
    let second = act(&mut scene, back).unwrap().intents[0];
    assert_ne!(first, second);
}

#[test]
fn a_waiver_ends_at_its_time_or_when_an_operator_ends_it() {
    let mut scene = Scene::new();
    assert!(changes(&mut scene, waive(Some(at(2000)))));
    assert!(!changes(&mut scene, waive(Some(at(2000)))));
    assert!(changes(&mut scene, waive(Some(at(500)))), "a time that has passed ends it");
    assert!(!changes(&mut scene, waive(Some(at(600)))));
    let unknown =
        Operation::Waive { wave: staging(), target: "prod-1".parse().unwrap(), until: None, reason: why() };
    assert_eq!(act(&mut scene, unknown).unwrap_err().kind, RefusalKind::Unknown);
}

#[test]
fn what_has_not_landed_can_be_withdrawn_once() {
    let mut scene = Scene::new();
    let id = introduce("app", "staging", 1).id;
    let withdraw = Operation::Withdraw { intent: id, reason: why() };
    assert_eq!(act(&mut scene, withdraw.clone()).unwrap_err().kind, RefusalKind::Unknown);
    scene.accept(introduce("app", "staging", 1));
    assert!(changes(&mut scene, withdraw.clone()));
    assert!(!changes(&mut scene, withdraw));
    scene.accept(introduce("app", "staging", 2));
    let landed = introduce("app", "staging", 2).id;
    scene.state.apply(&ended(landed, End::Landed { commit: commit(2) }), scene.now);
    let late = act(&mut scene, Operation::Withdraw { intent: landed, reason: why() }).unwrap_err();
    assert_eq!(late.kind, RefusalKind::Conflict);
}

#[test]
fn a_withdrawn_promotion_waits_for_an_operator() {
    let mut scene = two_releases();
    for target in ["staging-1", "staging-2"] {
        scene.report("staging", target, 2, 2, crate::record::DeploymentStatus::Succeeded);
    }
    let promotion = promote("app", "staging", "internal", 2);
    let id = promotion.id;
    scene.accept(promotion);
    act(&mut scene, Operation::Withdraw { intent: id, reason: why() }).unwrap();
    let promoted = |scene: &Scene| match scene.plan().effect {
        Some(crate::plan::Effect::Write(written)) => {
            written.records.iter().any(|record| matches!(record, Record::Accepted { .. }))
        }
        _ => false,
    };
    assert!(!promoted(&scene), "it isn't derived again by itself");
    act(&mut scene, Operation::Retry { intent: id, reason: why() }).unwrap();
    assert!(scene.state.live_intent(id).is_some());
}

#[test]
fn a_retry_never_downgrades() {
    let mut scene = Scene::new();
    let (old, new) = (introduce("app", "staging", 1), introduce("app", "staging", 2));
    let retry = Operation::Retry { intent: old.id, reason: why() };
    scene.accept(old.clone());
    assert!(!changes(&mut scene, retry.clone()), "it is under way");
    evict(&mut scene, old.id);
    assert!(changes(&mut scene, retry.clone()));
    evict(&mut scene, old.id);
    scene.accept(new.clone());
    assert_eq!(act(&mut scene, retry.clone()).unwrap_err().kind, RefusalKind::Conflict);
    evict(&mut scene, new.id);
    assert!(changes(&mut scene, retry), "what was given up stands in nobody's way");
}

#[test]
fn a_retry_undoes_no_edit_of_a_person() {
    let mut scene = Scene::new();
    let intent = introduce("app", "staging", 1);
    scene.accept(intent.clone());
    evict(&mut scene, intent.id);
    scene.person_pushes(5, &[("staging", 9)]);
    let refused = act(&mut scene, Operation::Retry { intent: intent.id, reason: why() }).unwrap_err();
    assert!(refused.kind == RefusalKind::Conflict && refused.detail.contains("commit"), "{refused}");
}

#[test]
fn an_operator_accepts_what_can_be_accepted() {
    let mut scene = Scene::new();
    let accept = Operation::Accept { reason: why() };
    assert!(!changes(&mut scene, accept.clone()), "there is nothing to accept");
    scene.faults = vec![Fault::StableRewound { seen: commit(7) }, Fault::StateLost { cited: commit(8) }];
    scene.cited = vec![commit(8), commit(9), commit(8)];
    scene.restorable = vec![introduce("app", "staging", 1)];
    let operated = act(&mut scene, accept.clone()).unwrap();
    assert_eq!(operated.intents, [introduce("app", "staging", 1).id]);
    assert_eq!(scene.state.excused, [commit(8), commit(9)]);
    assert_eq!(scene.state.live().len(), 1);
    scene.faults = vec![Fault::OldConfiguration { recorded: 3 }];
    assert_eq!(act(&mut scene, accept).unwrap_err().kind, RefusalKind::Conflict);
}

#[test]
fn while_something_is_at_fault_only_its_acceptance_is_decided() {
    let mut scene = Scene::new();
    scene.faults = vec![Fault::StableRewound { seen: commit(7) }];
    let hold = Call::new("ops", Request::Operate(Operation::Hold { wave: staging(), reason: why() }));
    let accept = Call::new("ops", Request::Operate(Operation::Accept { reason: why() }));
    let decided = crate::plan::decide(
        &scene.snapshot(),
        &scene.policy,
        &[&hold, &accept],
        &crate::plan::Scope::default(),
    );
    assert!(matches!(decided.replies[0], crate::plan::Reply::Now(Err(_))));
    assert!(matches!(decided.replies[1], crate::plan::Reply::OnceWritten(_)));
    assert!(decided.plan.effect.is_some());
}

#[test]
fn what_was_lost_with_the_state_is_restored_once_and_only_after_a_loss() {
    let mut scene = Scene::new();
    let accept = Operation::Accept { reason: why() };
    scene.restorable = vec![introduce("app", "staging", 1), introduce("app", "staging", 2)];
    scene.faults = vec![Fault::StableRewound { seen: commit(7) }];
    assert_eq!(act(&mut scene, accept.clone()).unwrap().intents, [], "state holds all that was accepted");
    scene.accept(introduce("app", "staging", 1));
    scene.faults = vec![Fault::StateLost { cited: commit(8) }];
    assert_eq!(act(&mut scene, accept).unwrap().intents, [introduce("app", "staging", 2).id]);
}

#[test]
fn only_what_a_person_can_answer_for_is_accepted() {
    let accepts = |fault: Fault| {
        let mut scene = Scene::new();
        scene.faults = vec![fault];
        act(&mut scene, Operation::Accept { reason: why() }).is_ok()
    };
    assert!(accepts(Fault::StateEdited { commit: commit(7) }));
    assert!(accepts(Fault::UnrelatedAuto { auto: commit(7) }));
    assert!(!accepts(Fault::StateUnreadable { why: "no JSON".to_owned() }));
    assert!(!accepts(Fault::NewerFormat { commit: commit(7), version: 9 }));
}

#[test]
fn the_reason_of_every_action_is_kept() {
    let (wave, reason, id) = (staging(), why(), introduce("app", "staging", 1).id);
    for operation in [
        Operation::Hold { wave: wave.clone(), reason: reason.clone() },
        Operation::Approve { wave: wave.clone(), release: None, reason: reason.clone() },
        Operation::RollBack { wave, to: commit(1), reason: reason.clone() },
        Operation::Withdraw { intent: id, reason: reason.clone() },
        Operation::Accept { reason },
    ] {
        assert_eq!(operation.reason(), "because", "{operation:?}");
    }
}

#[test]
fn a_key_is_written_as_it_is_read_and_shows_nothing_of_what_a_client_sent() {
    let key = OperationKey::new("ops", "secret");
    let text = key.to_string();
    assert_eq!((text.len(), text.parse()), (32, Ok(key)));
    assert_eq!(format!("{key:?}"), text[..8]);
    assert!("secret".parse::<OperationKey>().is_err());
    assert_ne!(key, OperationKey::new("dev", "secret"), "another operator's key is another key");
}
