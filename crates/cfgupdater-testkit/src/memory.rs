//! In-memory backends: for the tests of services that embed the engine, and to test the conformance suites with.
//!
//! They are stricter than real ones. What a forge might do, [`MemoryForge`] does: it lists attempts that no longer
//! count, in no useful order; it leaves commits without checks out of its answer; it suspends at every page; it refuses
//! what a lenient server would take.
//!
//! [`git`] holds a repository and a remote.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! use cfgupdater_core::{Forge, RequiredChecks, Verdict, verdict};
//! use cfgupdater_testkit::conformance::forge::Posted;
//! use cfgupdater_testkit::memory::{MemoryForge, MemoryServer};
//!
//! let server = MemoryServer::new();
//! let forge = MemoryForge::new(&server);
//! let commit = server.new_commit();
//! server.add(commit, &Posted::new("status", "ci", "success"));
//! let runs = forge.checks(&[commit]).await.unwrap().remove(&commit).unwrap();
//! assert_eq!(verdict(&RequiredChecks::named(["ci"]), &runs), Verdict::Green);
//! # }
//! ```

mod deployments;
mod forge;
pub mod git;
mod harness;
mod registry;
mod renderer;
mod server;
mod webhook;

pub use deployments::{MemoryDeployments, MemoryTool};
pub use forge::MemoryForge;
pub use registry::MemoryRegistry;
pub use renderer::MemoryRenderer;
pub use server::MemoryServer;
