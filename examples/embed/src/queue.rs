//! What messages mean, and what is answered.

use cfgupdater::RepoHandle;
use cfgupdater::core::{
    Announcement, Answer, AppSha, CheckState, CommitId, ForgeAction, ImageMap, RefusalKind, Request, Retry,
};
use serde::Deserialize;
use serde_json::{Value, json};

/// A message of the queue.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Message {
    /// An application's CI has built a set of images.
    Announce { app_sha: AppSha, images: ImageMap },
    /// Somebody has tested a commit of the configuration.
    Check { commit: CommitId, context: String, passed: bool },
}

/// Does what a message says, and tells what became of it. `again` is whether the same message may succeed later, so
/// that it belongs back into the queue.
pub async fn answer(repo: &RepoHandle, message: &str) -> Value {
    match serde_json::from_str(message) {
        Ok(Message::Announce { app_sha, images }) => announce(repo, app_sha, images).await,
        Ok(Message::Check { commit, context, passed }) => report(repo, commit, context, passed).await,
        Err(error) => json!({"refused": format!("not a message: {error}"), "again": false}),
    }
}

async fn announce(repo: &RepoHandle, app_sha: AppSha, images: ImageMap) -> Value {
    let set = "app".parse().expect("a constant name");
    let announcement = Announcement { set, app_sha, sequence: None, attempt: 1, images };
    match repo.call("queue", Request::Announce(announcement)).await {
        Ok(Answer::Announced(told)) => json!(told),
        Ok(_) => unreachable!("an announcement is answered as one"),
        Err(refusal) => {
            json!({"refused": refusal.to_string(), "again": refusal.kind == RefusalKind::Unavailable})
        }
    }
}

async fn report(repo: &RepoHandle, commit: CommitId, context: String, passed: bool) -> Value {
    let state = if passed { CheckState::Success } else { CheckState::Failure };
    let source = "queue".to_owned();
    let report = ForgeAction::ReportCheck { commit, context, state, source, link: None, summary: None };
    match repo.perform(report).await {
        Ok(_) => json!({"reported": commit}),
        Err(error) => json!({"refused": error.to_string(), "again": error.retry() != Retry::Never}),
    }
}

// [tests]
#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use cfgupdater::core::{Error, ErrorKind, ForgeAnswer, Policy, SetPolicy, TargetPolicy, WavePolicy};
    use cfgupdater::{Backends, Engine};
    use cfgupdater_testkit::mocks::{MockForge, MockGitRemote, MockGitRepo};

    use super::*;

    const CHECK: &str =
        r#"{"check":{"commit":"cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd","context":"ci","passed":false}}"#;

    /// Starts an engine whose remote is away.
    fn start(engine: &mut Engine, forge: MockForge) -> RepoHandle {
        let mut remote = MockGitRemote::new();
        remote.expect_fetch().returning(|_, _| Err(Error::new(ErrorKind::Unavailable, "the remote is away")));
        remote.expect_push().never();
        let wave =
            WavePolicy::new("staging".parse().unwrap(), vec![TargetPolicy::new("one".parse().unwrap())]);
        let sets = vec![SetPolicy::new("app".parse().unwrap())];
        let policy = Policy::new("master".parse().unwrap(), sets, vec![wave]);
        let backends = Backends::new(Arc::new(MockGitRepo::new()), Arc::new(remote), Arc::new(forge));
        engine.start("cfg-app".parse().unwrap(), policy, backends).unwrap()
    }

    #[tokio::test]
    async fn what_is_no_message_is_refused_for_good() {
        let mut engine = Engine::new();
        let repo = start(&mut engine, MockForge::new());
        for text in ["", "{}", r#"{"announce":{}}"#, r#"{"announce":{"app_sha":"x","images":{}}}"#] {
            let answer = answer(&repo, text).await;
            assert_eq!(answer["again"], false, "{answer}");
        }
        engine.stop().await;
    }

    #[tokio::test]
    async fn an_announcement_that_cannot_be_kept_belongs_back_into_the_queue() {
        let mut engine = Engine::new();
        let repo = start(&mut engine, MockForge::new());
        let message = format!(r#"{{"announce":{{"app_sha":"{}","images":{{}}}}}}"#, "ab".repeat(20));
        let waiting = tokio::spawn({
            let repo = repo.clone();
            async move { answer(&repo, &message).await }
        });
        repo.wait_for(Duration::from_secs(30), |view| view.counters.failed_observations > 1).await;
        engine.stop().await;
        let answer = waiting.await.unwrap();
        assert_eq!(answer["again"], true, "{answer}");
    }

    #[tokio::test]
    async fn a_check_is_passed_on_once() {
        let mut forge = MockForge::new();
        let is_ours = |action: &ForgeAction| {
            matches!(action, ForgeAction::ReportCheck { context, state: CheckState::Failure, source, .. }
                if context == "ci" && source == "queue")
        };
        forge.expect_perform().withf(is_ours).times(1).returning(|_| Ok(ForgeAnswer::Done));
        let mut engine = Engine::new();
        let repo = start(&mut engine, forge);
        let answer = answer(&repo, CHECK).await;
        assert_eq!(answer["reported"], "cd".repeat(20), "{answer}");
        engine.stop().await;
    }

    #[tokio::test]
    async fn a_check_that_the_forge_does_not_take_is_refused_as_the_forge_says() {
        for (kind, again) in [(ErrorKind::Unsupported, false), (ErrorKind::Unavailable, true)] {
            let mut forge = MockForge::new();
            forge.expect_perform().returning(move |_| Err(Error::new(kind, "not now")));
            let mut engine = Engine::new();
            let repo = start(&mut engine, forge);
            assert_eq!(answer(&repo, CHECK).await, json!({"refused": "not now", "again": again}));
            engine.stop().await;
        }
    }
}
// [/tests]
