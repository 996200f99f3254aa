//! Renderers: what makes the generated files of a configuration repository.
//!
//! [`CommandRenderer`] runs the repository's own commands, as the reference architecture does with its make targets, in a
//! directory that holds the files of the commit and no git. `JsonnetRenderer` (feature `jsonnet`) evaluates Jsonnet straight
//! from the objects of the repository, without laying any files out.

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}

mod beneath;
mod command;
mod directory;
#[cfg(feature = "jsonnet")]
pub mod jsonnet;
mod remove;

pub use command::{CommandRenderer, CommandSettings};
#[cfg(feature = "jsonnet")]
pub use jsonnet::{JsonnetEntry, JsonnetRenderer, JsonnetSettings};
