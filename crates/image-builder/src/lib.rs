#![doc = include_str!("../README.md")]
//!
//! # In this crate
//!
//! Images for cfgupdater.
//!
//! [`RegistryClient`] (feature `client`) reads and pushes images at any OCI distribution registry.
//!
//! [`build()`] (feature `builder`) makes images whose digest changes only when their content does: an image is a pure
//! function of its base, its files and its settings, the same bit for bit on any machine. The commit that was built is
//! in an image's tag, not in the image.

#[cfg(feature = "builder")]
mod builder;
#[cfg(feature = "client")]
mod client;

#[cfg(feature = "builder")]
pub use builder::{
    BuildOptions, BuiltImage, CacheMode, Change, DockerfileDriver, ImageSpec, ImagesFile, Platform, Revision,
    branch_tag, build, build_dockerfiles, source_date_epoch, write_artefacts,
};
#[cfg(feature = "client")]
pub use client::{BlobSource, Pushed, RegistryClient, RegistrySettings, Repository, Traffic};
