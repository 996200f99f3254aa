//! What the end-to-end tests stand on: a bare repository, people with clones of it, and the real service.

mod check_config;
mod cluster;
mod deploy_api;
mod example;
mod http;
mod images;
mod pushing;
mod repository;
mod served;
mod service;

pub use check_config::check_config;
pub use cluster::{Cluster, Follower, Word};
pub use deploy_api::{API_TOKEN, DeployApi, application};
pub use example::{cfg_app, copy};
pub use http::{Reply, Server};
pub use images::{app_sha, images};
pub use pushing::Pushing;
pub use repository::{Clone, Remote, git};
pub use served::serve;
pub use service::{Options, Service, Waves, binary, built};

/// How long anything that must happen may take before a test fails.
pub const PATIENCE: std::time::Duration = std::time::Duration::from_secs(30);

/// Asks again and again until there is an answer.
///
/// # Panics
/// Says what was waited for when [`PATIENCE`] is over.
pub fn eventually<T>(what: &str, ask: impl FnMut() -> Option<T>) -> T {
    eventually_within(PATIENCE, what, ask)
}

/// Asks again and again until there is an answer, for what takes longer than other things.
///
/// # Panics
/// Says what was waited for when `patience` is over.
pub fn eventually_within<T>(
    patience: std::time::Duration,
    what: &str,
    mut ask: impl FnMut() -> Option<T>,
) -> T {
    let start = std::time::Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(start.elapsed() < patience, "waited in vain for {what}");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

/// The library example of the README, compiled as a documentation test.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
