//! What several tests need.

use std::time::Duration;

use cfgupdater_core::{Descriptor, ImageDigest, Manifest};
use cfgupdater_image_builder::{BlobSource, RegistryClient, RegistrySettings, Repository};

pub(crate) const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// A client that gives up soon.
pub(crate) fn hasty() -> RegistrySettings {
    RegistrySettings::anonymous().with_retry_for(Duration::ZERO)
}

pub(crate) fn anonymous() -> RegistryClient {
    RegistryClient::new(RegistrySettings::anonymous())
}

pub(crate) fn blob(bytes: &[u8]) -> (Descriptor, BlobSource) {
    let descriptor = Descriptor::new("application/octet-stream", ImageDigest::of(bytes), bytes.len() as u64);
    (descriptor, BlobSource::Bytes(bytes.into()))
}

/// Pushes an image whose configuration and only layer are `content`.
pub(crate) async fn push_image(
    client: &RegistryClient,
    to: &Repository,
    tag: &str,
    content: &[u8],
) -> Manifest {
    let (descriptor, source) = blob(content);
    client.push_blob(to, &descriptor, &source).await.unwrap();
    let named = |media_type: &str| serde_json::json!({"mediaType": media_type, "digest": descriptor.digest, "size": descriptor.size});
    let manifest = serde_json::json!({
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": named("application/vnd.oci.image.config.v1+json"),
        "layers": [named("application/vnd.oci.image.layer.v1.tar+gzip")],
    });
    let manifest = Manifest::new(OCI_MANIFEST, serde_json::to_vec(&manifest).unwrap());
    client.put_manifest(to, Some(tag), &manifest).await.unwrap();
    manifest
}
