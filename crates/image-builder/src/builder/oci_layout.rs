//! [`OciLayout`]: images as files in a directory (OCI image layout).

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use cfgupdater_core::{Descriptor, Error, ErrorKind, Manifest};
use serde_json::{Value, json};

use super::base_image::BaseImage;
use super::canonical_json;
use super::image_manifest::descriptor;
use super::push::Parts;
use crate::client::{BlobSource, RegistryClient};

/// What tools know an image in a layout by.
const NAME: &str = "org.opencontainers.image.ref.name";

/// A directory of images.
#[derive(Debug, Clone)]
pub(super) struct OciLayout {
    directory: PathBuf,
    /// The images that it lists already.
    known: Vec<Value>,
}

impl OciLayout {
    /// Makes the directory, or goes on with one that is there.
    pub(super) fn create(directory: &Path) -> Result<Self, Error> {
        let layout = Self { directory: directory.to_owned(), known: known(directory)? };
        for algorithm in ["sha256", "sha512"] {
            let blobs = directory.join("blobs").join(algorithm);
            std::fs::create_dir_all(&blobs).map_err(|cause| unwritable(&blobs, cause))?;
        }
        layout.write("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#)?;
        Ok(layout)
    }

    /// Writes all parts of an image, those of its base too, and its manifest.
    pub(super) async fn add(
        &self,
        client: &RegistryClient,
        parts: &Parts<'_>,
        manifest: &Manifest,
    ) -> Result<(), Error> {
        if let Some(base) = parts.base {
            self.add_base(client, base).await?;
        }
        if let Some((layer, file)) = &parts.layer {
            let to = self.blob(layer);
            tokio::fs::copy(file, &to).await.map_err(|cause| unwritable(&to, cause))?;
        }
        let (config, source) = parts.config;
        if let BlobSource::Bytes(bytes) = source {
            let to = self.blob(config);
            std::fs::write(&to, bytes).map_err(|cause| unwritable(&to, cause))?;
        }
        let to = self.blob(manifest.descriptor());
        std::fs::write(&to, manifest.bytes()).map_err(|cause| unwritable(&to, cause))
    }

    /// Writes an index of images that are there.
    pub(super) fn add_index(&self, index: &Manifest) -> Result<(), Error> {
        let to = self.blob(index.descriptor());
        std::fs::write(&to, index.bytes()).map_err(|cause| unwritable(&to, cause))
    }

    async fn add_base(&self, client: &RegistryClient, base: &BaseImage) -> Result<(), Error> {
        for layer in &base.layers {
            let to = self.blob(layer);
            if to.exists() {
                continue;
            }
            // What is not whole must not have the name of what is.
            let part = tempfile::NamedTempFile::new_in(&self.directory);
            let part = part.map_err(|cause| unwritable(&self.directory, cause))?;
            client.fetch_blob(&base.repository, layer, part.path()).await?;
            // Temporary files are their owner's alone.
            let readable = std::fs::Permissions::from_mode(0o644);
            std::fs::set_permissions(part.path(), readable).map_err(|cause| unwritable(&to, cause))?;
            part.persist(&to).map_err(|cause| unwritable(&to, cause.error))?;
        }
        Ok(())
    }

    /// Lists images by their names, after those that were there; one of the same name is replaced.
    pub(super) fn finish(&self, images: &[(String, Descriptor)]) -> Result<(), Error> {
        let entry = |(name, image): &(String, Descriptor)| {
            let mut entry = descriptor(image);
            entry["annotations"] = json!({NAME: name});
            entry
        };
        let is_replaced =
            |known: &&Value| images.iter().any(|(name, _)| known["annotations"][NAME].as_str() == Some(name));
        let others = self.known.iter().filter(|known| !is_replaced(known)).cloned();
        let manifests: Vec<Value> = others.chain(images.iter().map(entry)).collect();
        let index = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": manifests,
        });
        self.write("index.json", &canonical_json::to_bytes(&index))
    }

    fn blob(&self, blob: &Descriptor) -> PathBuf {
        self.directory.join("blobs").join(blob.digest.algorithm()).join(blob.digest.hex())
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        let path = self.directory.join(name);
        std::fs::write(&path, bytes).map_err(|cause| unwritable(&path, cause))
    }
}

/// Reads what a layout lists, nothing where there is none yet.
fn known(directory: &Path) -> Result<Vec<Value>, Error> {
    let path = directory.join("index.json");
    let wrong = |why: &str| {
        let message = format!("{} {why}; name another directory for the layout", path.display());
        Error::new(ErrorKind::Invalid, message)
    };
    let text = match std::fs::read(&path) {
        Ok(text) => text,
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(cause) => return Err(wrong("can't be read").with_source(cause)),
    };
    let index: Value = serde_json::from_slice(&text).map_err(|_| wrong("is not JSON"))?;
    index["manifests"].as_array().cloned().ok_or_else(|| wrong("lists no images"))
}

fn unwritable(path: &Path, cause: std::io::Error) -> Error {
    Error::new(ErrorKind::Other, format!("{} can't be written; check the disk", path.display()))
        .with_source(cause)
}
