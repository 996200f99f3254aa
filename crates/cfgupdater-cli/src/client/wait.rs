//! [`Waiting`]: waits until an intent has landed, or a wave has its release.

use std::time::Duration;

use cfgupdater_core::{AppSha, IntentId, Record, SetName, WaveName};
use cfgupdater_server::api::IntentView;
use serde_json::Value;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::Api;
use super::api::{self, Logged};
use super::trail::Trail;
use super::until::{self, Successors, Until};
use crate::exit::{Exit, Failure};
use crate::{output, span, text};

/// How long one long poll may last.
const LONG_POLL: Duration = Duration::from_secs(30);

/// The pause between two looks at what has no long poll.
const PAUSE: Duration = Duration::from_secs(2);

/// How long the reason for a time-out may take to find out.
const LAST_WORD: Duration = Duration::from_secs(5);

/// Waits for something until a deadline.
pub(crate) struct Waiting<'a> {
    api: &'a Api,
    timeout: Duration,
    deadline: Instant,
}

/// What was waited for is there.
#[derive(Debug)]
pub(crate) struct Reached {
    /// What is there, as a sentence.
    pub(crate) sentence: String,
    /// The service's last answer.
    pub(crate) raw: Value,
}

impl<'a> Waiting<'a> {
    /// Begins to wait now.
    pub(crate) fn new(api: &'a Api, timeout: Duration) -> Self {
        // A time-out of centuries means for ever, which a year is, too.
        let timeout = timeout.min(Duration::from_hours(24 * 365));
        Self { api, timeout, deadline: Instant::now() + timeout }
    }

    /// Waits for the goal of an intent.
    pub(crate) async fn reach(&self, id: &str, until: &Until) -> Result<Reached, Failure> {
        self.in_time(&format!("intent {}", text::short(id)), async {
            let (intent, reached) = self.landed(id).await?;
            match until {
                Until::Landed => Ok(reached),
                Until::Wave(wave) => {
                    output::note(&reached.sentence);
                    self.in_wave(wave, &intent).await
                }
            }
        })
        .await
    }

    /// Waits for an announcement, unless it came already, and returns its intent's id: the newest one of an
    /// application's commit, or of any.
    pub(crate) async fn announced(
        &self,
        app_sha: Option<AppSha>,
        set: Option<&SetName>,
    ) -> Result<String, Failure> {
        let what = app_sha.map_or_else(
            || "an announcement".to_owned(),
            |app_sha| format!("an announcement of {}", app_sha.short(10)),
        );
        self.in_time(&what, async {
            let mut trail = Trail::new(self.api);
            loop {
                let found = |item: &Logged| introduces(item, app_sha, set).is_some();
                trail.read_on(found).await?;
                if let Some(id) = trail.items().iter().find_map(|item| introduces(item, app_sha, set)) {
                    return Ok(id.to_string());
                }
                sleep(PAUSE).await;
            }
        })
        .await
    }

    async fn landed(&self, id: &str) -> Result<(IntentView, Reached), Failure> {
        let mut seen = None;
        loop {
            let answer = self.api.intent(id, Some(LONG_POLL)).await?;
            if let Some(end) = api::end_of(&answer.said) {
                let sentence = until::landed(id, &end)?;
                return Ok((answer.said, Reached { sentence, raw: answer.raw }));
            }
            let now = (answer.said.state.clone(), answer.said.commit.clone());
            if seen.as_ref() != Some(&now) {
                output::note(&text::intent(&answer.said));
                seen = Some(now);
            }
        }
    }

    async fn in_wave(&self, wave: &WaveName, intent: &IntentView) -> Result<Reached, Failure> {
        if intent.release.is_none() {
            let id = text::short(&intent.id);
            return Err(Failure::failed(format!("intent {id} is so old that its release is no longer kept")));
        }
        let mut trail = Trail::new(self.api);
        loop {
            let status = self.api.status().await?;
            let has = until::wave_set(wave, intent, &status.said)?;
            trail.read_on(|item| accepts(item, &intent.id)).await?;
            let successors = Successors::of(intent, trail.items());
            if let Some(judged) = until::in_wave(wave, intent, has, &successors) {
                return judged.map(|sentence| Reached { sentence, raw: status.raw });
            }
            sleep(PAUSE).await;
        }
    }

    async fn in_time<T>(
        &self,
        what: &str,
        goal: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        match timeout_at(self.deadline, goal).await {
            Ok(reached) => reached,
            Err(_) => Err(self.too_late(what).await),
        }
    }

    async fn too_late(&self, what: &str) -> Failure {
        let mut message = format!("{what} was waited for in vain for {}", span::show(self.timeout));
        if let Ok(Ok(status)) = timeout(LAST_WORD, self.api.status()).await {
            message.push('\n');
            message.push_str(&text::why(&status.said.why));
        }
        Failure::new(Exit::TimedOut, message)
    }
}

fn introduces(item: &Logged, app_sha: Option<AppSha>, set: Option<&SetName>) -> Option<IntentId> {
    let Record::Accepted { intent } = &item.record else { return None };
    let ours = app_sha.is_none() || intent.app_sha() == app_sha;
    let introduced = intent.action.kind() == "introduce" && ours;
    (introduced && set.is_none_or(|set| intent.set == *set)).then_some(intent.id)
}

fn accepts(item: &Logged, id: &str) -> bool {
    matches!(&item.record, Record::Accepted { intent } if intent.id.to_string() == id)
}
