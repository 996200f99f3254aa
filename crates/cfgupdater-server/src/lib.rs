#![doc = include_str!("../README.md")]
//!
//! # In this crate
//!
//! The cfgupdater service as a library.
//!
//! [`Config`] reads the configuration file, [`Service`] runs what it says, and [`router`] is the HTTP API alone, for
//! services that nest it in their own.

pub mod api;
mod config;
mod dashboard;
mod deliveries;
mod deploy;
mod examining;
mod extract;
mod fates;
mod forges;
mod git_access;
mod metrics;
mod openapi;
mod opening;
mod preflight;
mod problem;
mod registries;
mod renderers;
mod routes;
mod service;
mod slot;
mod state;
mod status;
mod tls;
mod tokens;
mod wiring;

pub use cfgupdater_commands::{keep as keep_job, keep_to_ourselves};
pub use config::{Config, ConfigError, ConfigErrors, parse_duration};
#[cfg(feature = "github")]
pub use forges::GithubKind;
#[cfg(feature = "gitlab")]
pub use forges::GitlabKind;
pub use forges::{CheckRunner, Connection, ForgeKind, ForgeSection, Forges, LocalKind, MakeForge, Site};
pub use preflight::{RepoFindings, preflight};
pub use problem::Problem;
pub use routes::router;
pub use service::{Service, StartError};
pub use state::AppState;
pub use status::{intent_view, status_of};
pub use tokens::{Scope, Tokens};
