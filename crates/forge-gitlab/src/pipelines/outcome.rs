//! What a pipeline comes to, with everything in it.
//!
//! GitLab's own word is not enough. A status that somebody posts under a job's name takes the job out of it; nothing
//! need wait for a child pipeline; and a pipeline fails also where CI does and not the commit.

use std::collections::BTreeMap;

use cfgupdater_core::{CheckRun, CheckState};
use cfgupdater_forge_http::{summary, time, word};

use super::{Inside, Job, PIPELINE, Pipeline, Reading, SOURCE, Status, posted};
use crate::states::{state, worst};

/// How deep child pipelines are followed; GitLab allows two levels.
pub(super) const DEPTH: usize = 4;

/// A state, and what it is the state of.
#[derive(Debug, Clone)]
struct Outcome {
    state: CheckState,
    link: Option<String>,
    /// What is told of it; nothing where it is the pipeline's own word.
    why: Option<String>,
}

/// Makes the check that the pipeline itself is.
pub(super) fn of_pipeline(pipeline: &Pipeline, reading: &Reading) -> CheckRun {
    let outcome = outcome(pipeline, reading, DEPTH);
    let mut run = CheckRun::new(PIPELINE, pipeline.id, outcome.state);
    PIPELINE.clone_into(&mut run.series);
    run.source = Some(SOURCE.to_owned());
    run.at = pipeline.updated_at.as_deref().and_then(time);
    run.link = outcome.link.or_else(|| pipeline.web_url.clone()).filter(|link| !link.is_empty());
    run.summary = outcome.why.as_deref().and_then(summary);
    run
}

/// A pipeline that passed is as good as the worst that is in it. One that failed is the fault of what failed in it. Of one
/// that goes on, only a child that failed is known already: a job may still be tried again by itself.
fn outcome(pipeline: &Pipeline, reading: &Reading, depth: usize) -> Outcome {
    let own = Outcome { state: state(&pipeline.status), link: pipeline.web_url.clone(), why: None };
    if depth == 0 {
        return own;
    }
    let children = children(pipeline, reading, depth);
    match own.state {
        CheckState::Success => worst_of(own, jobs(pipeline, reading).into_iter().chain(children)),
        CheckState::Failure => {
            let all = jobs(pipeline, reading).into_iter().chain(children).chain(statuses(pipeline, reading));
            culprit(own, all)
        }
        _ => worst_of(own, children),
    }
}

/// Names what a pipeline failed by. Where that can't be found, such as where its jobs could not be made, the pipeline has
/// not passed, and nobody is blamed: what it is made of may be kept elsewhere, and break by itself.
fn culprit(own: Outcome, all: impl Iterator<Item = Outcome>) -> Outcome {
    let unknown = Outcome {
        state: CheckState::Infrastructure("failed".to_owned()),
        why: Some("it failed, and nothing in it failed; see what it says of its configuration".to_owned()),
        ..own
    };
    all.filter(|outcome| outcome.state != CheckState::Success)
        .reduce(|one, other| worst_of(one, [other]))
        .unwrap_or(unknown)
}

/// Picks the worst.
fn worst_of(first: Outcome, others: impl IntoIterator<Item = Outcome>) -> Outcome {
    others.into_iter().fold(first, |known, other| {
        if worst([known.state.clone(), other.state.clone()]) == known.state { known } else { other }
    })
}

/// Lists the latest attempts of jobs, and of bridges to elsewhere, that a pipeline needs. What was skipped was not needed.
fn jobs(pipeline: &Pipeline, reading: &Reading) -> Vec<Outcome> {
    let Some(inside) = reading.inside.get(&pipeline.id) else { return Vec::new() };
    let bridges = latest(&inside.bridges).filter(|bridge| bridge.child(pipeline).is_none());
    latest(&inside.jobs)
        .chain(bridges)
        .filter(|job| !job.allow_failure && job.status != "skipped")
        .map(|job| Outcome {
            state: job.state(),
            link: job.web_url.clone(),
            why: Some(format!("job {} is {}", word(&job.name), word(&job.status))),
        })
        .collect()
}

/// Lists what the child pipelines come to, those aside that may fail.
fn children(pipeline: &Pipeline, reading: &Reading, depth: usize) -> Vec<Outcome> {
    let of_child = |bridge: &Job| {
        let child = current(bridge.child(pipeline)?, reading);
        let mut outcome = outcome(child, reading, depth - 1);
        if bridge.allow_failure && outcome.state == CheckState::Failure {
            return None;
        }
        outcome.why = Some(match outcome.why {
            Some(why) => format!("{why}, in child pipeline {}", child.id),
            None => format!("child pipeline {} is {}", child.id, word(&child.status)),
        });
        Some(outcome)
    };
    reading
        .inside
        .get(&pipeline.id)
        .into_iter()
        .flat_map(Inside::latest_bridges)
        .filter_map(of_child)
        .collect()
}

/// Lists the statuses that others keep in a pipeline and by which it fails.
fn statuses(pipeline: &Pipeline, reading: &Reading) -> Vec<Outcome> {
    let inside = reading.inside.get(&pipeline.id);
    let jobs = || inside.into_iter().flat_map(|inside| inside.jobs.iter().chain(&inside.bridges));
    let kept = || posted(reading).filter(|status| status.pipeline_id.is_none_or(|id| id == pipeline.id));
    let is_replaced = |status: &Status| {
        let newer = |name: &str, id: u64| name == status.name && id > status.id;
        jobs().any(|job| newer(&job.name, job.id)) || kept().any(|other| newer(&other.name, other.id))
    };
    kept()
        .filter(|status| status.state() == CheckState::Failure && !is_replaced(status))
        .map(|status| Outcome {
            state: CheckState::Failure,
            link: status.target_url.clone(),
            why: Some(format!("status {} is {}", word(&status.name), word(&status.word))),
        })
        .collect()
}

/// Returns a child as it was listed, or else as its bridge tells of it.
fn current<'a>(child: &'a Pipeline, reading: &'a Reading) -> &'a Pipeline {
    reading.children.iter().find(|listed| listed.id == child.id).unwrap_or(child)
}

/// Picks the latest attempt of each name, whatever GitLab takes for it: what somebody posted under a name is none.
pub(super) fn latest(jobs: &[Job]) -> impl Iterator<Item = &Job> {
    let mut latest: BTreeMap<&str, &Job> = BTreeMap::new();
    for job in jobs {
        let known = latest.entry(&job.name).or_insert(job);
        if known.id < job.id {
            *known = job;
        }
    }
    latest.into_values()
}
