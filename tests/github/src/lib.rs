//! A GitHub for tests: one repository, its checks and rules, an App with its tokens, and git over HTTP.
//!
//! It keeps state and goes wrong as told. Every answer on a path of GitHub's own description is checked against it, so
//! that what passes here is what GitHub sends; see `openapi/README.md`.
//!
//! Beside it, servers that somebody else wrote: [`Emulate`] and [`Prism`], and a [`Relay`] that puts several of them behind
//! one address.

mod answers;
mod api;
mod app;
mod emulate;
mod npm;
mod prism;
mod relay;
mod schema;
mod server;
mod world;

pub use emulate::Emulate;
pub use prism::Prism;
pub use relay::{Exchange, Relay, Route, Seen};
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
