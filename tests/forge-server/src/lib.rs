//! What the forges for tests stand on: a server on a loopback address, git over HTTP, and bodies that nobody ever sent.

#![allow(clippy::unwrap_used, reason = "it fails as a test does")]

mod authority;
mod git;
mod mutate;
mod serving;
mod time;
mod wire;

pub use authority::Authority;
pub use git::{GitPlace, answer_git, login};
pub use mutate::{mutate, seed};
pub use serving::{Serving, text};
pub use time::{ago, now, time};
pub use wire::{proxy, tls_before, tunnels};
