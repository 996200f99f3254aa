//! GitLab as a [`Forge`](cfgupdater_core::Forge): its pipelines and statuses, its protected branches, its webhooks.
//!
//! Logs in with the access token of a project or a group. The endpoints are those of the gitlab crate; who sends them
//! and what is read of the answers is our own, since a verdict needs all pages or none, and fields that change.

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}

mod bridges;
mod checks;
mod client;
mod forge;
mod pipelines;
mod polling;
mod preflight;
mod project;
mod settings;
mod states;
mod webhook;

pub use forge::GitlabForge;
pub use pipelines::{PIPELINE, SOURCE};
pub use settings::{GITLAB_API, GitlabSettings, InvalidProject, ProjectName};
