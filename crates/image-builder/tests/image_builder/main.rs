//! The registry client and the builder, against a registry that lies and against a real one.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]
#![allow(clippy::print_stderr, reason = "a test that is skipped says why")]

mod app;
mod bases;
mod caches;
mod conformance;
mod docker;
mod dockerd;
mod dockerfiles;
mod double;
mod ended_logins;
mod harness;
mod hostile;
mod http_server;
mod identity_tokens;
mod lies;
mod logins;
mod losses;
mod oracle;
mod others;
mod pieces;
mod platforms;
mod redirects;
mod reproducible;
mod support;
mod token_server;
mod tokens;
