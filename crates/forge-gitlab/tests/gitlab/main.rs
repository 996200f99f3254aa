//! The adapter against a GitLab with state, and against webhooks as GitLab sends them.

#![allow(clippy::unwrap_used, reason = "helpers of tests are not seen as tests by the lint")]

mod auth;
mod conformance;
mod manners;
mod mutations;
mod payloads;
mod preflight;
mod signatures;
mod site;
mod transport;
mod verdicts;
