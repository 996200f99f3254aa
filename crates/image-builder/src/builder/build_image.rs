//! One image: made, compared with the one before, and brought to where it belongs.

use std::path::PathBuf;
use std::sync::Arc;

use cfgupdater_core::{Descriptor, Error, ErrorKind, ImageDigest, Manifest, Registry};

use super::base_image::BaseImage;
use super::build::Workshop;
use super::built_image::{BuiltImage, Change};
use super::cache::CacheMode;
use super::entry::Entries;
use super::family::Family;
use super::image_config::image_config;
use super::image_manifest::ImageManifest;
use super::image_spec::ImageSpec;
use super::layer::diff_id;
use super::layer_file::{LayerFile, write_layer};
use super::push::{Parts, Sent, push_parts, push_tags};
use crate::client::BlobSource;

/// The image that was built before.
struct Previous {
    tag: String,
    manifest: Manifest,
    image: ImageManifest,
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
    /// Builds one image, and returns what names its manifest.
    pub(super) async fn build_image(
        self: &Arc<Self>,
        image: &ImageSpec,
    ) -> Result<(BuiltImage, Descriptor), Error> {
        if image.base.is_none() && image.content.is_empty() {
            let message =
                "it has a Dockerfile only; give it files or a base, or build with a driver that reads it";
            return Err(Error::new(ErrorKind::Invalid, message));
        }
        let (base, previous) = tokio::try_join!(self.base(image), self.previous(image))?;
        let spec = image.clone();
        let entries = Arc::new(self.work(move |workshop| workshop.sources.entries(&spec)).await?);
        let plan = Plan { image, base, entries, epoch: self.options.epoch };
        if let Some(previous) = previous.as_ref().filter(|_| self.may_be_same())
            && self.is_same(&plan, previous).await?
        {
            return self.done(image, Some(previous), &previous.manifest, None).await;
        }
        let made = self.make(&plan).await?;
        let parts = Parts {
            base: plan.base.as_ref(),
            config: (&made.config.0, &made.config.1),
            layer: made.layer.as_ref().map(|(layer, file)| (layer, file.clone())),
        };
        let done = self.done(image, previous.as_ref(), &made.manifest, Some(&parts)).await;
        if let Some((_, file)) = &made.layer {
            // The directory goes in any case; layers need not pile up until then.
            let _ = tokio::fs::remove_file(file).await;
        }
        done
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

    /// Finds the image that was built before: under the branch's tag, those given, or the commit's own.
    async fn previous(&self, image: &ImageSpec) -> Result<Option<Previous>, Error> {
        if self.options.cache == CacheMode::Off {
            return Ok(None);
        }
        let revision = &self.options.revision;
        let sha = revision.sha.to_string();
        let tags = revision.branch_tag.iter().chain(&self.options.cache_from).chain([&sha]);
        for tag in tags {
            let found = self.client.manifest(&image.repository().tagged(tag)?).await?;
            // Somebody may have put an index or nonsense under the tag: that is no image of ours.
            let read = found.and_then(|manifest| Some((ImageManifest::parse(&manifest)?, manifest)));
            if let Some((image, manifest)) = read {
                return Ok(Some(Previous { tag: tag.clone(), manifest, image }));
            }
        }
        Ok(None)
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
            Some(self.work(move |workshop| diff_id(&entries, &workshop.sources, epoch)).await?)
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
            let path = file.clone();
            let written =
                self.work(move |workshop| write_layer(&entries, &workshop.sources, epoch, &path)).await?;
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

    /// Pushes, tags and writes an image, as far as that is wanted and not done already.
    async fn done(
        &self,
        image: &ImageSpec,
        previous: Option<&Previous>,
        manifest: &Manifest,
        parts: Option<&Parts<'_>>,
    ) -> Result<(BuiltImage, Descriptor), Error> {
        let target = image.repository();
        let sha = self.options.revision.sha.to_string();
        let change = compare(previous, manifest);
        let mut sent = Sent::default();
        if self.options.push {
            // A registry takes a manifest only where it has all that the manifest names.
            if let Some(parts) = parts.filter(|_| change != Change::Unchanged) {
                sent = push_parts(&self.client, target, parts, &self.scratch_file(image, "base")).await?;
            }
            let settled =
                previous.filter(|_| change == Change::Unchanged).map(|previous| previous.tag.as_str());
            let tags = [Some(sha.as_str()), self.options.revision.branch_tag.as_deref()];
            let tags: Vec<&str> = tags.into_iter().flatten().filter(|tag| settled != Some(tag)).collect();
            push_tags(&self.client, target, manifest, &tags).await?;
        }
        if let (Some(layout), Some(parts)) = (&self.layout, parts) {
            layout.add(&self.client, parts, manifest).await?;
        }
        let built = BuiltImage {
            name: image.name().to_owned(),
            service: image.service().cloned(),
            repository: target.clone(),
            digest: manifest.descriptor().digest.clone(),
            tag: sha,
            change,
            blobs_sent: sent.blobs,
            bytes_sent: sent.bytes,
        };
        Ok((built, manifest.descriptor().clone()))
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
