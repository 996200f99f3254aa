//! Images built from Dockerfiles by somebody else's program, tagged and told as our own are.

mod commands;
mod driver;
mod previous;
mod run;
mod same_content;

use std::path::PathBuf;
use std::sync::Arc;

use cfgupdater_core::{Error, ErrorKind};
use tokio::sync::Semaphore;

use super::build_options::BuildOptions;
use super::built_image::{BuiltImage, Change};
use super::cache::CacheMode;
use super::image_spec::ImageSpec;
use super::images_file::ImagesFile;
use super::together::{of_image, together};
use crate::client::RegistryClient;

use commands::Commands;
pub use driver::DockerfileDriver;
use previous::Found;

/// What all images of a build share.
struct Shop {
    driver: DockerfileDriver,
    client: RegistryClient,
    options: BuildOptions,
    directory: PathBuf,
    bin_image: Option<String>,
    /// The directory of certificates that the program is told to trust.
    certificates: Option<PathBuf>,
    slots: Semaphore,
}

/// Builds the images of a file from their Dockerfiles, and pushes and tags them. The image of all binaries comes first;
/// the others get it as the build argument `BIN_IMAGE`. `progress` is told of each image as it is done.
///
/// An image that holds and runs the same as the branch's before keeps that one's digest, whatever the driver made of it.
/// Whether the same sources make the same content is up to the driver: Docker knows only by its cache.
///
/// # Errors
/// Fails where an image has no Dockerfile or can't be built, where the driver can't be told the logins or certificates it
/// was given, and where nothing is to be pushed: the digest of such an image is known only once it is in its registry.
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
    // It goes with this call, also where that is given up.
    let certificates = driver.certificates()?;
    let mut shop = Shop {
        driver: driver.clone(),
        client: client.clone(),
        options: options.clone(),
        directory: file.directory.clone(),
        bin_image: None,
        certificates: certificates.as_ref().map(|directory| directory.path().to_owned()),
        slots: Semaphore::new(options.jobs.max(1)),
    };
    let mut built = Vec::new();
    if let Some(image) = bins.first() {
        built.push(shop.build(image).await.map_err(|error| of_image(image.name(), &error))?);
        progress(&built[0]);
        shop.bin_image = Some(format!("{}:{sha}", image.repository()));
    }
    let shop = Arc::new(shop);
    let one = |image: ImageSpec| {
        let shop = Arc::clone(&shop);
        async move { shop.build(&image).await }
    };
    built.extend(together(services, one, progress).await?);
    Ok(built)
}

impl Shop {
    async fn build(&self, image: &ImageSpec) -> Result<BuiltImage, Error> {
        // The semaphore is never closed.
        let _slot = self.slots.acquire().await;
        let commands = Commands::new(self, image)?;
        let before = self.previous(image).await?;
        if self.options.cache != CacheMode::Off
            && let Some(pull) = commands.pull()
            && before.is_some()
        {
            run::run(&self.driver, &pull).await?;
        }
        for command in commands.build_and_push() {
            run::run(&self.driver, &command).await?;
        }
        let made = self.made(image, &commands).await?;
        let is_kept = |before: &&Found| match self.options.cache {
            CacheMode::Off => before.manifest == made.manifest,
            _ => before.is_kept_as(&made),
        };
        let kept = before.as_ref().filter(is_kept);
        let sha = self.options.revision.sha.to_string();
        if let Some(kept) = kept {
            self.client.put_manifest(image.repository(), Some(&sha), &kept.manifest).await?;
        } else {
            for command in commands.tag_and_push_branch() {
                run::run(&self.driver, &command).await?;
            }
        }
        let change = match (&before, kept) {
            (None, _) => Change::New,
            (Some(_), Some(_)) => Change::Unchanged,
            (Some(_), None) => Change::Changed,
        };
        Ok(BuiltImage {
            name: image.name().to_owned(),
            service: image.service().cloned(),
            repository: image.repository().clone(),
            digest: kept.unwrap_or(&made).manifest.descriptor().digest.clone(),
            tag: sha,
            change,
            blobs_sent: 0,
            bytes_sent: 0,
        })
    }
}
