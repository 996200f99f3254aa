//! One image: of one platform, or an index of several, named by its tags.

use std::sync::Arc;

use cfgupdater_core::{Descriptor, Error, ErrorKind, Manifest, Registry};

use super::build::Workshop;
use super::build_platform::{PlatformImage, Previous};
use super::built_image::{BuiltImage, Change};
use super::cache::CacheMode;
use super::held::Held;
use super::image_manifest::{ImageManifest, index, is_index, pick};
use super::image_spec::ImageSpec;
use super::platform::Platform;
use super::push::{Sent, push_tags};
use crate::client::Taken;

/// What an image's tags lead to before it is built.
struct Before {
    tag: String,
    manifest: Manifest,
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
        let before = self.before(image).await?;
        let mut built = self.build_all(image, before.as_ref(), Held::Believed).await?;
        let sha = self.options.revision.sha.to_string();
        if self.options.push
            && let Taken::PartsMissing(error) = self.tag(image, before.as_ref(), &built.manifest).await?
        {
            tracing::info!(%error, "{} is made again", image.name());
            built = self.build_all(image, before.as_ref(), Held::Lost).await?;
            if let Taken::PartsMissing(error) = self.tag(image, before.as_ref(), &built.manifest).await? {
                return Err(error);
            }
        }
        let descriptor = built.manifest.descriptor().clone();
        let told = BuiltImage {
            name: image.name().to_owned(),
            service: image.service().cloned(),
            repository: image.repository().clone(),
            digest: descriptor.digest.clone(),
            tag: sha,
            change: built.change,
            blobs_sent: built.sent.blobs,
            bytes_sent: built.sent.bytes,
        };
        Ok((told, descriptor))
    }

    /// Names an image by its commit's tag and its branch's, as far as they don't name it already.
    async fn tag(
        &self,
        image: &ImageSpec,
        before: Option<&Before>,
        manifest: &Manifest,
    ) -> Result<Taken, Error> {
        let settled = before.filter(|before| before.manifest == *manifest).map(|before| before.tag.as_str());
        let revision = &self.options.revision;
        let sha = revision.sha.to_string();
        let tags = [Some(sha.as_str()), revision.branch_tag.as_deref()];
        let tags: Vec<&str> = tags.into_iter().flatten().filter(|tag| settled != Some(tag)).collect();
        push_tags(&self.client, image.repository(), manifest, &tags).await
    }

    async fn build_all(
        self: &Arc<Self>,
        image: &ImageSpec,
        before: Option<&Before>,
        held: Held,
    ) -> Result<PlatformImage, Error> {
        match image.platforms.as_slice() {
            [only] => self.build_one(image, only, before, held).await,
            several => self.build_index(image, several, before, held).await,
        }
    }

    /// Finds what was built before: under the branch's tag, those given, or the commit's own.
    async fn before(&self, image: &ImageSpec) -> Result<Option<Before>, Error> {
        if self.options.cache == CacheMode::Off {
            return Ok(None);
        }
        let revision = &self.options.revision;
        let sha = revision.sha.to_string();
        let tags = revision.branch_tag.iter().chain(&self.options.cache_from).chain([&sha]);
        for tag in tags {
            let found = self.client.manifest(&image.repository().tagged(tag)?).await?;
            // Somebody may have put nonsense under the tag: that is nothing of ours.
            let known = found.filter(|found| is_index(found) || ImageManifest::parse(found).is_some());
            if let Some(manifest) = known {
                return Ok(Some(Before { tag: tag.clone(), manifest }));
            }
        }
        Ok(None)
    }

    /// Finds the image of a platform in what was built before.
    async fn previous(
        &self,
        image: &ImageSpec,
        platform: &Platform,
        before: Option<&Before>,
    ) -> Result<Option<Previous>, Error> {
        let Some(before) = before else { return Ok(None) };
        let manifest = if is_index(&before.manifest) {
            let Some(digest) = pick(&before.manifest, platform) else { return Ok(None) };
            self.client.manifest(&image.repository().at(&digest)?).await?
        } else {
            Some(before.manifest.clone())
        };
        Ok(manifest.and_then(|manifest| Some(Previous { image: ImageManifest::parse(&manifest)?, manifest })))
    }

    async fn build_one(
        self: &Arc<Self>,
        image: &ImageSpec,
        platform: &Platform,
        before: Option<&Before>,
        held: Held,
    ) -> Result<PlatformImage, Error> {
        let previous = self.previous(image, platform, before).await?;
        self.build_platform(&image.for_platform(platform), previous.as_ref(), held).await
    }

    /// Builds an image for each platform, pushes those by their digests alone, and makes an index of them.
    async fn build_index(
        self: &Arc<Self>,
        image: &ImageSpec,
        platforms: &[Platform],
        before: Option<&Before>,
        held: Held,
    ) -> Result<PlatformImage, Error> {
        let (mut images, mut sent) = (Vec::new(), Sent::default());
        for platform in platforms {
            let built = self.build_one(image, platform, before, held).await?;
            if self.options.push && (built.change != Change::Unchanged || held == Held::Lost) {
                self.client.put_manifest(image.repository(), None, &built.manifest).await?;
            }
            sent += built.sent;
            images.push((platform, built));
        }
        let manifest = index(images.iter().map(|(platform, built)| (*platform, &built.manifest)));
        let manifest = manifest.map_err(|why| Error::new(ErrorKind::Invalid, why))?;
        if let Some(layout) = &self.layout {
            layout.add_index(&manifest)?;
        }
        let is_kept = |change: Change| matches!(change, Change::Unchanged | Change::Replaced);
        let change = match before {
            None => Change::New,
            Some(before) if before.manifest == manifest => Change::Unchanged,
            Some(_) if images.iter().all(|(_, built)| is_kept(built.change)) => Change::Replaced,
            Some(_) => Change::Changed,
        };
        Ok(PlatformImage { manifest, change, sent })
    }
}
