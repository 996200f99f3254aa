//! [`Shared`]: reads the images of a file, and what they have in common.

use std::collections::{BTreeMap, BTreeSet};

use cfgupdater_core::{ImageRef, ServiceName};

use super::ImageSpec;
use crate::builder::content::{Content, permitted};
use crate::builder::image_config::Settings;
use crate::builder::image_path::{Destination, ImagePath};
use crate::builder::images_file::{RawBins, RawService};
use crate::builder::owner::Owner;
use crate::builder::platform::Platform;
use crate::builder::source_path::SourcePath;
use crate::client::Repository;

/// Where the image of all binaries has them.
const BINS_DIRECTORY: &str = "/app-bins";

/// Labels whose values change with every build.
const CHANGING: [&str; 3] = [
    "org.opencontainers.image.created",
    "org.opencontainers.image.revision",
    "org.opencontainers.image.version",
];

/// What all images have in common.
pub(super) struct Shared {
    pub(super) registry: String,
    pub(super) platforms: Vec<Platform>,
    pub(super) base: Option<String>,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) bins: BTreeSet<SourcePath>,
}

impl Shared {
    pub(super) fn bins_image(&self, bins: &RawBins, image: &str) -> Result<ImageSpec, String> {
        let directory = ImagePath::parse(BINS_DIRECTORY)?;
        let to = Destination { path: directory, is_directory: true };
        let content = bins.files.iter().map(|bin| Content::bin(bin, to.clone(), None, Owner::default()));
        let mut image = ImageSpec {
            service: None,
            image: image.to_owned(),
            repository: repository(&self.registry, image)?,
            base: None,
            dockerfile: bins.dockerfile.clone(),
            platforms: Vec::new(),
            platform: Platform::default(),
            content: content.collect(),
            settings: Settings::default(),
        };
        image.set_platforms(self.platforms.clone());
        Ok(image)
    }

    pub(super) fn service_image(&self, name: &ServiceName, service: RawService) -> Result<ImageSpec, String> {
        let root = Destination { path: ImagePath::parse("/")?, is_directory: true };
        let mut content = Vec::new();
        for bin in &service.bins {
            content.push(Content::bin(permitted(bin, &self.bins)?, root.clone(), None, Owner::default()));
        }
        for entry in &service.files {
            content.push(Content::parse(entry, &self.bins)?);
        }
        let base = Self::base(service.base.as_ref().or(self.base.as_ref()))?;
        if content.is_empty() && base.is_none() && service.dockerfile.is_none() {
            return Err("the image has neither files nor a base; give it one of them".to_owned());
        }
        let platforms = service.platform.as_ref().map_or(&self.platforms, |platforms| &platforms.0).clone();
        let mut image = ImageSpec {
            service: Some(name.clone()),
            image: service.image.clone(),
            repository: repository(&self.registry, &service.image)?,
            base,
            dockerfile: service.dockerfile.clone(),
            platforms: Vec::new(),
            platform: Platform::default(),
            content,
            settings: self.settings(service)?,
        };
        image.set_platforms(platforms);
        Ok(image)
    }

    /// A base is named by its digest: what a tag names changes, and every image with it.
    fn base(text: Option<&String>) -> Result<Option<ImageRef>, String> {
        let Some(text) = text.filter(|text| *text != "scratch") else { return Ok(None) };
        let base: ImageRef = text.parse().map_err(|error| format!("base: {error}"))?;
        if base.digest().is_none() {
            let name = base.repository();
            return Err(format!(
                "base `{base}` has no digest, so that its content may change; write {name}@sha256:…, or `scratch`"
            ));
        }
        Ok(Some(base))
    }

    fn settings(&self, service: RawService) -> Result<Settings, String> {
        let mut labels = self.labels.clone();
        labels.extend(service.labels);
        if let Some(label) = labels.keys().find(|label| CHANGING.contains(&label.as_str())) {
            return Err(format!(
                "the label {label} would change with every build, and the image with it; the commit is in the image's tag"
            ));
        }
        let ports = service.ports.iter().map(|port| full_port(port)).collect::<Result<_, _>>()?;
        if let Some(name) = service.env.keys().find(|name| name.is_empty() || name.contains('=')) {
            return Err(format!("`{}` can't be the name of a variable", name.escape_debug()));
        }
        Ok(Settings {
            entrypoint: service.entrypoint,
            cmd: service.cmd,
            user: service.user,
            workdir: service.workdir,
            stop_signal: service.stop_signal,
            env: service.env,
            labels,
            ports,
        })
    }
}

/// Names a repository below a registry.
pub(super) fn repository(registry: &str, image: &str) -> Result<Repository, String> {
    let text = format!("{}/{image}", registry.trim_end_matches('/'));
    text.parse().map_err(|error| format!("`{}`: {}", text.escape_debug(), cfgupdater_core::explain(&error)))
}

/// Reads `8080` or `53/udp`.
fn full_port(text: &str) -> Result<String, String> {
    let (number, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    match number.parse::<u16>() {
        Ok(number) if number > 0 && ["tcp", "udp", "sctp"].contains(&protocol) => {
            Ok(format!("{number}/{protocol}"))
        }
        _ => Err(format!("`{}` is not a port; write 8080 or 53/udp", text.escape_debug())),
    }
}
