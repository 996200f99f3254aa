//! From what GitLab has of one commit to the attempts that a verdict is made of. Pure.
//!
//! The newest pipeline of `auto` or of the probe branch speaks for the commit, with all its child pipelines. Jobs and
//! external statuses stand beside it under names of their own, and never replace each other.

mod outcome;

use std::collections::{BTreeMap, BTreeSet};

use cfgupdater_core::{CheckRun, CheckState};
use cfgupdater_forge_http::{summary, time};
use serde::Deserialize;

use crate::states::state_of_job;
use outcome::{DEPTH, latest, of_pipeline};

/// The name of the check that the pipeline itself is.
pub const PIPELINE: &str = "pipeline";

/// Who reports pipelines and jobs. A user of this name is written with an `@`.
pub const SOURCE: &str = "gitlab-ci";

/// How pipelines come to be that run what the repository says. Others hold what somebody reports, or are made for a merge
/// request, by another pipeline, or by a scanner with a configuration of its own.
///
/// Source: <https://docs.gitlab.com/ci/jobs/job_rules/#ci_pipeline_source-predefined-variable>.
const OWN: [&str; 7] = ["push", "web", "api", "trigger", "schedule", "pipeline", "chat"];

/// A pipeline as lists show it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Pipeline {
    pub(crate) id: u64,
    pub(crate) sha: String,
    #[serde(rename = "ref")]
    pub(crate) branch: Option<String>,
    pub(crate) status: String,
    pub(crate) source: Option<String>,
    pub(crate) project_id: Option<u64>,
    web_url: Option<String>,
    updated_at: Option<String>,
}

/// A job, or a bridge to another pipeline.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Job {
    pub(crate) id: u64,
    pub(crate) name: String,
    status: String,
    #[serde(default)]
    allow_failure: bool,
    web_url: Option<String>,
    created_at: Option<String>,
    finished_at: Option<String>,
    failure_reason: Option<String>,
    /// Whether its pipeline is a tag's.
    #[serde(default)]
    tag: bool,
    /// Where a bridge leads, once it was crossed.
    pub(crate) downstream_pipeline: Option<Pipeline>,
}

/// A status: one that somebody posted, or a job's or a bridge's, which are listed along.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Status {
    pub(crate) id: u64,
    pub(crate) sha: String,
    name: String,
    #[serde(rename = "status")]
    word: String,
    #[serde(default)]
    allow_failure: bool,
    author: Option<Author>,
    pipeline_id: Option<u64>,
    target_url: Option<String>,
    description: Option<String>,
    created_at: Option<String>,
    finished_at: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
struct Author {
    username: String,
}

/// What is inside a pipeline.
#[derive(Debug, Clone, Default)]
pub(crate) struct Inside {
    /// Every attempt of every job.
    pub(crate) jobs: Vec<Job>,
    /// Every attempt of every bridge.
    pub(crate) bridges: Vec<Job>,
}

/// Everything that GitLab has of one commit.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reading {
    pub(crate) statuses: Vec<Status>,
    /// All pipelines but children.
    pub(crate) pipelines: Vec<Pipeline>,
    /// Child pipelines, also those of bridges that were tried again since.
    pub(crate) children: Vec<Pipeline>,
    /// By the pipeline's number.
    pub(crate) inside: BTreeMap<u64, Inside>,
}

/// The branches whose pipelines speak.
#[derive(Debug, Clone)]
pub(crate) struct Branches {
    /// Where commits are tested.
    pub(crate) tested: Vec<String>,
    /// Where people push: its pipeline speaks for what was never tested elsewhere.
    pub(crate) stable: Option<String>,
}

impl Pipeline {
    /// Tells whether it runs what the repository says. A source that isn't told or isn't known is none of these.
    fn is_own(&self) -> bool {
        self.source.as_deref().is_some_and(|source| OWN.contains(&source))
    }

    /// Tells whether it runs jobs at all.
    pub(crate) fn has_jobs(&self) -> bool {
        self.source.as_deref() != Some("external")
    }
}

impl Job {
    fn state(&self) -> CheckState {
        state_of_job(&self.status, self.failure_reason.as_deref(), self.allow_failure)
    }

    /// Returns the child pipeline that a bridge leads to, in the same project.
    pub(crate) fn child(&self, of: &Pipeline) -> Option<&Pipeline> {
        let down = self.downstream_pipeline.as_ref()?;
        let same = down.project_id.is_none() || of.project_id.is_none() || down.project_id == of.project_id;
        Some(down).filter(|down| same && down.sha == of.sha)
    }
}

impl Status {
    /// Whatever the reason is that GitLab keeps of it, somebody said so.
    fn state(&self) -> CheckState {
        state_of_job(&self.word, None, self.allow_failure)
    }
}

impl Inside {
    /// Tells whether this is inside a tag's pipeline, which is listed as if the tag were a branch.
    fn is_of_tag(&self) -> bool {
        self.jobs.iter().chain(&self.bridges).any(|job| job.tag)
    }

    fn latest_bridges(&self) -> impl Iterator<Item = &Job> {
        latest(&self.bridges)
    }
}

/// Makes the attempts of a commit.
pub(crate) fn runs(reading: &Reading, branches: &Branches, with_pipeline: bool) -> Vec<CheckRun> {
    let own = own(reading, branches);
    let mut runs = Vec::new();
    let newest = own.iter().max_by_key(|pipeline| pipeline.id).filter(|_| with_pipeline);
    runs.extend(newest.map(|pipeline| of_pipeline(pipeline, reading)));
    for pipeline in &own {
        of_jobs(pipeline, "job", reading, DEPTH, &mut runs);
    }
    runs.extend(posted(reading).map(of_status));
    runs
}

/// Picks the pipelines that speak: those of the branches where commits are tested; where there is none, the stable
/// branch's.
fn own<'a>(reading: &'a Reading, branches: &Branches) -> Vec<&'a Pipeline> {
    let of_tag = |pipeline: &Pipeline| reading.inside.get(&pipeline.id).is_some_and(Inside::is_of_tag);
    let of = |wanted: &dyn Fn(&str) -> bool| -> Vec<&'a Pipeline> {
        let fits = |pipeline: &&Pipeline| pipeline.is_own() && pipeline.branch.as_deref().is_some_and(wanted);
        reading.pipelines.iter().filter(fits).filter(|pipeline| !of_tag(pipeline)).collect()
    };
    let tested = of(&|name| branches.tested.iter().any(|tested| tested == name));
    if tested.is_empty() { of(&|name| branches.stable.as_deref() == Some(name)) } else { tested }
}

/// Adds the jobs of a pipeline, and those of its children, which don't replace one of the same name elsewhere.
fn of_jobs(pipeline: &Pipeline, series: &str, reading: &Reading, depth: usize, runs: &mut Vec<CheckRun>) {
    let Some(inside) = reading.inside.get(&pipeline.id).filter(|_| depth > 0) else { return };
    runs.extend(inside.jobs.iter().chain(&inside.bridges).map(|job| of_job(job, series)));
    for bridge in inside.latest_bridges() {
        if let Some(child) = bridge.child(pipeline) {
            of_jobs(child, &format!("{series}/{}", bridge.name), reading, depth - 1, runs);
        }
    }
}

fn of_job(job: &Job, series: &str) -> CheckRun {
    let mut run = CheckRun::new(&job.name, job.id, job.state());
    series.clone_into(&mut run.series);
    run.source = Some(SOURCE.to_owned());
    run.at = job.finished_at.as_deref().or(job.created_at.as_deref()).and_then(time);
    run.link = job.web_url.clone().filter(|link| !link.is_empty());
    run.summary = job.failure_reason.as_deref().and_then(summary);
    run
}

/// What one says doesn't replace what another says: anybody who may push may post a status of any name.
fn of_status(status: &Status) -> CheckRun {
    let mut run = CheckRun::new(&status.name, status.id, status.state());
    let source = status.author.as_ref().map(|author| person(&author.username));
    run.series = format!("status/{}", source.as_deref().unwrap_or_default());
    run.source = source;
    run.at = status.finished_at.as_deref().or(status.created_at.as_deref()).and_then(time);
    run.link = status.target_url.clone().filter(|link| !link.is_empty());
    run.summary = status.description.as_deref().and_then(summary);
    run
}

/// Somebody may call himself as we call GitLab itself, and is not it.
fn person(username: &str) -> String {
    if username == SOURCE { format!("@{username}") } else { username.to_owned() }
}

/// Picks what somebody posted: the list of statuses shows jobs and bridges too.
fn posted(reading: &Reading) -> impl Iterator<Item = &Status> {
    let inside: BTreeSet<u64> = reading
        .inside
        .values()
        .flat_map(|inside| inside.jobs.iter().chain(&inside.bridges))
        .map(|job| job.id)
        .collect();
    reading.statuses.iter().filter(move |status| !inside.contains(&status.id))
}

#[cfg(test)]
mod tests;
