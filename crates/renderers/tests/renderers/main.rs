//! Renderers on real repositories.

#![allow(clippy::unwrap_used, reason = "helpers of tests are not seen as tests by the lint")]
#![allow(clippy::print_stderr, reason = "a test that is skipped says why")]

mod commands;
mod hostile;
#[cfg(feature = "jsonnet")]
mod jsonnet;
mod support;
