//! Deploy tools as the service uses them: what their hooks need, and the APIs that are asked.

mod count;
mod hooks;
mod tools;

pub(crate) use count::Outcome;
pub(crate) use hooks::{Hooks, RepoHooks};
pub(crate) use tools::{preflight, tools};
