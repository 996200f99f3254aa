//! Objects of a local repository, on gix.

mod ancestry;
mod commit_format;
mod database;
mod history;
mod ids;
mod pack_stamp;
mod session;
mod tree_diff;
mod tree_edit;
mod tree_plan;

pub(crate) mod gix_repo;
