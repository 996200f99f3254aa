//! [`build`]: all images of a file, at the same time.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use cfgupdater_core::{Descriptor, Error, ErrorKind, ImageDigest, ImageRef};
use tempfile::TempDir;
use tokio::sync::{Mutex, OnceCell, Semaphore};

use super::base_image::BaseImage;
use super::base_layers::BaseLayers;
use super::build_options::BuildOptions;
use super::built_image::BuiltImage;
use super::image_spec::ImageSpec;
use super::images_file::ImagesFile;
use super::known_layers::KnownLayers;
use super::oci_layout::OciLayout;
use super::platform::Platform;
use super::scan::Sources;
use super::together::together;
use crate::client::RegistryClient;

/// How many images are dealt with at a time, most of them waiting for a registry.
const AT_A_TIME: usize = 16;

/// A base is read once for each platform.
type BaseKey = (ImageRef, Platform);

/// A build that somebody waits for. Once nobody does, threads that make layers stop, and what they made is removed.
struct Attended {
    given_up: Arc<AtomicBool>,
    scratch: TempDir,
}

impl Attended {
    fn begin() -> Result<Self, Error> {
        let scratch = tempfile::tempdir().map_err(|cause| {
            Error::new(ErrorKind::Other, "there is no place for layers; check TMPDIR").with_source(cause)
        })?;
        Ok(Self { given_up: Arc::default(), scratch })
    }
}

impl Drop for Attended {
    fn drop(&mut self) {
        self.given_up.store(true, Ordering::Relaxed);
    }
}

/// What all images of a build share.
pub(super) struct Workshop {
    pub(super) client: RegistryClient,
    pub(super) options: BuildOptions,
    sources: BTreeMap<Platform, Sources>,
    scratch: PathBuf,
    pub(super) layout: Option<OciLayout>,
    pub(super) known_layers: Option<KnownLayers>,
    benches: Semaphore,
    bases: Mutex<BTreeMap<BaseKey, Arc<OnceCell<BaseImage>>>>,
    pub(super) base_layers: BaseLayers,
}

/// Builds the images of a file, and pushes, tags and writes them as the options say. `progress` is told of each image
/// as it is done. Images come back in the order of the file's.
///
/// A build that is dropped leaves nothing in the directory of temporary files.
///
/// # Errors
/// Fails where any image can't be built, and says so of each that can't. Images that could be are pushed then.
pub async fn build(
    file: &ImagesFile,
    client: &RegistryClient,
    options: &BuildOptions,
    progress: impl Fn(&BuiltImage),
) -> Result<Vec<BuiltImage>, Error> {
    let attended = Attended::begin()?;
    let workshop = Arc::new(Workshop::open(file, client, options, &attended)?);
    let slots = Arc::new(Semaphore::new(AT_A_TIME));
    let one = |image: ImageSpec| {
        let (workshop, slots) = (Arc::clone(&workshop), Arc::clone(&slots));
        async move {
            // The semaphore is never closed.
            let _slot = slots.acquire().await;
            workshop.build_image(&image).await
        }
    };
    let built = together(file.images(), one, |(image, _)| progress(image)).await?;
    let (built, descriptors): (Vec<_>, Vec<_>) = built.into_iter().unzip();
    if let Some(layout) = &workshop.layout {
        let names = built.iter().map(|image| image.name.clone());
        layout.finish(&names.zip(descriptors).collect::<Vec<(String, Descriptor)>>())?;
    }
    Ok(built)
}

fn open_sources(file: &ImagesFile, given_up: &Arc<AtomicBool>) -> Result<BTreeMap<Platform, Sources>, Error> {
    let platforms: BTreeSet<&Platform> = file.images().iter().flat_map(|image| &image.platforms).collect();
    let open = |platform: &Platform| Ok((platform.clone(), Sources::open(file, platform, given_up)?));
    platforms.into_iter().map(open).collect()
}

impl Workshop {
    fn open(
        file: &ImagesFile,
        client: &RegistryClient,
        options: &BuildOptions,
        attended: &Attended,
    ) -> Result<Self, Error> {
        Ok(Self {
            client: client.clone(),
            options: options.clone(),
            sources: open_sources(file, &attended.given_up)?,
            scratch: attended.scratch.path().to_owned(),
            layout: options.oci_layout.as_deref().map(OciLayout::create).transpose()?,
            known_layers: options.cache_directory.as_deref().map(KnownLayers::within),
            benches: Semaphore::new(options.jobs.max(1)),
            bases: Mutex::default(),
            base_layers: BaseLayers::default(),
        })
    }

    /// Returns where the files for a platform are.
    pub(super) fn sources(&self, platform: &Platform) -> Result<&Sources, Error> {
        let unknown = || Error::new(ErrorKind::Other, format!("nothing is built for {platform}"));
        self.sources.get(platform).ok_or_else(unknown)
    }

    /// Returns the name of a file that no other image of the build has.
    pub(super) fn scratch_file(&self, image: &ImageSpec, what: &str) -> PathBuf {
        let name = format!("{} {}", image.repository(), image.platform);
        self.scratch.join(format!("{}-{what}", ImageDigest::of(name.as_bytes()).hex()))
    }

    /// Reads an image's base, once for all images that have it.
    pub(super) async fn base(&self, image: &ImageSpec) -> Result<Option<BaseImage>, Error> {
        let Some(base) = &image.base else { return Ok(None) };
        let key = (base.clone(), image.platform.clone());
        let cell = Arc::clone(self.bases.lock().await.entry(key).or_default());
        let read = cell.get_or_try_init(|| BaseImage::read(&self.client, base, &image.platform)).await?;
        Ok(Some(read.clone()))
    }

    /// Does something that takes a processor, when one is free.
    pub(super) async fn work<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        // The semaphore is never closed.
        let _bench = self.benches.acquire().await;
        let workshop = Arc::clone(self);
        let done = tokio::task::spawn_blocking(move || work(&workshop)).await;
        done.map_err(|cause| Error::new(ErrorKind::Other, "a build broke off").with_source(cause))?
    }
}
