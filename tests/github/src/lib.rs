//! A GitHub for tests: one repository, its checks and rules, an App with its tokens, and git over HTTP.
//!
//! It keeps state and goes wrong as told. Every answer on a path of GitHub's own description is checked against it, so
//! that what passes here is what GitHub sends; see `openapi/README.md`.

mod answers;
mod api;
mod app;
mod schema;
mod server;
mod world;

pub use server::FakeGithub;
pub use world::{Trouble, World};

/// The repository that there is.
pub const REPOSITORY: &str = "acme/cfg";

/// The number of the App.
pub const APP: u64 = 17;

/// The number of its installation.
pub const INSTALLATION: u64 = 42;

/// The number of the repository.
pub const REPOSITORY_ID: u64 = 4711;

/// A token that somebody made.
pub const TOKEN: &str = "ghp_canaryofsomebody";

/// The App's private key.
pub const KEY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/keys/app-pkcs1.pem");
