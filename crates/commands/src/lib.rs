//! Runs commands that other people wrote: checks of the local forge, renderers.
//!
//! A [`Job`] runs alone in its process group with an environment of its own, within limits of time, output and disk, and
//! ends with everything it started. On Linux it can be kept in named directories and from other processes. [`lay_out`]
//! puts the files of a commit into a directory without git.

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}

mod confine;
mod descendants;
mod disk;
mod job;
mod keeper;
mod lay_out;
mod leftovers;
mod reach;
mod secrecy;
mod tail;

pub use confine::confines;
pub use job::{Ended, Job, run, run_until};
pub use keeper::keep;
pub use lay_out::{checked_name, lay_out, link_stays_inside};
pub use secrecy::keep_to_ourselves;
