#![doc = include_str!("../README.md")]
//!
//! # In this crate
//!
//! Owns the automatic commits of a GitOps configuration repository.
//!
//! This crate is what a service embeds: the rules of [`cfgupdater_core`], re-exported as [`core`], and the
//! [`Engine`] that carries them out against a [`GitRepo`](core::GitRepo), a [`GitRemote`](core::GitRemote) and a
//! [`Forge`](core::Forge), one task a repository.

pub use cfgupdater_core as core;

mod apply;
mod audit;
mod clock;
mod engine;
mod handle;
mod history;
mod image_verifier;
mod inputs;
mod late;
mod observe;
mod perform;
mod poll;
mod rendering;
mod state_branch;
mod verifier;
mod view;

pub use audit::{LogItem, LogPage};
pub use engine::{Backends, Engine};
pub use handle::RepoHandle;
pub use image_verifier::ImageVerifier;
pub use view::{Counters, View};
