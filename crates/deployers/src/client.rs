//! Asking the APIs of deploy tools.

mod access;
mod api;
mod failure;
mod http;

pub use access::Access;
pub use api::DeployApi;
