//! Objects of a local repository, on gix or on libgit2.
//!
//! An engine reads and writes single objects, finds references and common ancestors: what [`session::Session`] asks of
//! it. Everything else is here once.

pub(crate) mod commit_format;
mod failures;
mod history;
mod on_gix;
#[cfg(feature = "libgit2")]
mod on_libgit2;
mod operations;
mod pack_stamp;
mod session;
mod tree_diff;
mod tree_edit;
mod tree_format;
mod tree_plan;

pub(crate) mod local_repo;

pub(crate) use on_gix::gix_repo;
#[cfg(feature = "libgit2")]
pub(crate) use on_libgit2::git2_repo;
