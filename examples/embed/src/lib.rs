//! A service of another shape: its messages come from a queue. No HTTP server, no configuration file.

mod queue;
mod repository;

pub use queue::answer;
pub use repository::start;
