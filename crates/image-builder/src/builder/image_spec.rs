//! [`ImageSpec`]: one image as it was asked for, checked.

mod shared;

use std::collections::{BTreeMap, BTreeSet};

use cfgupdater_core::{ImageRef, ServiceName};

use super::content::Content;
use super::image_config::Settings;
use super::images_file::RawFile;
use super::platform::Platform;
use super::source_path::SourcePath;
use crate::client::Repository;

use shared::Shared;

/// One image as the images file asks for it.
#[derive(Debug, Clone)]
pub struct ImageSpec {
    service: Option<ServiceName>,
    /// The repository's name below the registry, as the file has it.
    image: String,
    repository: Repository,
    pub(super) base: Option<ImageRef>,
    /// What it is built for, sorted; an index where there are several.
    pub(super) platforms: Vec<Platform>,
    /// The one of them that is being built.
    pub(super) platform: Platform,
    pub(super) dockerfile: Option<SourcePath>,
    pub(super) content: Vec<Content>,
    pub(super) settings: Settings,
}

impl ImageSpec {
    /// Returns the service that the image is of; the image of all binaries is of none.
    pub fn service(&self) -> Option<&ServiceName> {
        self.service.as_ref()
    }

    /// Returns where the image goes.
    pub fn repository(&self) -> &Repository {
        &self.repository
    }

    /// Returns what people call the image.
    pub fn name(&self) -> &str {
        let path = self.repository.path();
        self.service.as_ref().map_or(path.rsplit('/').next().unwrap_or(path), ServiceName::as_str)
    }

    /// Returns the image as it is built for one platform: paths that name the platform are those of this one.
    pub(super) fn for_platform(&self, platform: &Platform) -> Self {
        let mut image = self.clone();
        image.set_platforms(vec![platform.clone()]);
        for content in &mut image.content {
            if let Content::Copy { source, .. } = content {
                *source = source.on(platform);
            }
        }
        image
    }

    /// Puts the image below another registry.
    pub(super) fn set_registry(&mut self, registry: &str) -> Result<(), String> {
        self.repository = shared::repository(registry, &self.image)?;
        Ok(())
    }

    /// Builds the image for these platforms. Their order makes no difference.
    pub(super) fn set_platforms(&mut self, mut platforms: Vec<Platform>) {
        platforms.sort();
        platforms.dedup();
        if let Some(first) = platforms.first() {
            self.platform = first.clone();
            self.platforms = platforms;
        }
    }

    pub(super) fn all(file: RawFile) -> Result<Vec<Self>, String> {
        let RawFile { registry, platform, base, labels, bins, service: services, .. } = file;
        if services.is_empty() {
            return Err("there is no service; add a table [service.NAME]".to_owned());
        }
        let shared = Shared {
            registry,
            platforms: platform.map_or_else(|| vec![Platform::default()], |platforms| platforms.0),
            base,
            labels: labels.unwrap_or_default(),
            bins: bins.as_ref().map(|bins| bins.files.iter().cloned().collect()).unwrap_or_default(),
        };
        let of_bins = bins.as_ref().and_then(|bins| Some(shared.bins_image(bins, bins.image.as_ref()?)));
        let of_services = services.into_iter().map(|(name, service)| {
            shared.service_image(&name, service).map_err(|why| format!("service {name}: {why}"))
        });
        let images = of_bins.into_iter().chain(of_services).collect::<Result<Vec<_>, _>>()?;
        refuse_doubles(&images)?;
        Ok(images)
    }
}

fn refuse_doubles(images: &[ImageSpec]) -> Result<(), String> {
    let (mut repositories, mut names) = (BTreeMap::new(), BTreeSet::new());
    for image in images {
        let (repository, name) = (&image.repository, image.name());
        if let Some(other) = repositories.insert(repository, name) {
            return Err(format!("{repository} is the image of both {other} and {name}"));
        }
        if !names.insert(name) {
            return Err(format!(
                "both the image of all binaries and a service are called {name}; rename one"
            ));
        }
    }
    Ok(())
}
