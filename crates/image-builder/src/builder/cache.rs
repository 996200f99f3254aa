//! [`CacheMode`]: what the image of the build before is good for.

/// How far the previous image is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum CacheMode {
    /// Every layer is made again, and what the registry has already is not sent. Whoever can write to the registry
    /// can't make us deliver anything that isn't built from these files.
    #[default]
    Verify,
    /// An image with the same configuration is taken as it is: nothing is compressed. The configuration holds the
    /// hashes of the layers' content, but whoever can write to the registry can put other layers behind it.
    Trust,
    /// The previous image is not even looked at.
    Off,
}
