//! The adapter against a server that answers as Gitea does.
#![allow(clippy::unwrap_used, reason = "helpers of tests are not seen as tests by the lint")]

mod conformance;
mod end_to_end;
mod server;
mod webhooks;
