//! The adapter against a GitHub with state, and against webhooks as GitHub sends them.

#![allow(clippy::print_stderr, reason = "a test that is skipped says why")]
#![allow(clippy::unwrap_used, reason = "helpers of tests are not seen as tests by the lint")]

mod auth;
mod conformance;
mod described;
mod emulate;
mod manners;
mod missed;
mod mutations;
mod payloads;
mod preflight;
mod site;
mod transport;
mod verdicts;
