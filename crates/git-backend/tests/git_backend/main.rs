//! The backend against the real `git`, which is the oracle throughout.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]
#![allow(clippy::print_stderr, reason = "a test that is skipped says why")]

mod carry;
mod cli_repo;
mod conformance;
mod differential;
mod fetch;
mod http;
mod http_server;
mod interruption;
mod mirror;
mod objects;
mod push;
mod remotes;
mod signing;
mod ssh_server;
mod support;
