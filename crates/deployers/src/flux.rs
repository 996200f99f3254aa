//! Flux: events of its notification-controller, and its objects as Kubernetes keeps them.

mod event;
mod object;
mod reason;
mod revision;

pub use event::Event;
pub use object::outcome;
