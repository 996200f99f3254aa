//! The engine and a deploy tool that it asks: when, how often, and what becomes of the answers.
#![allow(clippy::unwrap_used, reason = "helpers of tests are not seen as tests by the lint")]

#[path = "../in_memory/mod.rs"]
mod in_memory;
mod scene;
mod told;

use std::sync::Arc;
use std::time::{Duration, Instant};

use cfgupdater::View;
use cfgupdater::core::{CommitId, DeploymentReport, Deployments, Error, ErrorKind, Mode, Pace, Place};
use cfgupdater_testkit::conformance::deployments::{Deployed, ToolTrouble};
use cfgupdater_testkit::memory::MemoryDeployments;

use scene::{Scene, chain, place};
use told::Told;

/// So seldom that a second question would come too late for any test.
const SELDOM: Duration = Duration::from_hours(1);

/// So often that a test needn't wait.
const OFTEN: Duration = Duration::from_millis(10);

#[tokio::test]
async fn a_lost_report_is_healed_by_one_question() {
    let scene = Scene::start(Pace::new(SELDOM, 60), &["one", "two"]);
    let told = in_memory::announce(&scene.repo, 1).await;
    for target in ["one", "two"] {
        scene.runs(target, told.commit.unwrap());
    }
    scene.introduce(1).await;
    scene.promoted().await;
    assert_eq!(scene.tool.asked(), [place("one"), place("two")]);
    assert_eq!(scene.repo.polls(), (2, 0));
    scene.engine.stop().await;
}

#[tokio::test]
async fn nobody_is_asked_while_nothing_waits() {
    let scene = Scene::start(Pace::new(OFTEN, 10_000), &["one", "two"]);
    scene.quiet().await;
    assert_eq!(scene.tool.questions(), 0, "nothing was introduced");
    let commit = scene.introduce(1).await;
    scene.until("questions", || scene.tool.questions() > 6).await;
    let state = scene.repo.view().snapshot.as_ref().unwrap().branches.state;
    let view = scene.quiet().await;
    assert_eq!(view.snapshot.as_ref().unwrap().branches.state, state, "what goes on is not recorded");
    for target in ["one", "two"] {
        scene.runs(target, commit);
    }
    scene.promoted().await;
    // Nothing comes after production, so nothing waits for its targets, and for no other either.
    scene.quiet().await;
    let asked = scene.tool.asked();
    scene.quiet().await;
    assert_eq!(scene.tool.questions(), asked.len());
    assert!(asked.iter().all(|(wave, _)| wave.as_str() == "staging"), "{asked:?}");
    scene.engine.stop().await;
}

#[tokio::test]
async fn an_answer_that_is_known_costs_no_call() {
    let scene = Scene::start(Pace::new(OFTEN, 10_000), &["one", "two"]);
    let commit = scene.introduce(1).await;
    scene.runs("one", commit);
    let heard = |view: &View| !view.snapshot.as_ref().unwrap().state.targets.is_empty();
    in_memory::wait_for(&scene.repo, "the answer's record", heard).await;
    let calls = scene.quiet().await.counters.calls;
    let asked = scene.tool.questions();
    scene.until("more questions", || scene.tool.questions() > asked + 6).await;
    assert_eq!(scene.quiet().await.counters.calls, calls);
    scene.engine.stop().await;
}

#[tokio::test]
async fn whoever_only_observes_asks_nobody() {
    let scene = Scene::start(Pace::new(OFTEN, 10_000), &["one"]);
    scene.introduce(1).await;
    scene.until("questions", || scene.tool.questions() > 2).await;
    let scene = scene.restart(Mode::Observe).await;
    let asked = scene.tool.questions();
    scene.quiet().await;
    assert_eq!(scene.tool.questions(), asked);
    scene.engine.stop().await;
}

#[tokio::test]
async fn the_budget_holds_and_a_word_that_was_sent_needs_none() {
    let began = Instant::now();
    let scene = Scene::start(Pace::new(OFTEN, 2), &["one", "two", "three"]);
    let commit = scene.introduce(1).await;
    for target in ["one", "three", "two"] {
        scene.runs(target, commit);
    }
    scene.until("two questions", || scene.tool.questions() >= 2).await;
    scene.quiet().await;
    let asked = scene.tool.asked();
    let minutes = usize::try_from(began.elapsed().as_secs() / 60).unwrap() + 1;
    assert!(asked.len() <= 2 * minutes, "{asked:?}");
    assert_ne!(asked[0], asked[1], "everybody gets a turn");
    for target in ["one", "two", "three"] {
        scene.push(target, commit).await;
    }
    scene.promoted().await;
    scene.engine.stop().await;
}

#[tokio::test]
async fn an_answer_moves_a_target_back_and_a_word_that_was_sent_does_not() {
    let scene = Scene::start(Pace::new(OFTEN, 10_000), &["one", "two"]);
    let older = scene.introduce(1).await;
    let newer = scene.introduce(2).await;
    // An early word: it never came to run.
    assert!(scene.push("one", newer).await.recorded);
    assert!(!scene.push("one", older).await.recorded);
    let reported = |view: &View| {
        let (wave, target) = place("one");
        let known = view.snapshot.as_ref()?.state.targets.get(&(wave, target, "app".parse().unwrap()))?;
        Some((known.newest.introduction, known.newest.revoked.clone()))
    };
    assert_eq!(reported(&*scene.repo.settled_view().await), Some((newer, vec![])));
    scene.runs("one", older);
    let back = |view: &View| reported(view) == Some((older, vec![newer]));
    in_memory::wait_for(&scene.repo, "the target's step back", back).await;
    assert!(scene.push("two", newer).await.promoted.is_empty(), "one doesn't run it");
    assert_eq!(chain(&*scene.quiet().await), []);
    scene.runs("one", newer);
    scene.promoted().await;
    scene.engine.stop().await;
}

#[tokio::test]
async fn an_outage_is_told_once_and_tried_again_with_growing_pauses() {
    let told = Told::listen();
    let scene = Scene::start(Pace::new(OFTEN, 10_000), &["one"]);
    scene.tool.set_trouble(ToolTrouble::Away);
    let (began, failed) = (Instant::now(), || scene.repo.polls().1);
    let commit = scene.introduce(1).await;
    scene.until("some failures", || failed() >= 4).await;
    // After each failure the pause doubles, from twice the interval on. Instants are told in whole milliseconds.
    assert!(began.elapsed() + Duration::from_millis(5) >= OFTEN * (2 + 4 + 8), "{began:?}");
    let said = told.with("can't ask");
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("the tool is away") && said[0].contains("target=one"), "{said:?}");
    // Another reason is told, too, and the first one again once it comes back.
    for (trouble, text) in [(ToolTrouble::LoginRevoked, "log in again"), (ToolTrouble::Away, "is away")] {
        let before = told.with(text).len();
        scene.tool.set_trouble(trouble);
        scene.until("another word", || told.with(text).len() == before + 1).await;
    }
    scene.tool.set_trouble(ToolTrouble::None);
    scene.runs("one", commit);
    scene.promoted().await;
    scene.engine.stop().await;
}

#[tokio::test]
async fn a_tool_that_asks_for_a_pause_gets_it_for_all_targets() {
    let scene = Scene::start(Pace::new(OFTEN, 10_000), &["one", "two", "three"]);
    scene.tool.set_trouble(ToolTrouble::Limits(SELDOM));
    scene.introduce(1).await;
    scene.until("a failure", || scene.repo.polls().1 > 0).await;
    scene.introduce(2).await;
    scene.quiet().await;
    assert_eq!(scene.tool.asked(), [place("one")]);
    scene.engine.stop().await;
}

/// Two senders of each place, the first of which can't be read.
#[derive(Debug)]
struct Half(MemoryDeployments);

#[async_trait::async_trait]
impl Deployments for Half {
    fn name(&self) -> &'static str {
        "half"
    }

    fn pace(&self) -> Pace {
        self.0.pace()
    }

    fn requests(&self, place: &Place) -> u32 {
        self.0.requests(place) * 2
    }

    async fn ask(&self, place: &Place) -> Vec<Result<DeploymentReport, Error>> {
        let mut told = self.0.ask(place).await;
        told.insert(0, Err(Error::new(ErrorKind::NotFound, "db can't be found")));
        told
    }
}

#[tokio::test]
async fn what_one_sender_can_not_tell_holds_up_no_other() {
    let told = Told::listen();
    let tool = MemoryDeployments::new(Pace::new(OFTEN, 10_000));
    let scene = Scene::with(tool.clone(), Arc::new(Half(tool)), &["one"]);
    let stranger: CommitId = "ee".repeat(20).parse().unwrap();
    scene.tool.deploy(&place("one"), Deployed::UnderWay(stranger));
    let commit = scene.introduce(1).await;
    scene.runs("one", commit);
    scene.promoted().await;
    assert_eq!(told.with("db can't be found").len(), 1);
    assert!(scene.repo.polls().1 > 0);
    scene.engine.stop().await;
}
