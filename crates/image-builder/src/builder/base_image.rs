//! [`BaseImage`]: what an image is built on: read, but never downloaded.

use cfgupdater_core::{Descriptor, Error, ErrorKind, ImageRef, Manifest, Registry};

use super::family::Family;
use super::image_config::{BaseConfig, unusable};
use super::image_manifest::{ImageManifest, is_index, pick};
use super::platform::Platform;
use crate::client::{RegistryClient, Repository};

/// The longest configuration that is read.
const CONFIG_LIMIT: u64 = 8 * 1024 * 1024;

/// A base, as far as building on it takes.
#[derive(Debug, Clone)]
pub(super) struct BaseImage {
    pub(super) repository: Repository,
    pub(super) family: Family,
    pub(super) layers: Vec<Descriptor>,
    pub(super) config: BaseConfig,
}

impl BaseImage {
    /// Reads manifest and configuration of a base; of several platforms, ours.
    pub(super) async fn read(
        client: &RegistryClient,
        base: &ImageRef,
        platform: &Platform,
    ) -> Result<Self, Error> {
        let repository = Repository::of(base);
        let mut manifest = get(client, base, base).await?;
        if is_index(&manifest) {
            let digest = pick(&manifest, platform)
                .ok_or_else(|| unusable(base, &format!("has no image of platform {platform}")))?;
            manifest = get(client, &repository.at(&digest)?, base).await?;
        }
        let image = ImageManifest::parse(&manifest)
            .ok_or_else(|| unusable(base, "is no image in a form that is known"))?;
        let config = client.read_blob(&repository, &image.config, CONFIG_LIMIT).await?;
        let config = BaseConfig::parse(&config, platform, image.layers.len());
        let config = config.map_err(|why| unusable(base, &why))?;
        Ok(Self { repository, family: image.family, layers: image.layers, config })
    }
}

async fn get(client: &RegistryClient, image: &ImageRef, base: &ImageRef) -> Result<Manifest, Error> {
    let found = client.manifest(image).await?;
    found.ok_or_else(|| {
        let message = format!("the base {base} is not in its registry; correct its name and digest");
        Error::new(ErrorKind::NotFound, message)
    })
}
