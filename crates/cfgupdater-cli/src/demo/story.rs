//! [`Story`]: what happens, in order, and what is waited for.

use std::time::Duration;

use cfgupdater_core::AppSha;
use cfgupdater_server::api::{RepoStatus, Target};
use tokio::time::{Instant, sleep};

use super::builds::{Build, DENIED};
use super::narrator::Narrator;
use super::place::{Place, Role};
use super::trail::Trail;
use crate::client::{Announcement, Api};
use crate::exit::Failure;

/// How long any part of the story may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// How often the service is asked what happened.
const POLL: Duration = Duration::from_millis(50);

/// Tells the story on one running service.
pub(super) struct Story<'a> {
    place: &'a Place,
    ci: Api,
    you: Api,
    narrator: Narrator,
    trail: Trail<'a>,
}

impl<'a> Story<'a> {
    /// Prepares the story.
    pub(super) fn new(place: &'a Place, url: &str, narrator: Narrator) -> Result<Self, Failure> {
        let (ci, you) = (place.api(url, Role::Ci)?, place.api(url, Role::You)?);
        let trail = Trail::new(place, you.clone(), narrator.clone());
        Ok(Self { place, ci, you, narrator, trail })
    }

    /// Tells it.
    pub(super) async fn tell(mut self) -> Result<(), Failure> {
        self.narrator.chapter("A release goes from its announcement to production");
        let first = self.announce(Build { number: 1 }).await?;
        self.trail.tell().await?;
        self.runs_everywhere(&first).await?;
        self.narrator.chapter("A release that fails its check is evicted; the next one, on top of it, lands");
        // The third comes while the second is on its way, so that both are on auto, one on top of the other.
        let soon_after = async {
            sleep(POLL).await;
            self.announce(Build { number: 3 }).await
        };
        let (denied, third) = tokio::try_join!(self.announce(DENIED), soon_after)?;
        self.trail.tell().await?;
        let commit = self.place.person_pushes().await?;
        self.narrator.say("person", None, &format!("pushes {} to master meanwhile", &commit[..10]));
        self.evicted(&denied).await?;
        self.runs_everywhere(&third).await
    }

    /// Announces a build and returns its intent.
    async fn announce(&self, build: Build) -> Result<String, Failure> {
        let wrong = |error| Failure::failed(format!("the build can't be announced: {error}"));
        let app_sha: AppSha = build.app_sha().parse().map_err(wrong)?;
        let rest = format!("CI announces build {} of the shop, commit {}", build.number, app_sha.short(10));
        self.narrator.say("announce", None, &rest);
        let (set, sequence, attempt, dry_run) = (None, None, None, false);
        let said = Announcement { app_sha, set, sequence, attempt, dry_run, images: build.images() };
        Ok(self.ci.announce(said).await?.said.intent)
    }

    /// Waits until every target of every wave runs an intent's release.
    async fn runs_everywhere(&mut self, intent: &str) -> Result<(), Failure> {
        let release = self.you.intent(intent, None).await?.said.release.unwrap_or_default();
        let deadline = Instant::now() + PATIENCE;
        while !everywhere(&self.you.status().await?.said, &release) {
            self.go_on_until(deadline, "the release to run everywhere").await?;
        }
        self.trail.tell().await?;
        self.narrator.say("done", None, "every target of every wave runs it");
        Ok(())
    }

    /// Waits for the eviction of an intent, and tells where its evidence is.
    async fn evicted(&mut self, intent: &str) -> Result<(), Failure> {
        let deadline = Instant::now() + PATIENCE;
        let end = loop {
            if let Some(end) = self.you.intent(intent, None).await?.said.end {
                break end;
            }
            self.go_on_until(deadline, "the eviction").await?;
        };
        self.trail.tell().await?;
        if let Some(link) = end["evidence"]["link"].as_str() {
            self.narrator.say("evidence", None, link);
        }
        Ok(())
    }

    async fn go_on_until(&mut self, deadline: Instant, what: &str) -> Result<(), Failure> {
        if Instant::now() > deadline {
            let place = self.place.directory().display();
            let message = format!("{what} was waited for in vain; see service.log in {place}");
            return Err(Failure::failed(message));
        }
        self.trail.tell().await?;
        sleep(POLL).await;
        Ok(())
    }
}

/// Tells whether every target of every wave runs a release.
fn everywhere(status: &RepoStatus, release: &str) -> bool {
    let runs = |target: &Target| {
        target.reports.iter().any(|report| report.release == release && report.status == "succeeded")
    };
    status.waves.iter().all(|wave| {
        let has = wave.sets.iter().all(|set| set.release.as_deref() == Some(release));
        has && wave.targets.iter().all(runs)
    })
}
