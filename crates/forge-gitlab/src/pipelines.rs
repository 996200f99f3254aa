//! From what GitLab has of one commit to the attempts that a verdict is made of. Pure.
//!
//! The newest pipeline of `auto` or of the probe branch speaks for the commit, with all its child pipelines. Jobs and
//! external statuses stand beside it under names of their own, and never replace each other.

use std::collections::{BTreeMap, BTreeSet};

use cfgupdater_core::{CheckRun, CheckState, Timestamp};
use cfgupdater_forge_http::summary;
use serde::Deserialize;

use crate::states::{state, state_of_job, worst};

/// The name of the check that the pipeline itself is.
pub const PIPELINE: &str = "pipeline";

/// Who reports pipelines and jobs. A user of this name is written with an `@`.
pub const SOURCE: &str = "gitlab-ci";

/// How deep child pipelines are followed; GitLab allows two levels.
const DEPTH: usize = 4;

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
    state: String,
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
    /// Tells whether it runs what the repository says for a push: neither what others reported, nor a merge request's.
    pub(crate) fn is_own(&self) -> bool {
        let foreign = ["external", "external_pull_request_event", "merge_request_event", "parent_pipeline"];
        !self.source.as_deref().is_some_and(|source| foreign.contains(&source))
    }

    /// Tells whether it runs jobs at all.
    pub(crate) fn has_jobs(&self) -> bool {
        self.source.as_deref() != Some("external")
    }
}

impl Job {
    fn state(&self) -> CheckState {
        state_of_job(&self.status, self.allow_failure)
    }

    /// Returns the child pipeline that a bridge leads to, in the same project.
    pub(crate) fn child(&self, of: &Pipeline) -> Option<&Pipeline> {
        let down = self.downstream_pipeline.as_ref()?;
        let same = down.project_id.is_none() || of.project_id.is_none() || down.project_id == of.project_id;
        Some(down).filter(|down| same && down.sha == of.sha)
    }
}

/// Makes the attempts of a commit.
pub(crate) fn runs(reading: &Reading, branches: &Branches, with_pipeline: bool) -> Vec<CheckRun> {
    let own = own(&reading.pipelines, branches);
    let mut runs = Vec::new();
    let newest = own.iter().max_by_key(|pipeline| pipeline.id).filter(|_| with_pipeline);
    runs.extend(newest.map(|pipeline| of_pipeline(pipeline, reading)));
    for pipeline in &own {
        of_jobs(pipeline, "job", reading, DEPTH, &mut runs);
    }
    let inside = ids_inside(reading);
    let external = reading.statuses.iter().filter(|status| !inside.contains(&status.id));
    runs.extend(external.filter(|status| !is_retried_bridge(status, reading)).map(of_status));
    runs
}

/// Picks the pipelines that speak: those of the branches where commits are tested; where there is none, the stable
/// branch's.
fn own<'a>(pipelines: &'a [Pipeline], branches: &Branches) -> Vec<&'a Pipeline> {
    let of = |wanted: &dyn Fn(&str) -> bool| -> Vec<&'a Pipeline> {
        let fits = |pipeline: &&Pipeline| pipeline.is_own() && pipeline.branch.as_deref().is_some_and(wanted);
        pipelines.iter().filter(fits).collect()
    };
    let tested = of(&|name| branches.tested.iter().any(|tested| tested == name));
    if tested.is_empty() { of(&|name| branches.stable.as_deref() == Some(name)) } else { tested }
}

/// A pipeline is as good as the worst of it and of its children, also of those that nothing waits for.
fn of_pipeline(pipeline: &Pipeline, reading: &Reading) -> CheckRun {
    let (state, culprit) = with_children(pipeline, reading, DEPTH);
    let mut run = CheckRun::new(PIPELINE, pipeline.id, state);
    PIPELINE.clone_into(&mut run.series);
    run.source = Some(SOURCE.to_owned());
    run.at = pipeline.updated_at.as_deref().and_then(time);
    run.link = culprit.web_url.clone().or_else(|| pipeline.web_url.clone()).filter(|link| !link.is_empty());
    run.summary =
        (culprit.id != pipeline.id).then(|| format!("child pipeline {} is {}", culprit.id, culprit.status));
    run
}

/// Returns the state of a pipeline and its children, and the one of them that it is the state of.
fn with_children<'a>(
    pipeline: &'a Pipeline,
    reading: &'a Reading,
    depth: usize,
) -> (CheckState, &'a Pipeline) {
    let mut found = (state(&pipeline.status), pipeline);
    if depth == 0 {
        return found;
    }
    for bridge in latest_bridges(pipeline, reading) {
        let Some(child) = bridge.child(pipeline) else { continue };
        let (of_child, culprit) = with_children(current(child, reading), reading, depth - 1);
        if of_child == CheckState::Failure && bridge.allow_failure {
            continue;
        }
        if worst([found.0.clone(), of_child.clone()]) != found.0 {
            found = (of_child, culprit);
        }
    }
    found
}

/// Returns a child as it was listed, or else as its bridge tells of it.
fn current<'a>(child: &'a Pipeline, reading: &'a Reading) -> &'a Pipeline {
    reading.children.iter().find(|listed| listed.id == child.id).unwrap_or(child)
}

/// Picks the latest attempt of each bridge.
fn latest_bridges<'a>(pipeline: &Pipeline, reading: &'a Reading) -> impl Iterator<Item = &'a Job> {
    let mut latest: BTreeMap<&str, &Job> = BTreeMap::new();
    for bridge in reading.inside.get(&pipeline.id).into_iter().flat_map(|inside| &inside.bridges) {
        let known = latest.entry(&bridge.name).or_insert(bridge);
        if known.id < bridge.id {
            *known = bridge;
        }
    }
    latest.into_values()
}

/// Adds the jobs of a pipeline, and those of its children, which don't replace one of the same name elsewhere.
fn of_jobs(pipeline: &Pipeline, series: &str, reading: &Reading, depth: usize, runs: &mut Vec<CheckRun>) {
    let Some(inside) = reading.inside.get(&pipeline.id).filter(|_| depth > 0) else { return };
    runs.extend(inside.jobs.iter().chain(&inside.bridges).map(|job| of_job(job, series)));
    for bridge in latest_bridges(pipeline, reading) {
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
    let state = state_of_job(&status.state, status.allow_failure);
    let mut run = CheckRun::new(&status.name, status.id, state);
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

/// Lists the numbers of all jobs and bridges: the list of statuses shows them too.
fn ids_inside(reading: &Reading) -> BTreeSet<u64> {
    reading
        .inside
        .values()
        .flat_map(|inside| inside.jobs.iter().chain(&inside.bridges))
        .map(|job| job.id)
        .collect()
}

/// Tells whether a status is an attempt of a bridge that was tried again, which no list of bridges shows.
fn is_retried_bridge(status: &Status, reading: &Reading) -> bool {
    let inside = status.pipeline_id.and_then(|id| reading.inside.get(&id));
    inside.is_some_and(|inside| {
        inside.bridges.iter().any(|bridge| bridge.name == status.name && bridge.id > status.id)
    })
}

fn time(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

#[cfg(test)]
mod tests;
