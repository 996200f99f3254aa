//! What records come to, and what is kept of them.

use super::*;
use crate::end::{CheckOutcome, Evidence};
use crate::record::DeploymentStatus::{Failed, Succeeded};
use crate::testing::{Scene, at, commit, images, introduce, promote};

fn note(seconds: i64) -> Note {
    crate::plan::note("ops", "because", at(seconds))
}

fn accepted(intents: impl IntoIterator<Item = Intent>) -> State {
    let mut state = State::default();
    for intent in intents {
        state.apply(&Record::Accepted { intent }, at(1));
    }
    state
}

fn intent(n: u8) -> Intent {
    introduce("app", "staging", n)
}

fn end(state: &mut State, id: IntentId, end: End) {
    state.apply(&Record::Ended { id, end }, at(2));
}

fn landed(n: u8) -> End {
    End::Landed { commit: commit(n) }
}

/// One of more intents than a byte can number.
fn numbered(n: u32, sequence: Option<u64>) -> Intent {
    let mut intent = intent(1);
    let announced =
        crate::intent::Announcement { sequence, attempt: n, ..crate::testing::announcement("app", 1) };
    intent.id = announced.intent_id();
    intent.action = Action::Introduce { app_sha: announced.app_sha, sequence, attempt: n };
    intent
}

fn live(state: &State) -> Vec<IntentId> {
    state.live().iter().map(|intent| intent.id).collect()
}

#[test]
fn a_retry_goes_behind_all_others_and_forgets_the_end() {
    let mut state = accepted([intent(1), intent(2)]);
    assert_eq!(live(&state), [intent(1).id, intent(2).id]);
    end(&mut state, intent(1).id, End::Refused { reason: "hook".to_owned() });
    assert_eq!(live(&state), [intent(2).id]);
    let (id, actor, reason) = (intent(1).id, "ops".to_owned(), "again".to_owned());
    state.apply(&Record::Retried { id, actor, reason }, at(3));
    assert_eq!(live(&state), [intent(2).id, intent(1).id]);
    assert_eq!((state.end_of(id), state.intents[&id].ended_at), (None, None));
    state.apply(&Record::Accepted { intent: intent(3) }, at(4));
    assert_eq!(live(&state), [intent(2).id, intent(1).id, intent(3).id]);
}

#[test]
fn an_approval_is_spent_by_the_promotion_it_let_through() {
    let mut state = State::default();
    let (wave, set) = Scene::slot("internal");
    let release = images(&[("web", 1)]).release();
    state.apply(&Record::Approved { wave: wave.clone(), set: set.clone(), release, note: note(1) }, at(1));
    state.apply(&Record::Accepted { intent: intent(1) }, at(1));
    assert_eq!(state.wave(&wave).unwrap().approvals[&set].release, release, "an introduction needs none");
    state.apply(&Record::Accepted { intent: promote("app", "staging", "internal", 1) }, at(1));
    assert!(state.wave(&wave).unwrap().approvals.is_empty());
}

#[test]
fn the_newest_finished_intents_are_kept_whole_and_the_others_by_their_end() {
    let kept = u32::try_from(FINISHED_KEPT).unwrap();
    let mut state = accepted((0..kept + 2).map(|n| numbered(n, None)));
    for n in 0..=kept {
        end(&mut state, numbered(n, None).id, landed(1));
    }
    state.apply_entry(&Entry { at: at(3), records: Vec::new() });
    assert_eq!(state.intents.len(), FINISHED_KEPT + 1, "one of them is live");
    let oldest = numbered(0, None).id;
    assert!(!state.intents.contains_key(&oldest) && state.intents.contains_key(&numbered(1, None).id));
    assert_eq!((state.end_of(oldest), state.knows(oldest)), (Some(&landed(1)), true));
    assert_eq!(live(&state), [numbered(kept + 1, None).id]);
}

#[test]
fn of_pruned_announcements_the_highest_sequence_that_did_not_fail_is_kept() {
    let last = u32::try_from(FINISHED_KEPT).unwrap() + 3;
    let sequenced = |n: u32| numbered(n, Some(u64::from(n)));
    let refused = End::Refused { reason: "hook".to_owned() };
    let mut state = accepted((1..=last).map(sequenced));
    for n in 1..=last {
        end(&mut state, sequenced(n).id, if n == 3 { refused.clone() } else { landed(1) });
    }
    state.apply_entry(&Entry { at: at(3), records: Vec::new() });
    let set = "app".parse().unwrap();
    assert_eq!(state.sequences[&set], SequenceFloor { highest: Some(2), unordered: false });
    let without = numbered(last + 1, None);
    state.apply(&Record::Accepted { intent: without.clone() }, at(4));
    end(&mut state, without.id, landed(1));
    let newer = (last + 2..2 * last).map(sequenced).collect::<Vec<_>>();
    for intent in &newer {
        state.apply(&Record::Accepted { intent: intent.clone() }, at(5));
        end(&mut state, intent.id, landed(1));
    }
    state.apply_entry(&Entry { at: at(6), records: Vec::new() });
    assert!(state.sequences[&set].unordered, "one of those that were pruned came without");
    assert!(state.sequences[&set].highest > Some(2));
}

#[test]
fn the_newest_calls_of_operators_are_kept() {
    let mut state = State::default();
    let key = |n: usize| OperationKey::new("ops", &n.to_string());
    for n in 0..=OPERATIONS_KEPT {
        let record = Record::Operated { key: key(n), asked: key(n), intents: Vec::new() };
        let now = at(i64::try_from(n).unwrap());
        state.apply_entry(&Entry { at: now, records: vec![record] });
    }
    assert_eq!(state.operations.len(), OPERATIONS_KEPT);
    assert!(!state.operations.contains_key(&key(0)) && state.operations.contains_key(&key(1)));
}

/// What staging-1 said of the introductions of a scene, by the second since when.
fn words(scene: &Scene) -> Vec<(CommitId, DeploymentStatus, Timestamp)> {
    let reports = scene.state.targets.values().next().unwrap();
    reports.by_introduction.iter().map(|(commit, word)| (*commit, word.status, word.since)).collect()
}

#[test]
fn a_word_counts_since_it_was_said_first_until_it_changes() {
    let mut scene = Scene::new();
    for (seconds, status) in [(1000, Succeeded), (1010, Succeeded), (1020, Failed), (1030, Failed)] {
        scene.now = at(seconds);
        scene.report("staging", "staging-1", 1, 1, status);
    }
    assert_eq!(words(&scene), [(commit(1), Failed, at(1020))]);
    scene.now = at(1040);
    scene.report("staging", "staging-1", 1, 1, Succeeded);
    assert_eq!(words(&scene), [(commit(1), Succeeded, at(1040))]);
}

#[test]
fn a_report_takes_back_what_it_revokes_and_nothing_else() {
    let mut scene = Scene::new();
    for n in [1, 2] {
        scene.report("staging", "staging-1", n, n, Succeeded);
    }
    let mut report = scene.state.targets.values().next().unwrap().newest.clone();
    (report.introduction, report.revoked, report.asked_at) = (commit(1), vec![commit(2)], Some(at(1000)));
    scene.state.apply(&Record::Reported { report }, at(1001));
    assert_eq!(words(&scene).iter().map(|word| word.0).collect::<Vec<_>>(), [commit(1)]);
    assert_eq!(scene.state.targets.values().next().unwrap().sighted, Some(at(1000)));
}

#[test]
fn the_newest_words_of_a_target_are_kept() {
    let mut scene = Scene::new();
    for n in 1..=u8::try_from(REPORTS_KEPT).unwrap() + 1 {
        scene.now = at(1000 + i64::from(n));
        scene.report("staging", "staging-1", n, n, Succeeded);
    }
    let said: Vec<CommitId> = words(&scene).iter().map(|word| word.0).collect();
    assert_eq!((said.len(), said[0]), (REPORTS_KEPT, commit(2)));
}

#[test]
fn the_commits_of_live_intents_and_of_evicted_ones_are_traces() {
    let mut state = accepted([intent(1), intent(2), intent(3)]);
    let built = [1, 2].map(|n| Built { commit: commit(n), intent: intent(n).id, at: at(1) });
    state.apply(&Record::Built { commits: built.into() }, at(1));
    end(&mut state, intent(2).id, landed(2));
    let check = "ci".to_owned();
    let evidence =
        Evidence { commit: commit(3), check, outcome: CheckOutcome::Failed, link: None, summary: None };
    end(&mut state, intent(3).id, End::Evicted { evidence });
    let traces: Vec<_> = state.traces().collect();
    assert_eq!(traces, [(intent(1).id, commit(1)), (intent(3).id, commit(3))]);
    assert_eq!((state.built_at(&commit(2)), state.built_at(&commit(3))), (Some(at(1)), None));
}
