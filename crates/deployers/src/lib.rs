//! Deploy tools: what Argo CD and Flux say of the targets they deploy to.
//!
//! [`Mapping`] tells which target an application or a kustomization is. [`argocd::outcome`] and the functions of [`flux`]
//! read what the tools send or answer; they are free of I/O. The feature `client` holds [`DeployApi`], which asks for what
//! was not sent or got lost.

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}

pub mod argocd;
#[cfg(feature = "client")]
mod client;
pub mod flux;
mod mapping;
mod outcome;
mod pattern;
mod signature;

#[cfg(feature = "client")]
pub use client::{Access, DeployApi};
pub use mapping::{Binding, Mapping, Rule, Sender, SenderKind, Spot, rivals};
pub use outcome::{Outcome, Unreadable};
pub use pattern::{InvalidPattern, Pattern};
pub use signature::{is_signed, sign};
