//! What a registry has of an image: before it is built by a driver, and after.

use cfgupdater_core::{Error, ErrorKind, Manifest, Registry};

use super::Shop;
use super::commands::Commands;
use super::same_content::same_content;
use crate::builder::image_manifest::{ImageManifest, is_index, pick};
use crate::builder::image_spec::ImageSpec;

/// The longest configuration that is read.
const CONFIG_LIMIT: u64 = 8 * 1024 * 1024;

/// An image at its registry.
pub(super) struct Found {
    pub(super) manifest: Manifest,
    /// The configuration of its image of our platform; nothing where that is in no form that is known.
    config: Option<Vec<u8>>,
}

impl Found {
    /// Tells whether a new image is no other than this one, so that this one's digest is kept.
    pub(super) fn is_kept_as(&self, made: &Self) -> bool {
        self.manifest == made.manifest
            || matches!((&self.config, &made.config), (Some(own), Some(made)) if same_content(own, made))
    }
}

impl Shop {
    /// Finds the branch's image.
    pub(super) async fn previous(&self, image: &ImageSpec) -> Result<Option<Found>, Error> {
        match &self.options.revision.branch_tag {
            Some(tag) => self.found(image, tag).await,
            None => Ok(None),
        }
    }

    /// Finds the image that was pushed just now.
    pub(super) async fn made(&self, image: &ImageSpec, commands: &Commands<'_>) -> Result<Found, Error> {
        let found = self.found(image, &self.options.revision.sha.to_string()).await?;
        found.ok_or_else(|| {
            let message = format!("{} is not in its registry although it was pushed", commands.tagged());
            Error::new(ErrorKind::NotFound, message)
        })
    }

    async fn found(&self, image: &ImageSpec, tag: &str) -> Result<Option<Found>, Error> {
        let repository = image.repository();
        let Some(manifest) = self.client.manifest(&repository.tagged(tag)?).await? else { return Ok(None) };
        let of_platform = match pick(&manifest, &image.platform).filter(|_| is_index(&manifest)) {
            Some(digest) => self.client.manifest(&repository.at(&digest)?).await?,
            None => Some(manifest.clone()),
        };
        let config = match of_platform.as_ref().and_then(ImageManifest::parse) {
            Some(parsed) => Some(self.client.read_blob(repository, &parsed.config, CONFIG_LIMIT).await?),
            None => None,
        };
        Ok(Some(Found { manifest, config }))
    }
}
