//! [`Pushing`]: images that are in a registry, as an application's CI puts them there.

use cfgupdater::core::{Descriptor, ImageDigest, Manifest};
use cfgupdater_image_builder::{BlobSource, RegistryClient, RegistrySettings, Repository};
use tokio::runtime::Runtime;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// Pushes images to one registry.
#[derive(Debug)]
pub struct Pushing {
    client: RegistryClient,
    host: String,
    runtime: Runtime,
}

impl Pushing {
    /// Pushes without a login.
    pub fn to(host: &str) -> Self {
        Self::by(RegistryClient::new(RegistrySettings::anonymous()), host)
    }

    /// Pushes by this client.
    pub fn by(client: RegistryClient, host: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        Self { client, host: host.to_owned(), runtime: runtime.expect("a runtime can be made") }
    }

    /// Pushes an image whose configuration and only layer are `content`, and returns its digest.
    pub fn image(&self, repository: &str, tag: &str, content: &str) -> ImageDigest {
        let target: Repository =
            format!("{}/{repository}", self.host).parse().expect("it names a repository");
        let bytes = content.as_bytes();
        let blob = Descriptor::new(CONFIG, ImageDigest::of(bytes), bytes.len() as u64);
        let part = |media_type: &str| serde_json::json!({"mediaType": media_type, "digest": blob.digest, "size": blob.size});
        let text = serde_json::json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": part(CONFIG), "layers": [part(LAYER)]});
        let manifest = Manifest::new(MANIFEST, text.to_string().into_bytes());
        self.runtime.block_on(async {
            let pushed = self.client.push_blob(&target, &blob, &BlobSource::Bytes(bytes.into())).await;
            pushed.expect("content can be pushed");
            let put = self.client.put_manifest(&target, Some(tag), &manifest).await;
            put.expect("a manifest can be pushed");
        });
        manifest.descriptor().digest.clone()
    }
}
