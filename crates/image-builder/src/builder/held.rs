//! [`Held`]: what a registry is believed to have.

/// Whether a registry is believed to have all that the previous image is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Held {
    /// It has the manifest: it should have the rest.
    Believed,
    /// It said that it lost some of it. Everything is made and offered again.
    Lost,
}
