#![doc = include_str!("../README.md")]
//!
//! # In this crate
//!
//! A simulated world for cfgupdater, an oracle that judges the product's own rules, and seeded bugs that test the
//! tests; conformance suites for adapters, in-memory backends that pass them, and mocks of the traits.
//!
//! ```
//! let stats = cfgupdater_testkit::simulate(7).expect("no promise is broken");
//! assert!(stats.steps >= 30);
//! ```

pub mod conformance;
mod docker_registry;
mod git_process;
pub mod memory;
pub mod mocks;
pub mod model;
pub mod mutations;
pub mod oracle;
pub mod schedule;
pub mod setup;
pub mod sim;
mod tools;
pub mod world;

pub use docker_registry::{Demands, DockerRegistry};
pub use git_process::{git, git_command};
pub use schedule::{Schedule, Step};
pub use sim::{Stats, Violation, narrate, run, run_with, shrink, simulate};
pub use tools::{can_install, can_run};
