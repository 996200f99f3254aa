#![doc = include_str!("../README.md")]
//!
//! # In this crate
//!
//! cfgupdater's git: [`GixRepo`] reads and writes local objects, [`GitCli`] talks to the remote by the `git` binary,
//! and [`Mirror`] joins both into a local copy that repairs itself. With the feature `libgit2` there is a second engine
//! for local objects, chosen by [`MirrorSettings::with_engine`]; with `ssh-signing` a mirror signs the commits it writes
//! ([`SigningKey`]).
//!
//! gix can't push, and libgit2 can't compare-and-swap everywhere, so the network belongs to `git`; objects are read and
//! written in this process because a `git` process costs more than the work it would do.

mod carry;
mod mirror;
mod objects;
mod remote;
#[cfg(feature = "ssh-signing")]
mod signing_key;

pub use carry::{CarryOutcome, carry};
pub use mirror::Mirror;
pub use mirror::settings::MirrorSettings;
pub use objects::commit_format::check_author;
#[cfg(feature = "libgit2")]
pub use objects::git2_repo::Git2Repo;
pub use objects::gix_repo::GixRepo;
pub use objects::local_repo::{Engine, LocalRepo};
pub use remote::credentials::{CredentialSource, ForgeCredentials, TokenFile};
pub use remote::git_cli::GitCli;
pub use remote::remote_url::RemoteUrl;
pub use remote::settings::RemoteSettings;
pub use remote::ssh_identity::SshIdentity;
#[cfg(feature = "ssh-signing")]
pub use signing_key::SigningKey;
