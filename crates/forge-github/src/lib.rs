//! GitHub as a [`Forge`](cfgupdater_core::Forge): its statuses and check runs, its branch rules, its webhooks.
//!
//! Logs in as an App ([`Login::App`]), whose tokens are made for one repository and renewed early, or with a plain
//! token. octocrab carries the requests; what is read of the answers are small structs of our own, since a verdict
//! needs fields that octocrab's models lack, and all pages or none.

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}

mod auth;
mod checks;
mod client;
mod connector;
mod forge;
mod jwt;
mod page_cache;
mod preflight;
mod redelivery;
mod repository;
mod required;
mod settings;
mod transport;
mod webhook;

pub use forge::GithubForge;
pub use settings::{GITHUB_API, GithubSettings, InvalidRepository, Login, RepositoryName};
