//! Images built from Dockerfiles by somebody else's program, tagged and told as our own are.

mod commands;
mod driver;
mod run;

use std::sync::Arc;

use cfgupdater_core::{Error, ErrorKind, ImageDigest, Registry};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::build::{all_in_one, in_image};
use super::build_options::BuildOptions;
use super::built_image::{BuiltImage, Change};
use super::cache::CacheMode;
use super::image_spec::ImageSpec;
use super::images_file::ImagesFile;
use crate::client::RegistryClient;

use commands::Commands;
pub use driver::DockerfileDriver;

/// What all images of a build share.
struct Shop {
    driver: DockerfileDriver,
    client: RegistryClient,
    options: BuildOptions,
    directory: std::path::PathBuf,
    bin_image: Option<String>,
    slots: Semaphore,
}

/// Builds the images of a file from their Dockerfiles, and pushes and tags them. The image of all binaries comes first;
/// the others get it as the build argument `BIN_IMAGE`. `progress` is told of each image as it is done.
///
/// Whether the same content has the same digest is up to the driver: Docker keeps digests only by its cache.
///
/// # Errors
/// Fails where an image has no Dockerfile or can't be built, and where nothing is to be pushed: the digest of such an
/// image is known only once it is in its registry.
pub async fn build_dockerfiles(
    driver: &DockerfileDriver,
    file: &ImagesFile,
    client: &RegistryClient,
    options: &BuildOptions,
    progress: impl Fn(&BuiltImage),
) -> Result<Vec<BuiltImage>, Error> {
    if !options.push || options.oci_layout.is_some() {
        let message = format!(
            "{driver} builds are pushed; build without it to see what would change or to write a layout"
        );
        return Err(Error::new(ErrorKind::Invalid, message));
    }
    let (bins, services): (Vec<_>, Vec<_>) =
        file.images().iter().partition(|image| image.service().is_none());
    let sha = options.revision.sha;
    let mut shop = Shop {
        driver: driver.clone(),
        client: client.clone(),
        options: options.clone(),
        directory: file.directory.clone(),
        bin_image: None,
        slots: Semaphore::new(options.jobs.max(1)),
    };
    let mut built = Vec::new();
    if let Some(image) = bins.first() {
        built.push(shop.build(image).await.map_err(|error| in_image(image, &error))?);
        progress(&built[0]);
        shop.bin_image = Some(format!("{}:{sha}", image.repository()));
    }
    built.extend(all(Arc::new(shop), &services, progress).await?);
    Ok(built)
}

async fn all(
    shop: Arc<Shop>,
    images: &[&ImageSpec],
    progress: impl Fn(&BuiltImage),
) -> Result<Vec<BuiltImage>, Error> {
    let mut tasks = JoinSet::new();
    for (n, image) in images.iter().copied().cloned().enumerate() {
        let shop = Arc::clone(&shop);
        tasks.spawn(async move { (n, shop.build(&image).await.map_err(|error| in_image(&image, &error))) });
    }
    let (mut built, mut failures) = (std::collections::BTreeMap::new(), std::collections::BTreeMap::new());
    while let Some(ended) = tasks.join_next().await {
        let (n, outcome) =
            ended.map_err(|cause| Error::new(ErrorKind::Other, "a build broke off").with_source(cause))?;
        match outcome {
            Ok(image) => {
                progress(&image);
                built.insert(n, image);
            }
            Err(error) => {
                failures.insert(n, error);
            }
        }
    }
    all_in_one(failures).map_or_else(|| Ok(built.into_values().collect()), Err)
}

impl Shop {
    async fn build(&self, image: &ImageSpec) -> Result<BuiltImage, Error> {
        // The semaphore is never closed.
        let _slot = self.slots.acquire().await;
        let commands = Commands::new(self, image)?;
        let before = self.digest(image, self.options.revision.branch_tag.as_deref()).await?;
        if self.options.cache != CacheMode::Off
            && let Some(pull) = commands.pull()
            && before.is_some()
        {
            run::run(&self.driver, &pull).await?;
        }
        for command in commands.build_and_push() {
            run::run(&self.driver, &command).await?;
        }
        let sha = self.options.revision.sha.to_string();
        let digest = self.digest(image, Some(&sha)).await?.ok_or_else(|| {
            let message = format!("{} is not in its registry although it was pushed", commands.tagged());
            Error::new(ErrorKind::NotFound, message)
        })?;
        let change = match before {
            None => Change::New,
            Some(before) if before == digest => Change::Unchanged,
            Some(_) => Change::Changed,
        };
        Ok(BuiltImage {
            name: image.name().to_owned(),
            service: image.service().cloned(),
            repository: image.repository().clone(),
            digest,
            tag: sha,
            change,
            blobs_sent: 0,
            bytes_sent: 0,
        })
    }

    async fn digest(&self, image: &ImageSpec, tag: Option<&str>) -> Result<Option<ImageDigest>, Error> {
        let Some(tag) = tag else { return Ok(None) };
        let found = self.client.resolve(&image.repository().tagged(tag)?).await?;
        Ok(found.map(|found| found.digest))
    }
}
