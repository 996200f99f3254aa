#![doc = include_str!("../README.md")]
//!
//! # In this crate
//!
//! A [`Forge`](cfgupdater_core::Forge) for a plain bare repository.
//!
//! Checks are run by this process as commands ([`CheckCommand`]), or reported from outside
//! ([`ForgeAction::ReportCheck`](cfgupdater_core::ForgeAction::ReportCheck)). Results are git notes on
//! `refs/notes/cfgupdater/checks` of the same remote, so every replica sees them and `git notes show` does too.

mod forge;
mod note;
mod notes;
mod runner;
mod settings;

pub use forge::LocalForge;
pub use notes::NOTES_REF;
pub use settings::{CheckCommand, LocalForgeSettings};
