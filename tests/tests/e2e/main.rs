//! The main job by the real binary on real git, one file a promise.

mod announce;
mod bad_input;
mod check_config;
mod evict;
mod land;
mod late_results;
mod message;
mod people;
mod runs;
mod waves;
