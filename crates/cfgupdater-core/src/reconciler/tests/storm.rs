//! Far more announcements than a forge takes pushes, with time as an input: nothing sleeps here.

use std::collections::{BTreeMap, VecDeque};

use super::*;
use crate::check::CheckState;
use crate::intent::Intent;
use crate::plan::Transaction;
use crate::record::{Built, Record};
use crate::snapshot::ChainCommit;

/// How many pushes a minute the forge advises.
const ADVISED: u32 = 6;

/// How often something is announced, how often it is, and how often CI is done with the tip of auto, in seconds.
const EVERY: i64 = 2;
const ANNOUNCEMENTS: u8 = 140;
const CI_EVERY: i64 = 31;

/// A repository whose remote does at once what it is told.
struct Storm {
    scene: Scene,
    reconciler: Reconciler,
    wake: Option<Timestamp>,
    pushes: Vec<Timestamp>,
    answers: BTreeMap<u8, Answer>,
    /// The announcements that are under way by their call, and how often one was told to come back.
    calling: BTreeMap<u64, (u8, Timestamp)>,
    calls: u64,
    told_to_repeat: usize,
    /// The commits that were made, by the last byte of their number.
    made: u8,
    intents: BTreeMap<IntentId, u8>,
}

impl Storm {
    fn new() -> Self {
        let mut scene = Scene::new();
        scene.capabilities.pushes_per_minute = Some(ADVISED);
        let reconciler = Reconciler::new(scene.policy.clone(), scene.now);
        let intents = (1..=ANNOUNCEMENTS).map(|n| (introduce("app", "staging", n).id, n)).collect();
        Self {
            scene,
            reconciler,
            wake: None,
            pushes: Vec::new(),
            answers: BTreeMap::new(),
            calling: BTreeMap::new(),
            calls: 0,
            told_to_repeat: 0,
            made: 0,
            intents,
        }
    }

    /// CI of the application announces a build.
    fn call(&mut self, n: u8) -> Input {
        self.calls += 1;
        self.calling.insert(self.calls, (n, self.scene.now));
        Input::Call { id: CallId(self.calls), call: announce(n) }
    }

    /// Takes an answer; who is told to come back does so at once.
    fn answered(&mut self, id: CallId, answer: Result<Answer, Refusal>) -> Option<Input> {
        let (n, since) = self.calling.remove(&id.0).expect("each call is answered once");
        assert!(self.scene.now.since(since) <= PATIENCE, "{n} waited too long");
        match answer {
            Ok(answer) => {
                self.answers.insert(n, answer);
                None
            }
            Err(refusal) => {
                assert_eq!(refusal.kind, RefusalKind::Unavailable, "{refusal:?}");
                self.told_to_repeat += 1;
                Some(self.call(n))
            }
        }
    }

    /// Takes one input, and all that follows from it at this time.
    fn take(&mut self, input: Input) {
        let mut inputs = VecDeque::from([input]);
        let mut steps = 0;
        while let Some(input) = inputs.pop_front() {
            steps += 1;
            assert!(steps < 1000, "it would never come to rest");
            for command in self.reconciler.step(self.scene.now, input) {
                match command {
                    Command::Observe { .. } => inputs.push_back(observed(&self.scene)),
                    Command::Perform(effect) => inputs.push_back(self.perform(&effect)),
                    Command::Answer { id, answer } => inputs.extend(self.answered(id, answer)),
                    Command::WakeAt { at, .. } => self.wake = Some(at),
                    Command::Publish(_) | Command::RequestChecks(_) => {}
                }
            }
        }
    }

    /// Lets time go by, and wakes the reconciler whenever it asked for it.
    fn until(&mut self, then: Timestamp) {
        let mut woken = 0;
        while let Some(at) = self.wake.filter(|at| *at <= then) {
            self.wake = None;
            woken += 1;
            assert!(woken < 1000, "it would be woken for ever");
            self.scene.now = self.scene.now.max(at);
            self.take(Input::Tick);
        }
        self.scene.now = then;
    }

    /// Does what one push does.
    fn perform(&mut self, effect: &Effect) -> Input {
        self.pushes.push(self.scene.now);
        let written = match effect {
            Effect::Write(transaction) => self.write(transaction),
            Effect::Land { to, .. } => {
                self.land(*to);
                Written::default()
            }
            other => panic!("nobody asked for {other:?}"),
        };
        Input::Performed(Ok(written))
    }

    fn write(&mut self, transaction: &Transaction) -> Written {
        let now = self.scene.now;
        for record in &transaction.records {
            self.scene.state.apply(record, now);
        }
        let Some(auto) = &transaction.auto else { return Written::default() };
        self.scene.chain.retain(|link| auto.keep.contains(&link.id));
        let mut written = Written::default();
        for intent in &auto.intents {
            self.made += 1;
            let id = commit(self.made);
            self.scene.chain.push(ChainCommit { id, subject: "chore".to_owned(), intent: Some(*intent) });
            written.commits.push((*intent, id));
        }
        let chain = self.scene.chain.iter();
        let built = |link: &ChainCommit| Some(Built { commit: link.id, intent: link.intent?, at: now });
        let commits = chain.filter_map(built).collect();
        self.scene.state.apply(&Record::Built { commits }, now);
        written
    }

    fn land(&mut self, to: CommitId) {
        let end = self.scene.chain.iter().position(|link| link.id == to).expect("it is on auto") + 1;
        for link in self.scene.chain.drain(..end).collect::<Vec<_>>() {
            let id = link.intent.expect("every commit is ours");
            let intent: Intent = self.scene.state.intents[&id].intent.clone();
            let n = (1..=self.made).find(|n| commit(*n) == link.id).expect("it was made");
            self.scene.land(n, &intent, self.intents[&id]);
            self.scene.landed.insert(id, link.id);
        }
        self.scene.state.stable_seen = Some(to);
    }

    /// CI is done with the tip, and says so.
    fn pass_tip(&mut self) {
        let Some(tip) = self.scene.chain.last().map(|link| link.id) else { return };
        let n = (1..=self.made).find(|n| commit(*n) == tip).expect("it was made");
        self.scene.check(n, CheckState::Success);
        self.take(Input::Look);
    }
}

#[test]
fn a_storm_of_announcements_is_few_pushes_and_loses_nothing() {
    let mut storm = Storm::new();
    let start = storm.scene.now;
    let after = |seconds: i64| start.after(Duration::from_secs(seconds.unsigned_abs()));
    storm.take(Input::Tick);
    for n in 1..=ANNOUNCEMENTS {
        let second = i64::from(n) * EVERY;
        storm.until(after(second));
        let call = storm.call(n);
        storm.take(call);
        if second % CI_EVERY < EVERY {
            storm.pass_tip();
        }
    }
    let end = i64::from(ANNOUNCEMENTS) * EVERY;
    storm.until(after(end + 60));
    storm.pass_tip();
    storm.until(after(end + 120));

    assert!(storm.calling.is_empty(), "everybody was answered");
    assert!(storm.told_to_repeat < usize::from(ANNOUNCEMENTS) / 4, "{} came back", storm.told_to_repeat);
    let pushes = &storm.pushes;
    for from in pushes {
        let minute = pushes.iter().filter(|at| *from <= **at && **at < from.after(Duration::from_mins(1)));
        assert!(minute.count() <= ADVISED as usize, "{pushes:?}");
    }
    assert!(pushes.len() > 20, "the pace is used: {pushes:?}");
    assert!(storm.scene.landed.len() > 1, "landings are pushes too");
    for n in 1..=ANNOUNCEMENTS {
        let answer = storm.answers.get(&n).unwrap_or_else(|| panic!("{n} was never answered"));
        let outcome = outcome(&Ok(answer.clone())).0;
        assert!(matches!(outcome, Outcome::Committed | Outcome::Queued), "{n}: {answer:?}");
        let id = introduce("app", "staging", n).id;
        assert!(storm.scene.state.knows(id), "{n} was promised and is not in state");
        let ended = storm.scene.state.end_of(id).is_some() || storm.scene.landed.contains_key(&id);
        assert!(ended, "{n} has no end: {:?}", storm.scene.state.intents.get(&id));
    }
    let last = introduce("app", "staging", ANNOUNCEMENTS).id;
    assert!(storm.scene.landed.contains_key(&last), "the newest is what stable has");
}
