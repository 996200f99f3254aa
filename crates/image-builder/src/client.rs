//! A client of OCI distribution registries: as much of the protocol as reading, building and pushing images takes.

mod access;
mod address;
mod answer;
mod auth_file;
mod blob_source;
mod blobs;
mod challenge;
mod exchange;
mod failure;
mod helper;
mod helper_answers;
mod http;
mod login;
mod logins;
mod manifests;
mod reach;
mod redirect;
mod registry_client;
mod repository;
mod request;
mod retry;
mod scope;
mod settings;
mod token;
mod token_server;
mod traffic;
mod uploads;

pub use blob_source::BlobSource;
#[cfg(feature = "builder")]
pub(crate) use manifests::Taken;
pub use registry_client::RegistryClient;
pub use repository::Repository;
pub use settings::RegistrySettings;
pub use traffic::Traffic;
pub use uploads::Pushed;
