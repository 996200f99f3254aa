//! The loop around the plan, step by step.

mod declined;
mod patience;
mod storm;

use std::time::Duration;

use super::trouble::CALLS_REST;
use super::*;
use crate::call::{Announced, Claim, DeploymentReport, Outcome, RefusalKind, Request};
use crate::check::CheckState;
use crate::end::End;
use crate::error::ErrorKind;
use crate::error::Retry;
use crate::policy::Mode;
use crate::reason::Code;
use crate::record::{DeploymentStatus, Record};
use crate::render::Culprit;
use crate::snapshot::Fault;
use crate::testing::{Scene, announcement, at, commit, introduce};
use crate::unrendered::RenderingFailure;

fn announce(n: u8) -> Call {
    Call::new("app-ci", Request::Announce(announcement("app", n)))
}

fn started(scene: &Scene) -> Reconciler {
    let mut reconciler = Reconciler::new(scene.policy.clone(), scene.now);
    assert!(observes(&reconciler.step(scene.now, Input::Tick)));
    reconciler
}

/// A reconciler that has looked at a scene and found nothing to do.
fn idle(scene: &Scene) -> Reconciler {
    let mut reconciler = started(scene);
    let commands = reconciler.step(scene.now, observed(scene));
    assert!(!observes(&commands) && effect(&commands).is_none(), "{commands:?}");
    reconciler
}

fn observed(scene: &Scene) -> Input {
    Input::Observed(Ok(Arc::new(scene.snapshot())))
}

fn observes(commands: &[Command]) -> bool {
    commands.iter().any(|command| matches!(command, Command::Observe { .. }))
}

fn effect(commands: &[Command]) -> Option<&Effect> {
    commands.iter().find_map(|command| match command {
        Command::Perform(effect) => Some(effect),
        _ => None,
    })
}

fn answers(commands: &[Command]) -> Vec<(u64, Result<Answer, Refusal>)> {
    let answer = |command: &Command| match command {
        Command::Answer { id, answer } => Some((id.0, answer.clone())),
        _ => None,
    };
    commands.iter().filter_map(answer).collect()
}

fn woken_at(commands: &[Command]) -> Option<Timestamp> {
    commands.iter().rev().find_map(|command| match command {
        Command::WakeAt { at, .. } => Some(*at),
        _ => None,
    })
}

/// Calls, waits out the batch window, and returns what follows from a fresh observation.
fn call_and_observe(reconciler: &mut Reconciler, scene: &Scene, calls: &[Call]) -> Vec<Command> {
    for (id, call) in (0..).zip(calls) {
        let commands = reconciler.step(scene.now, Input::Call { id: CallId(id), call: call.clone() });
        assert!(!observes(&commands), "calls are gathered first");
    }
    assert!(observes(&reconciler.step(scene.now.after(scene.policy.batch_window), Input::Tick)));
    reconciler.step(scene.now, observed(scene))
}

fn written(n: u8) -> Input {
    Input::Performed(Ok(Written {
        commits: vec![(introduce("app", "staging", n).id, commit(n))],
        ..Written::default()
    }))
}

fn outcome(answer: &Result<Answer, Refusal>) -> (Outcome, Option<CommitId>) {
    match answer {
        Ok(Answer::Announced(Announced { outcome, commit, .. })) => (*outcome, *commit),
        other => panic!("{other:?}"),
    }
}

#[test]
fn calls_are_gathered_written_once_and_answered_after_the_write() {
    let scene = Scene::new();
    let mut reconciler = idle(&scene);
    let commands = call_and_observe(&mut reconciler, &scene, &[announce(1), announce(2)]);
    let Some(Effect::Write(transaction)) = effect(&commands) else { panic!("{commands:?}") };
    assert_eq!(transaction.auto.as_ref().unwrap().intents.len(), 2);
    assert_eq!(answers(&commands), []);
    let commands = reconciler.step(scene.now, written(1));
    let answers = answers(&commands);
    assert_eq!(outcome(&answers[0].1), (Outcome::Committed, Some(commit(1))));
    assert_eq!(outcome(&answers[1].1), (Outcome::Queued, None));
    assert!(observes(&commands), "after each effect, observe again");
}

#[test]
fn a_lost_race_is_decided_again_on_what_is_there_now() {
    let scene = Scene::new();
    let mut reconciler = idle(&scene);
    call_and_observe(&mut reconciler, &scene, &[announce(1)]);
    let commands = reconciler.step(scene.now, Input::Performed(Err(Failure::Stale)));
    assert!(observes(&commands) && answers(&commands).is_empty());
    let mut other = Scene::new();
    other.accept(introduce("app", "staging", 1));
    other.state.built.clear();
    other.on_auto(1, introduce("app", "staging", 1));
    let commands = reconciler.step(scene.now, observed(&other));
    assert_eq!(outcome(&answers(&commands)[0].1), (Outcome::Duplicate, Some(commit(1))));
}

#[test]
fn a_write_whose_answer_was_lost_is_no_duplicate_of_itself() {
    let scene = Scene::new();
    let mut reconciler = idle(&scene);
    call_and_observe(&mut reconciler, &scene, &[announce(1)]);
    let lost = Failure::Indeterminate { reason: "connection reset".to_owned() };
    assert!(observes(&reconciler.step(scene.now, Input::Performed(Err(lost)))));
    let mut applied = Scene::new();
    applied.on_auto(1, introduce("app", "staging", 1));
    let commands = reconciler.step(scene.now, observed(&applied));
    assert_eq!(outcome(&answers(&commands)[0].1), (Outcome::Committed, Some(commit(1))));
}

#[test]
fn a_declined_batch_is_written_one_by_one_until_the_guilty_call_is_found() {
    let scene = Scene::new();
    let mut reconciler = idle(&scene);
    let declined = || Input::Performed(Err(Failure::Declined { reason: "secret found".to_owned() }));
    call_and_observe(&mut reconciler, &scene, &[announce(1), announce(2)]);
    assert!(observes(&reconciler.step(scene.now, declined())));
    // The background alone has nothing to write.
    assert!(observes(&reconciler.step(scene.now, observed(&scene))));
    let commands = reconciler.step(scene.now, observed(&scene));
    let Some(Effect::Write(transaction)) = effect(&commands) else { panic!("{commands:?}") };
    assert_eq!(transaction.auto.as_ref().unwrap().intents.len(), 1);
    let commands = reconciler.step(scene.now, declined());
    let refused = answers(&commands);
    assert!(
        matches!(&refused[..], [(0, Err(refusal))] if refusal.kind == RefusalKind::Declined),
        "{refused:?}"
    );
    let commands = reconciler.step(scene.now, observed(&scene));
    assert!(effect(&commands).is_some(), "the innocent call goes on");
    assert_eq!(answers(&reconciler.step(scene.now, written(2))).len(), 1);
}

#[test]
fn a_declined_landing_is_left_alone_for_longer_each_time_while_calls_go_on() {
    let mut scene = Scene::new();
    scene.on_auto(1, introduce("app", "staging", 1));
    scene.check(1, CheckState::Success);
    let mut reconciler = started(&scene);
    let mut now = scene.now;
    for pause in [1, 2, 4] {
        assert!(matches!(effect(&reconciler.step(now, observed(&scene))), Some(Effect::Land { .. })));
        let declined = Failure::Declined { reason: "GH006".to_owned() };
        assert!(observes(&reconciler.step(now, Input::Performed(Err(declined)))));
        let commands = reconciler.step(now, observed(&scene));
        assert_eq!(effect(&commands), None);
        now = now.after(Duration::from_secs(pause));
        assert_eq!(woken_at(&commands), Some(now));
        assert!(observes(&reconciler.step(now, Input::Tick)));
    }
}

#[test]
fn an_unreachable_remote_is_asked_less_and_less_often_and_callers_are_told_in_time() {
    let scene = Scene::new();
    let mut reconciler = started(&scene);
    let down = || {
        let message = "connection refused".to_owned();
        Input::Observed(Err(Failure::Backend {
            kind: ErrorKind::Unavailable,
            message,
            retry: Retry::Backoff,
        }))
    };
    let commands = reconciler.step(scene.now, down());
    assert_eq!(woken_at(&commands), Some(scene.now.after(Duration::from_secs(1))));
    reconciler.step(scene.now, Input::Call { id: CallId(7), call: announce(1) });
    let later = scene.now.after(Duration::from_secs(1));
    assert!(observes(&reconciler.step(later, Input::Tick)));
    let commands = reconciler.step(later, down());
    assert_eq!(woken_at(&commands), Some(later.after(Duration::from_secs(2))));
    let commands = reconciler.step(scene.now.after(PATIENCE), Input::Tick);
    assert!(matches!(&answers(&commands)[..], [(7, Err(refusal))]
        if refusal.kind == RefusalKind::Unavailable && refusal.detail.contains("connection refused")));
}

#[test]
fn a_call_is_not_decided_by_what_was_read_before_it_came() {
    let scene = Scene::new();
    let mut reconciler = started(&scene);
    let report = DeploymentReport {
        wave: "staging".parse().unwrap(),
        target: "staging-1".parse().unwrap(),
        status: DeploymentStatus::Succeeded,
        claim: Claim::Revision(commit(9)),
        set: None,
        observed_at: None,
    };
    let call = Call::new("argocd", Request::Report(report));
    reconciler.step(scene.now, Input::Call { id: CallId(1), call });
    let commands = reconciler.step(scene.now, observed(&scene));
    assert_eq!(answers(&commands), []);
    let asked = Command::Observe { revisions: [commit(9)].into() };
    assert!(commands.contains(&asked), "{commands:?}");
}

#[test]
fn hints_that_come_together_are_one_look() {
    let scene = Scene::new();
    let mut reconciler = started(&scene);
    for _ in 0..100 {
        assert!(!observes(&reconciler.step(scene.now, Input::Look)));
    }
    assert!(observes(&reconciler.step(scene.now, observed(&scene))));
    assert!(!observes(&reconciler.step(scene.now, observed(&scene))));
}

#[test]
fn without_any_hint_the_timer_looks() {
    let scene = Scene::new();
    let mut reconciler = started(&scene);
    let next = woken_at(&reconciler.step(scene.now, observed(&scene))).unwrap();
    assert_eq!(next, scene.now.after(scene.policy.resync));
    assert!(observes(&reconciler.step(next, Input::Tick)));
}

#[test]
fn an_observing_replica_answers_while_something_could_land() {
    let mut scene = Scene::new();
    scene.policy.mode = Mode::Observe;
    scene.on_auto(1, introduce("app", "staging", 1));
    scene.check(1, CheckState::Success);
    let mut reconciler = idle(&scene);
    let preview = Call::new("app-ci", Request::Preview(announcement("app", 2)));
    let commands = call_and_observe(&mut reconciler, &scene, &[preview, announce(2)]);
    let said = answers(&commands);
    assert!(matches!(&said[..], [(0, Ok(Answer::Previewed(_))), (1, Err(_))]), "{commands:?}");
    let shown = commands.iter().any(
        |command| matches!(command, Command::Publish(why) if why.iter().any(|said| said.subject == "stable")),
    );
    assert!(shown, "what would land is still told: {commands:?}");
}

#[test]
fn an_observing_replica_writes_nothing() {
    let mut scene = Scene::new();
    scene.policy.mode = Mode::Observe;
    let mut reconciler = idle(&scene);
    let commands = call_and_observe(&mut reconciler, &scene, &[announce(1)]);
    assert!(effect(&commands).is_none());
    assert!(
        matches!(&answers(&commands)[..], [(0, Err(refusal))] if refusal.kind == RefusalKind::Unavailable)
    );
}

#[test]
fn a_fault_answers_calls_at_once() {
    let scene = Scene::new();
    let mut reconciler = idle(&scene);
    reconciler.step(scene.now, Input::Call { id: CallId(0), call: announce(1) });
    reconciler.step(scene.now.after(scene.policy.batch_window), Input::Tick);
    let mut snapshot = scene.snapshot();
    snapshot.faults.push(Fault::StateLost { cited: commit(3) });
    let commands = reconciler.step(at(2000), Input::Observed(Ok(Arc::new(snapshot))));
    assert_eq!(answers(&commands).len(), 1);
}

#[test]
fn a_replica_whose_callers_all_gave_up_is_idle_and_hears_what_it_is_told() {
    let scene = Scene::new();
    let mut reconciler = idle(&scene);
    assert!(!observes(&reconciler.step(scene.now, Input::Call { id: CallId(1), call: announce(1) })));
    // The process slept, or the remote asked for patience, for longer than callers have it.
    let later = scene.now.after(PATIENCE);
    let commands = reconciler.step(later, Input::Tick);
    assert!(matches!(answers(&commands)[..], [(1, Err(_))]));
    assert!(woken_at(&commands).is_none_or(|at| at > later), "it would be woken for ever: {commands:?}");
    assert!(observes(&reconciler.step(later, Input::Look)));
}

fn declined() -> Input {
    Input::Performed(Err(Failure::Declined { reason: "secret found".to_owned() }))
}

fn on_auto(commands: &[Command]) -> Vec<IntentId> {
    match effect(commands) {
        Some(Effect::Write(transaction)) => {
            transaction.auto.as_ref().map(|auto| auto.intents.clone()).unwrap_or_default()
        }
        _ => Vec::new(),
    }
}

#[test]
fn the_guilty_intent_alone_is_refused_and_only_once_another_passed() {
    let mut scene = Scene::new();
    let (bad, good) = (introduce("app", "staging", 1), introduce("app", "staging", 2));
    scene.accept(bad.clone());
    scene.accept(good.clone());
    let mut reconciler = started(&scene);
    let commands = reconciler.step(scene.now, observed(&scene));
    assert_eq!(on_auto(&commands), [bad.id, good.id]);
    assert!(observes(&reconciler.step(scene.now, declined())));
    assert_eq!(on_auto(&reconciler.step(scene.now, observed(&scene))), [bad.id]);
    assert!(observes(&reconciler.step(scene.now, declined())));
    assert_eq!(on_auto(&reconciler.step(scene.now, observed(&scene))), [good.id]);
    assert!(observes(&reconciler.step(scene.now, Input::Performed(Ok(Written::default())))));
    let refused = reconciler.step(scene.now, observed(&scene));
    let Some(Effect::Write(transaction)) = effect(&refused) else { panic!("{refused:?}") };
    let refusal = crate::end::End::Refused { reason: "secret found".to_owned() };
    assert!(transaction.records.contains(&crate::plan::ended(bad.id, refusal)), "{transaction:?}");
}

#[test]
fn a_remote_that_takes_nothing_loses_nothing_and_is_not_pestered() {
    let mut scene = Scene::new();
    let waiting = introduce("app", "staging", 1);
    scene.accept(waiting.clone());
    let mut reconciler = started(&scene);
    assert_eq!(on_auto(&reconciler.step(scene.now, observed(&scene))), [waiting.id]);
    assert!(observes(&reconciler.step(scene.now, declined())));
    let commands = reconciler.step(scene.now, observed(&scene));
    assert_eq!(on_auto(&commands), [], "it is not tried again at once");
    let again = woken_at(&commands).unwrap();
    assert!(again > scene.now && again <= scene.now.after(Duration::from_mins(1)), "{commands:?}");
    assert!(observes(&reconciler.step(again, Input::Tick)));
    scene.now = again;
    assert_eq!(on_auto(&reconciler.step(again, observed(&scene))), [waiting.id]);
}

#[test]
fn an_intent_that_another_replica_put_on_auto_is_not_suspected() {
    let mut scene = Scene::new();
    let intent = introduce("app", "staging", 1);
    scene.accept(intent.clone());
    let mut reconciler = started(&scene);
    assert_eq!(on_auto(&reconciler.step(scene.now, observed(&scene))), [intent.id]);
    assert!(observes(&reconciler.step(scene.now, declined())));
    scene.on_auto(1, intent.clone());
    let commands = reconciler.step(scene.now, observed(&scene));
    assert!(effect(&commands).is_none(), "it stays where it is: {commands:?}");
}

#[test]
fn a_clock_that_is_put_back_delays_nothing() {
    let scene = Scene::new();
    let mut reconciler = idle(&scene);
    let an_hour_ago = at(1000 - 3600);
    assert!(observes(&reconciler.step(an_hour_ago, Input::Tick)), "it looks at once");
    let mut waiting = idle(&scene);
    waiting.step(scene.now, Input::Call { id: CallId(1), call: announce(1) });
    assert!(observes(&waiting.step(an_hour_ago, Input::Tick)), "gathered calls are not kept waiting");
    let late = an_hour_ago.after(PATIENCE);
    assert!(matches!(answers(&waiting.step(late, Input::Tick))[..], [(1, Err(_))]), "nor are callers");
}

#[test]
fn a_clock_that_is_put_forward_ends_waiting_early_and_loses_nothing() {
    let scene = Scene::new();
    let mut reconciler = idle(&scene);
    reconciler.step(scene.now, Input::Call { id: CallId(1), call: announce(1) });
    let tomorrow = scene.now.after(Duration::from_hours(24));
    let commands = reconciler.step(tomorrow, Input::Tick);
    assert!(matches!(answers(&commands)[..], [(1, Err(_))]), "the caller repeats the call");
    assert!(observes(&commands));
}

/// Tells that the files of intent `n` could not be rendered.
fn unrendered(n: u8, culprit: Culprit) -> Input {
    let id = introduce("app", "staging", n).id;
    let failure = RenderingFailure::new(commit(0), (id, commit(0)), culprit, "make: *** [generated] Error 1");
    Input::Performed(Err(Failure::Rendering(failure)))
}

#[test]
fn an_intent_that_can_not_be_rendered_is_evicted_and_the_others_go_on() {
    let scene = Scene::new();
    let mut reconciler = idle(&scene);
    call_and_observe(&mut reconciler, &scene, &[announce(1), announce(2)]);
    let commands = reconciler.step(scene.now, unrendered(1, Culprit::Intent));
    assert!(observes(&commands) && answers(&commands).is_empty());
    let commands = reconciler.step(scene.now, observed(&scene));
    let Some(Effect::Write(transaction)) = effect(&commands) else { panic!("{commands:?}") };
    assert_eq!(transaction.auto.as_ref().unwrap().intents, [introduce("app", "staging", 2).id]);
    let evicted = transaction.records.iter().any(|record| {
        matches!(record, Record::Ended { end: End::Evicted { evidence }, .. }
            if evidence.summary.as_deref().is_some_and(|said| said.contains("Error 1")))
    });
    assert!(evicted, "{:?}", transaction.records);
}

#[test]
fn while_nobody_can_be_rendered_calls_are_queued_and_auto_waits_until_stable_moves() {
    let scene = Scene::new();
    let mut reconciler = idle(&scene);
    call_and_observe(&mut reconciler, &scene, &[announce(1)]);
    reconciler.step(scene.now, unrendered(1, Culprit::Others));
    let commands = reconciler.step(scene.now, observed(&scene));
    let Some(Effect::Write(transaction)) = effect(&commands) else { panic!("{commands:?}") };
    assert!(transaction.auto.is_none(), "{transaction:?}");
    let told = commands.iter().any(|command| {
        matches!(command, Command::Publish(why) if why.iter().any(|reason| reason.text.contains("can't be rendered")))
    });
    assert!(told, "{commands:?}");
    let commands = reconciler.step(scene.now, Input::Performed(Ok(Written::default())));
    assert_eq!(outcome(&answers(&commands)[0].1), (Outcome::Queued, None));
    let mut waiting = Scene::new();
    waiting.accept(introduce("app", "staging", 1));
    let commands = reconciler.step(scene.now, observed(&waiting));
    assert_eq!(effect(&commands), None, "nothing is tried again at once");
    waiting.person_pushes(7, &[]);
    reconciler.step(scene.now, Input::Look);
    let commands = reconciler.step(scene.now, observed(&waiting));
    let Some(Effect::Write(transaction)) = effect(&commands) else { panic!("{commands:?}") };
    assert_eq!(transaction.auto.as_ref().unwrap().intents.len(), 1, "a person may have mended it");
}

fn down(retry: Retry) -> Input {
    let message = "connection refused".to_owned();
    Input::Observed(Err(Failure::Backend { kind: ErrorKind::Unavailable, message, retry }))
}

fn published(commands: &[Command]) -> Vec<Reason> {
    let why = |command: &Command| match command {
        Command::Publish(why) => Some(why.clone()),
        _ => None,
    };
    commands.iter().rev().find_map(why).unwrap()
}

#[test]
fn a_new_call_ends_our_own_pause_and_not_one_that_the_other_side_asked_for() {
    let minute = Retry::After(Duration::from_mins(1));
    for (retry, calls_end_it) in [(Retry::Backoff, true), (minute, false)] {
        let scene = Scene::new();
        let mut reconciler = started(&scene);
        let mut now = scene.now;
        // Half a minute is the sixth pause.
        for _ in 0..6 {
            let commands = reconciler.step(now, down(retry));
            now = woken_at(&commands).unwrap();
            assert!(observes(&reconciler.step(now, Input::Tick)));
        }
        let commands = reconciler.step(now, down(retry));
        assert!(woken_at(&commands).unwrap() >= now.after(Duration::from_mins(1)));
        reconciler.step(now, Input::Call { id: CallId(1), call: announce(1) });
        let commands = reconciler.step(now.after(CALLS_REST), Input::Tick);
        assert_eq!(observes(&commands), calls_end_it, "{retry:?}");
    }
}

#[test]
fn a_failure_takes_nothing_back_of_why_something_waits() {
    let mut scene = Scene::new();
    scene.on_auto(1, introduce("app", "staging", 1));
    let mut reconciler = started(&scene);
    let waits = |why: &[Reason]| why.iter().any(|said| said.code == Code::Checks);
    assert!(waits(&published(&reconciler.step(scene.now, observed(&scene)))));
    assert!(observes(&reconciler.step(scene.now, Input::Look)));
    let why = published(&reconciler.step(scene.now, down(Retry::Backoff)));
    assert!(waits(&why) && why.iter().any(|said| said.code == Code::Remote), "{why:?}");
}

#[test]
fn a_declined_landing_is_not_told_any_more_once_nothing_may_land() {
    let mut scene = Scene::new();
    scene.on_auto(1, introduce("app", "staging", 1));
    scene.check(1, CheckState::Success);
    let mut reconciler = started(&scene);
    assert!(matches!(effect(&reconciler.step(scene.now, observed(&scene))), Some(Effect::Land { .. })));
    reconciler.step(scene.now, declined());
    let later = scene.now.after(Duration::from_secs(1));
    scene.check(1, CheckState::Running);
    reconciler.step(later, observed(&scene));
    reconciler.step(later, Input::Look);
    let why = published(&reconciler.step(later, observed(&scene)));
    assert!(why.iter().all(|said| said.code != Code::Remote), "{why:?}");
}
