//! State machines that shrink: steps of a world, and records of state against a ledger that is worked out naively.
//!
//! The cases are the same each time; `PROPTEST_CASES` tries more of them. A failure prints the shortest steps found.

use std::time::Duration;

use cfgupdater_core::{
    Action, Announcement, By, CommitId, End, Entry, Intent, IntentId, Note, ObjectId, Record, State,
    Timestamp, WaveName,
};
use cfgupdater_testkit::mutations::{self, Honest, Tamper};
use cfgupdater_testkit::setup::Setup;
use cfgupdater_testkit::world::ci::CiMove;
use cfgupdater_testkit::world::people::PersonMove;
use cfgupdater_testkit::world::releases;
use cfgupdater_testkit::world::replica::Fault;
use cfgupdater_testkit::{Schedule, Step, run_with};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestError, TestRng, TestRunner};

/// Builds a runner that tries the same cases each time.
fn runner(cases: u32) -> TestRunner {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(cases);
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let rng = TestRng::deterministic_rng(config.rng_algorithm);
    TestRunner::new_with_rng(config, rng)
}

fn step() -> impl Strategy<Value = Step> {
    let replica = 0_u8..2;
    let turn = |fault| replica.clone().prop_map(move |replica| Step::Turn { replica, fault });
    let announce = (replica.clone(), 1_u8..5).prop_map(|(replica, release)| Step::Announce {
        replica,
        set: 0,
        release,
        sequence: None,
        attempt: 1,
    });
    let person = prop_oneof![
        any::<bool>().prop_map(|broken| PersonMove::Push { broken }),
        (0_u8..4, 1_u8..6).prop_map(|(slot, release)| PersonMove::Edit { slot, release }),
        (0_u8..3).prop_map(|nth| PersonMove::CherryPick { nth, release: 0 }),
        (0_u8..3).prop_map(|nth| PersonMove::Merge { nth }),
        Just(PersonMove::DeleteAuto),
    ];
    let ci = prop_oneof![Just(CiMove::Finish), Just(CiMove::Rerun), Just(CiMove::Flip), Just(CiMove::Cancel)];
    prop_oneof![
        3 => announce,
        4 => (replica.clone(), 1_u8..8).prop_map(|(replica, turns)| Step::Run { replica, turns }),
        2 => turn(Fault::Nothing),
        1 => turn(Fault::Unanswered),
        1 => turn(Fault::Lost),
        1 => turn(Fault::CrashAfter),
        1 => turn(Fault::Stale { back: 1, mask: 15 }),
        2 => (0_u8..4, ci).prop_map(|(pick, what)| Step::Ci { pick, what }),
        2 => person.prop_map(Step::Person),
        2 => (1_u16..4000).prop_map(|seconds| Step::Pass { seconds }),
    ]
}

/// Plays steps in a world where release 1 breaks the checks; the oracle, which calls no rule of the product, judges them.
fn play(steps: Vec<Step>, tamper: Box<dyn Tamper>) -> Result<(), TestCaseError> {
    let setup = Setup { replicas: 2, bad: 1 << 1, ..Setup::plain() };
    let violation = run_with(&Schedule { seed: 0, setup, steps }, tamper).err();
    violation
        .map_or(Ok(()), |found| Err(TestCaseError::fail(format!("{}: {}", found.invariant, found.detail))))
}

#[test]
fn the_branch_rules_hold_whatever_the_steps() {
    let tried = runner(300).run(&vec(step(), 1..40), |steps| play(steps, Box::new(Honest)));
    tried.unwrap_or_else(|failure| panic!("{failure}"));
}

#[test]
fn a_bug_in_the_branch_rules_is_shown_by_few_steps() {
    let name = "a check that has begun passes";
    let bug = mutations::all().into_iter().find(|bug| bug.name == name).expect("a seeded bug");
    let tried = runner(300).run(&vec(step(), 1..40), |steps| play(steps, (bug.tamper)()));
    let Err(TestError::Fail(_, shortest)) = tried else { panic!("not found: {tried:?}") };
    assert!(shortest.len() <= 6, "{shortest:?}");
}

/// One transition, with intents and waves by number.
#[derive(Debug, Clone, Copy)]
enum Turn {
    Accept(u8),
    End(u8, bool),
    Retry(u8),
    Hold(u8),
    Open(u8),
    Pause,
    Resume,
}

fn turn() -> impl Strategy<Value = Turn> {
    prop_oneof![
        3 => (1_u8..5).prop_map(Turn::Accept),
        3 => (1_u8..5, any::<bool>()).prop_map(|(n, landed)| Turn::End(n, landed)),
        2 => (1_u8..5).prop_map(Turn::Retry),
        1 => (0_u8..2).prop_map(Turn::Hold),
        1 => (0_u8..2).prop_map(Turn::Open),
        1 => Just(Turn::Pause),
        1 => Just(Turn::Resume),
    ]
}

fn announced(n: u8) -> Announcement {
    let (images, app_sha) = (releases::images(n).clone(), releases::app_sha(n));
    Announcement { set: "app".parse().expect("a valid name"), app_sha, sequence: None, attempt: 1, images }
}

fn id(n: u8) -> IntentId {
    announced(n).intent_id()
}

fn commit(n: u8) -> CommitId {
    CommitId::new(ObjectId::from_bytes(&[n; 20]).expect("twenty bytes make an id"))
}

fn wave(n: u8) -> WaveName {
    format!("w{n}").parse().expect("a valid name")
}

fn end(n: u8, landed: bool) -> End {
    if landed { End::Landed { commit: commit(n) } } else { End::Superseded { by: By::Commit(commit(n)) } }
}

fn record(turn: Turn) -> Record {
    let note = || Note { actor: "ops".to_owned(), reason: "drill".to_owned(), at: Timestamp::default() };
    match turn {
        Turn::Accept(n) => {
            let Announcement { set, app_sha, sequence, attempt, images } = announced(n);
            let action = Action::Introduce { app_sha, sequence, attempt };
            let (release, accepted_at) = (images.release(), Timestamp::default());
            let (wave, accepted_on, actor) = (wave(0), commit(0), "app-ci".to_owned());
            let intent =
                Intent { id: id(n), set, wave, release, images, action, accepted_at, accepted_on, actor };
            Record::Accepted { intent }
        }
        Turn::End(n, landed) => Record::Ended { id: id(n), end: end(n, landed) },
        Turn::Retry(n) => Record::Retried { id: id(n), actor: "ops".to_owned(), reason: "again".to_owned() },
        Turn::Hold(n) => Record::Held { wave: wave(n), note: note() },
        Turn::Open(n) => Record::Released { wave: wave(n), note: note() },
        Turn::Pause => Record::Paused { note: note() },
        Turn::Resume => Record::Resumed { note: note() },
    }
}

/// Leaves out what can't be recorded: an intent is accepted once, and what was never accepted neither ends nor returns.
fn possible(turns: Vec<Turn>) -> Vec<Turn> {
    let mut accepted = Vec::new();
    let mut possible = turns;
    possible.retain(|turn| match turn {
        Turn::Accept(n) => {
            !accepted.contains(n) && {
                accepted.push(*n);
                true
            }
        }
        Turn::End(n, _) | Turn::Retry(n) => accepted.contains(n),
        _ => true,
    });
    possible
}

/// Works out the last word on something: the place of the last turn that speaks of it.
fn last(turns: &[Turn], speaks: impl Fn(&Turn) -> bool) -> Option<usize> {
    turns.iter().rposition(speaks)
}

#[test]
fn state_is_what_its_records_say_however_they_are_batched() {
    let tried = runner(500).run(&(vec(turn(), 0..40), 1_usize..6), |(turns, batch)| {
        let turns = possible(turns);
        let mut state = State::default();
        for (hour, turns) in turns.chunks(batch).enumerate() {
            let at = Timestamp::default().after(Duration::from_hours(hour as u64));
            state.apply_entry(&Entry { at, records: turns.iter().copied().map(record).collect() });
        }
        let mut live = Vec::new();
        for n in 1..5 {
            let begun = last(&turns, |t| matches!(t, Turn::Accept(m) | Turn::Retry(m) if *m == n));
            let ended = last(&turns, |t| matches!(t, Turn::End(m, _) if *m == n));
            let end = ended.filter(|_| ended > begun).map(|place| match turns[place] {
                Turn::End(_, landed) => end(n, landed),
                _ => unreachable!("it ends there"),
            });
            prop_assert_eq!(state.knows(id(n)), begun.is_some());
            prop_assert_eq!(state.end_of(id(n)), end.as_ref());
            live.extend(begun.filter(|_| end.is_none()).map(|begun| (begun, id(n))));
        }
        live.sort_unstable();
        let live: Vec<IntentId> = live.into_iter().map(|(_, id)| id).collect();
        prop_assert_eq!(state.live().iter().map(|intent| intent.id).collect::<Vec<_>>(), live);
        for n in 0..2 {
            let held = last(&turns, |t| matches!(t, Turn::Hold(m) if *m == n))
                > last(&turns, |t| matches!(t, Turn::Open(m) if *m == n));
            prop_assert_eq!(state.wave(&wave(n)).is_some_and(|wave| wave.hold.is_some()), held);
        }
        let paused = last(&turns, |t| matches!(t, Turn::Pause)) > last(&turns, |t| matches!(t, Turn::Resume));
        prop_assert_eq!(state.paused.is_some(), paused);
        Ok(())
    });
    tried.unwrap_or_else(|failure| panic!("{failure}"));
}
