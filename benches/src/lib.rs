//! What the benchmarks stand on: generated configuration repositories, the contenders, and how both are measured.

pub mod announcements;
pub mod binaries;
pub mod config_repository;
pub mod cpu;
pub mod dockerd;
pub mod engine;
pub mod figures;
pub mod git;
pub mod machine;
pub mod options;
pub mod push;
pub mod registry;
pub mod relay;
pub mod rendered_repository;
pub mod resident;
pub mod server;
pub mod shell;
pub mod table;

/// What goes wrong in a benchmark ends it; there is nobody to recover.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;
