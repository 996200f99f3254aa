//! Conformance suites: what every implementation of a trait must do, as named tests.
//!
//! An adapter's author writes a harness, which does what the backend can't do by itself, and invokes the macro of the
//! suite; each case becomes a test of its own. `docs/adapters.md` in the repository walks through it.
//!
//! A case may be added in any minor release: it says more of what the trait demands, and an adapter that fails it was
//! wrong before. Nothing else about a suite changes without a breaking release.

pub mod deployments;
mod dropping;
pub mod forge;
pub mod git_remote;
pub mod git_repo;
pub mod registry;
pub mod seeds;
