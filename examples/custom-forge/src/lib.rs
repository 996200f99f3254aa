//! An adapter for Gitea and Forgejo, as a team would write it that runs one of them.
//!
//! It uses nothing but the published crates: `cfgupdater-core` for the trait, `cfgupdater-forge-http` for what adapters
//! share, `cfgupdater-server` for the service around it, and in its tests `cfgupdater-testkit`. `docs/adapters.md` walks
//! through it.
//!
//! Facts about Gitea are from its API description, <https://docs.gitea.com/api/>, and from its source.

mod api;
mod forge;
mod kind;
mod pattern;
mod settings;
mod status;
mod webhook;

pub use forge::GiteaForge;
pub use kind::GiteaKind;
pub use settings::GiteaSettings;
