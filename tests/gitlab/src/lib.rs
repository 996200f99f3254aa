//! A GitLab for tests: one project, its pipelines, statuses and settings, a token, and git over HTTP.
//!
//! It keeps state and goes wrong as told. It lives below a subpath and writes another name for itself into its links, as
//! self-managed ones behind a proxy do.

mod answers;
mod api;
mod paging;
mod server;
mod world;

pub use server::FakeGitlab;
pub use world::{Trouble, World};

/// The project that there is.
pub const PROJECT: &str = "acme/cfg";

/// The number of the project.
pub const PROJECT_ID: u64 = 4711;

/// The number of the account that the token belongs to.
pub const BOT_ID: u64 = 77;

/// The token that holds at first.
pub const TOKEN: &str = "glpat-canaryofthebot";
