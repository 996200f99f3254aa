//! The image of one platform: made, and compared with the one before.

use std::path::PathBuf;
use std::sync::Arc;

use cfgupdater_core::{Descriptor, Error, ImageDigest, Manifest};

use super::base_image::BaseImage;
use super::build::Workshop;
use super::built_image::Change;
use super::cache::CacheMode;
use super::entry::Entries;
use super::family::Family;
use super::held::Held;
use super::image_config::image_config;
use super::image_manifest::ImageManifest;
use super::image_spec::ImageSpec;
use super::layer::diff_id;
use super::layer_file::{LayerFile, write_layer};
use super::push::{Parts, Sent, push_parts};
use crate::client::BlobSource;

/// The image of the same platform that was built before.
pub(super) struct Previous {
    pub(super) manifest: Manifest,
    pub(super) image: ImageManifest,
}

/// An image of one platform whose parts are where they belong; its manifest isn't yet.
pub(super) struct PlatformImage {
    pub(super) manifest: Manifest,
    pub(super) change: Change,
    pub(super) sent: Sent,
}

/// What is known of an image before its layer is made.
struct Plan<'a> {
    image: &'a ImageSpec,
    base: Option<BaseImage>,
    entries: Arc<Entries>,
    epoch: u64,
}

/// An image with all its parts.
struct Made {
    manifest: Manifest,
    config: (Descriptor, BlobSource),
    layer: Option<(Descriptor, PathBuf)>,
}

impl Workshop {
    /// Builds an image for the one platform that it is to be of, and brings its parts to where they belong.
    pub(super) async fn build_platform(
        self: &Arc<Self>,
        image: &ImageSpec,
        previous: Option<&Previous>,
        held: Held,
    ) -> Result<PlatformImage, Error> {
        let base = self.base(image).await?;
        let spec = image.clone();
        let entries = self.work(move |workshop| workshop.sources(&spec.platform)?.entries(&spec)).await?;
        let plan = Plan { image, base, entries: Arc::new(entries), epoch: self.options.epoch };
        if let Some(previous) = previous.filter(|_| held == Held::Believed && self.may_be_same())
            && self.is_same(&plan, previous).await?
        {
            let (manifest, sent) = (previous.manifest.clone(), Sent::default());
            return Ok(PlatformImage { manifest, change: Change::Unchanged, sent });
        }
        let made = self.make(&plan).await?;
        let parts = Parts {
            base: plan.base.as_ref(),
            config: (&made.config.0, &made.config.1),
            layer: made.layer.as_ref().map(|(layer, file)| (layer, file.clone())),
        };
        let change = compare(previous, &made.manifest);
        // What didn't change is there already.
        let pushes = self.options.push && (change != Change::Unchanged || held == Held::Lost);
        let sent = self.bring(image, &parts, &made.manifest, pushes).await;
        if let Some((_, file)) = &made.layer {
            // The directory goes in any case; layers need not pile up until then.
            let _ = tokio::fs::remove_file(file).await;
        }
        Ok(PlatformImage { sent: sent?, manifest: made.manifest, change })
    }

    /// Pushes the parts of an image, as far as they are not there, and writes them, as far as that is wanted.
    async fn bring(
        &self,
        image: &ImageSpec,
        parts: &Parts<'_>,
        manifest: &Manifest,
        pushes: bool,
    ) -> Result<Sent, Error> {
        let mut sent = Sent::default();
        // A registry takes a manifest only where it has all that the manifest names.
        if pushes {
            let (passed, passing) = (&self.base_layers, self.scratch_file(image, "base"));
            sent = push_parts(&self.client, passed, image.repository(), parts, &passing).await?;
        }
        if let Some(layout) = &self.layout {
            layout.add(&self.client, parts, manifest).await?;
        }
        Ok(sent)
    }

    /// Tells whether it can be found out without making an image that it is the one before. A layout holds every layer, so
    /// that each must be made for it.
    fn may_be_same(&self) -> bool {
        let knows = self.known_layers.as_ref().is_some_and(|known| !known.is_empty());
        self.layout.is_none()
            && match self.options.cache {
                CacheMode::Trust => true,
                CacheMode::Verify => knows,
                CacheMode::Off => false,
            }
    }

    /// Tells whether the image before has the configuration that this one will have, and fits it. Unless it is trusted, all
    /// of it must be as this machine would make it: what our layer's content was compressed to before is known.
    async fn is_same(self: &Arc<Self>, plan: &Plan<'_>, previous: &Previous) -> Result<bool, Error> {
        let layers = plan.base.as_ref().map_or(&[][..], |base| &base.layers);
        let ours = usize::from(!plan.entries.is_empty());
        let fits = previous.image.family == plan.family()
            && previous.image.layers.len() == layers.len() + ours
            && previous.image.layers.starts_with(layers);
        if !fits {
            return Ok(false);
        }
        let layer = if plan.entries.is_empty() {
            None
        } else {
            let (entries, epoch) = (Arc::clone(&plan.entries), plan.epoch);
            let platform = plan.image.platform.clone();
            Some(self.work(move |workshop| diff_id(&entries, workshop.sources(&platform)?, epoch)).await?)
        };
        let config = plan.config(layer.as_ref());
        if self.options.cache == CacheMode::Trust {
            return Ok(ImageDigest::of(&config) == previous.image.config.digest);
        }
        let known = layer.as_ref().map(|layer| self.known_layers.as_ref()?.find(layer));
        let layer = match known {
            Some(None) => return Ok(false),
            Some(Some(known)) => Some(plan.layer(&known)),
            None => None,
        };
        let (_, manifest) = plan.manifest(&config, layer.as_ref());
        Ok(manifest.descriptor().digest == previous.manifest.descriptor().digest)
    }

    async fn make(self: &Arc<Self>, plan: &Plan<'_>) -> Result<Made, Error> {
        let (mut layer, mut content) = (None, None);
        if !plan.entries.is_empty() {
            let (entries, epoch) = (Arc::clone(&plan.entries), plan.epoch);
            let file = self.scratch_file(plan.image, "layer");
            let (path, platform) = (file.clone(), plan.image.platform.clone());
            let written = self
                .work(move |workshop| write_layer(&entries, workshop.sources(&platform)?, epoch, &path))
                .await?;
            if let Some(known) = &self.known_layers {
                known.keep(&written);
            }
            layer = Some((plan.layer(&written), file));
            content = Some(written.diff_id);
        }
        let config: Arc<[u8]> = plan.config(content.as_ref()).into();
        let (descriptor, manifest) = plan.manifest(&config, layer.as_ref().map(|(layer, _)| layer));
        Ok(Made { manifest, config: (descriptor, BlobSource::Bytes(config)), layer })
    }
}

impl Plan<'_> {
    /// An image is of its base's family.
    fn family(&self) -> Family {
        self.base.as_ref().map_or(Family::Oci, |base| base.family)
    }

    fn layer(&self, made: &LayerFile) -> Descriptor {
        Descriptor::new(self.family().layer(), made.digest.clone(), made.size)
    }

    /// Names the configuration, and makes the manifest of an image that has it and our layer on top of the base's.
    fn manifest(&self, config: &[u8], layer: Option<&Descriptor>) -> (Descriptor, Manifest) {
        let family = self.family();
        let config = Descriptor::new(family.config(), ImageDigest::of(config), config.len() as u64);
        let mut layers = self.base.as_ref().map(|base| base.layers.clone()).unwrap_or_default();
        layers.extend(layer.cloned());
        let image = ImageManifest { family, config: config.clone(), layers };
        (config, image.to_manifest())
    }

    fn config(&self, layer: Option<&ImageDigest>) -> Vec<u8> {
        let base = self.base.as_ref().map(|base| &base.config);
        image_config(base, layer, &self.image.settings, &self.image.platform, self.epoch)
    }
}

fn compare(previous: Option<&Previous>, manifest: &Manifest) -> Change {
    let Some(previous) = previous else { return Change::New };
    if previous.manifest.descriptor().digest == manifest.descriptor().digest {
        return Change::Unchanged;
    }
    let config = ImageManifest::parse(manifest).map(|image| image.config.digest);
    if config.as_ref() == Some(&previous.image.config.digest) { Change::Replaced } else { Change::Changed }
}
