//! The engine on gix.

mod ancestry;
mod database;
mod ids;
mod nodes;
mod session;

pub(crate) mod gix_repo;
