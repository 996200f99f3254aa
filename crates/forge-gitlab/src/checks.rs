//! Reading everything that GitLab has of a commit.

use cfgupdater_core::{CheckRun, CommitId, Error, ErrorKind};
use cfgupdater_forge_http::Trouble;
use gitlab::api::projects::pipelines::{PipelineJobs, PipelineSource, Pipelines};
use gitlab::api::projects::repository::commits::CommitStatuses;

use crate::bridges::Bridges;
use crate::client::Client;
use crate::pipelines::{Branches, Inside, Job, Pipeline, Reading, Status, runs};
use crate::project::{incomplete, name};
use crate::settings::GitlabSettings;

/// Reads a commit's attempts.
pub(crate) async fn read(
    client: &Client,
    settings: &GitlabSettings,
    branches: &Branches,
    commit: CommitId,
) -> Result<Vec<CheckRun>, Error> {
    let sha = commit.to_string();
    let read = everything(&Source { client, settings, sha: &sha }).await?;
    Ok(read.map(|reading| runs(&reading, branches, settings.pipeline)).unwrap_or_default())
}

/// One commit of one project.
struct Source<'a> {
    client: &'a Client,
    settings: &'a GitlabSettings,
    sha: &'a str,
}

/// Reads from the outside to the inside: whatever a list of statuses shows of a pipeline is there when the pipeline is
/// read. `None` where GitLab doesn't know the commit yet.
async fn everything(source: &Source<'_>) -> Result<Option<Reading>, Error> {
    let Some(statuses) = known(source.statuses().await)? else { return Ok(None) };
    let mut reading = Reading { statuses, pipelines: source.pipelines(None).await?, ..Reading::default() };
    let with_jobs: Vec<u64> =
        reading.pipelines.iter().filter(|pipeline| pipeline.has_jobs()).map(|pipeline| pipeline.id).collect();
    for id in with_jobs {
        reading.inside.insert(id, source.inside(id).await?);
    }
    if reading.inside.values().any(|inside| !inside.bridges.is_empty()) {
        reading.children = source.pipelines(Some(PipelineSource::ParentPipeline)).await?;
        for child in &reading.children {
            reading.inside.insert(child.id, source.inside(child.id).await?);
        }
    }
    Ok(Some(reading))
}

impl Source<'_> {
    /// Reads all statuses, also those that were replaced.
    async fn statuses(&self) -> Result<Vec<Status>, Trouble> {
        let endpoint = CommitStatuses::builder()
            .project(name(&self.settings.project))
            .commit(self.sha)
            .all(true)
            .build()
            .map_err(incomplete)?;
        let what = format!("reading the statuses of {}", self.sha);
        let read = self.client.list(&what, &endpoint, |status: &Status| status.id).await?;
        self.same(&what, read.iter().map(|status| status.sha.as_str()))?;
        Ok(read)
    }

    /// Reads the pipelines of the commit, of which GitLab shows children only where they are asked for.
    async fn pipelines(&self, source: Option<PipelineSource>) -> Result<Vec<Pipeline>, Error> {
        let mut endpoint = Pipelines::builder();
        endpoint.project(name(&self.settings.project)).sha(self.sha);
        if let Some(source) = source {
            endpoint.source(source);
        }
        let endpoint = endpoint.build().map_err(incomplete)?;
        let what = format!("reading the pipelines of {}", self.sha);
        let read = self.client.list(&what, &endpoint, |pipeline: &Pipeline| pipeline.id).await?;
        self.same(&what, read.iter().map(|pipeline| pipeline.sha.as_str()))?;
        Ok(read)
    }

    async fn inside(&self, pipeline: u64) -> Result<Inside, Error> {
        let project = &self.settings.project;
        let jobs = PipelineJobs::builder()
            .project(name(project))
            .pipeline(pipeline)
            .include_retried(true)
            .build()
            .map_err(incomplete)?;
        let bridges = Bridges { project, pipeline };
        let key = |job: &Job| job.id;
        let jobs = self.client.list(&format!("reading the jobs of pipeline {pipeline}"), &jobs, key).await?;
        let what = format!("reading the bridges of pipeline {pipeline}");
        Ok(Inside { jobs, bridges: self.client.list(&what, &bridges, key).await? })
    }

    /// Makes sure that all of a list is about this commit.
    fn same<'s>(&self, what: &str, mut shas: impl Iterator<Item = &'s str>) -> Result<(), Error> {
        let Some(stranger) = shas.find(|sha| *sha != self.sha) else { return Ok(()) };
        let message =
            format!("{what}: GitLab answered with one of {}; it is read again", stranger.escape_debug());
        Err(Error::new(ErrorKind::Unavailable, message))
    }
}

/// Tells apart a commit that the API doesn't know yet, which has no checks, from everything else that goes wrong.
fn known<T>(read: Result<T, Trouble>) -> Result<Option<T>, Error> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(trouble) if trouble.status == Some(404) && trouble.body.contains("Commit Not Found") => Ok(None),
        Err(trouble) => Err(trouble.into()),
    }
}
