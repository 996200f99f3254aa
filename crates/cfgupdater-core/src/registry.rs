//! [`Registry`]: where images are, and what their tags name.

mod digest;

use std::fmt::Debug;

use async_trait::async_trait;

use crate::error::{Error, ErrorKind};
use crate::image::ImageRef;

pub use digest::{ImageDigest, InvalidDigest};

/// Answers questions about images. Pushing them is not part of it.
///
/// # Contract
/// What is not there is `None`, never an error; what could not be found out is an error, never `None`. A reference
/// that has both names its digest, and its tag is not looked at. Nothing that fails its digest is ever returned.
#[async_trait]
pub trait Registry: Debug + Send + Sync {
    /// Tells which manifest a reference names now.
    ///
    /// # Errors
    /// Fails where the registry can't be reached, refuses us or answers nonsense.
    async fn resolve(&self, image: &ImageRef) -> Result<Option<Descriptor>, Error>;

    /// Reads the manifest that a reference names now, byte for byte.
    ///
    /// # Errors
    /// Fails as [`Registry::resolve`] does, and where the bytes don't have the digest they were asked for by.
    async fn manifest(&self, image: &ImageRef) -> Result<Option<Manifest>, Error>;

    /// Tells whether a reference names anything.
    ///
    /// # Errors
    /// Fails as [`Registry::resolve`] does.
    async fn exists(&self, image: &ImageRef) -> Result<bool, Error> {
        Ok(self.resolve(image).await?.is_some())
    }
}

/// Names content by its digest, with its size and what it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct Descriptor {
    /// What the content is, such as `application/vnd.oci.image.manifest.v1+json`.
    pub media_type: String,
    /// The digest of the content.
    pub digest: ImageDigest,
    /// The content's size in bytes.
    pub size: u64,
}

impl Descriptor {
    /// Builds a descriptor.
    pub fn new(media_type: impl Into<String>, digest: ImageDigest, size: u64) -> Self {
        Self { media_type: media_type.into(), digest, size }
    }
}

/// A manifest as a registry keeps it. Its bytes have its digest.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Manifest {
    descriptor: Descriptor,
    bytes: Vec<u8>,
}

impl Manifest {
    /// Takes bytes that were just made, and names them by their SHA-256.
    pub fn new(media_type: impl Into<String>, bytes: Vec<u8>) -> Self {
        let digest = ImageDigest::of(&bytes);
        Self { descriptor: Descriptor::new(media_type, digest, bytes.len() as u64), bytes }
    }

    /// Takes bytes that somebody sent, if they have the digest they were asked for by.
    ///
    /// # Errors
    /// Refuses bytes that have another digest.
    pub fn verified(
        media_type: impl Into<String>,
        bytes: Vec<u8>,
        digest: ImageDigest,
    ) -> Result<Self, Error> {
        if !digest.is_of(&bytes) {
            let found = ImageDigest::of(&bytes);
            let message = format!(
                "a manifest was asked for as {digest}, but what came is {found}; the registry or something before it altered it"
            );
            return Err(Error::new(ErrorKind::Other, message));
        }
        Ok(Self { descriptor: Descriptor::new(media_type, digest, bytes.len() as u64), bytes })
    }

    /// Returns digest, size and media type.
    pub fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// Returns the bytes that the digest is of.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn altered_bytes_are_no_manifest() {
        let manifest = Manifest::new("x/y", b"{}".to_vec());
        let digest = manifest.descriptor().digest.clone();
        assert_eq!(Manifest::verified("x/y", b"{}".to_vec(), digest.clone()).unwrap(), manifest);
        let error = Manifest::verified("x/y", b"{ }".to_vec(), digest.clone()).unwrap_err();
        assert!(error.to_string().contains(digest.as_str()), "{error}");
    }
}
