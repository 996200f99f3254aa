//! [`ImageSpec`]: one image as it was asked for, checked.

use std::collections::{BTreeMap, BTreeSet};

use cfgupdater_core::{ImageRef, ServiceName};

use super::image_config::Settings;
use super::image_path::{Destination, ImagePath};
use super::images_file::{RawBins, RawEntry, RawFile, RawService};
use super::mode::Mode;
use super::owner::Owner;
use super::platform::Platform;
use super::source_path::SourcePath;
use crate::client::Repository;

/// Where the image of all binaries has them.
const BINS_DIRECTORY: &str = "/app-bins";

/// Labels whose values change with every build.
const CHANGING: [&str; 3] = [
    "org.opencontainers.image.created",
    "org.opencontainers.image.revision",
    "org.opencontainers.image.version",
];

/// One image as the images file asks for it.
#[derive(Debug, Clone)]
pub struct ImageSpec {
    service: Option<ServiceName>,
    repository: Repository,
    pub(super) base: Option<ImageRef>,
    pub(super) platform: Platform,
    pub(super) dockerfile: Option<SourcePath>,
    pub(super) content: Vec<Content>,
    pub(super) settings: Settings,
}

/// Something that is put into an image.
#[derive(Debug, Clone)]
pub(super) enum Content {
    /// A file, or what is in a directory.
    Copy {
        source: SourcePath,
        is_bin: bool,
        to: Destination,
        mode: Option<Mode>,
        owner: Owner,
    },
    Directory {
        path: ImagePath,
        mode: Mode,
        owner: Owner,
    },
    Link {
        path: ImagePath,
        target: String,
        owner: Owner,
    },
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

    pub(super) fn all(file: RawFile) -> Result<Vec<Self>, String> {
        let RawFile { registry, platform, base, labels, bins, service: services, .. } = file;
        if services.is_empty() {
            return Err("there is no service; add a table [service.NAME]".to_owned());
        }
        let shared = Shared {
            registry,
            platform: platform.unwrap_or_default(),
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

/// What all images have in common.
struct Shared {
    registry: String,
    platform: Platform,
    base: Option<String>,
    labels: BTreeMap<String, String>,
    bins: BTreeSet<SourcePath>,
}

impl Shared {
    fn repository(&self, image: &str) -> Result<Repository, String> {
        let text = format!("{}/{image}", self.registry.trim_end_matches('/'));
        text.parse()
            .map_err(|error| format!("`{}`: {}", text.escape_debug(), cfgupdater_core::explain(&error)))
    }

    fn bins_image(&self, bins: &RawBins, image: &str) -> Result<ImageSpec, String> {
        let directory = ImagePath::parse(BINS_DIRECTORY)?;
        let to = Destination { path: directory, is_directory: true };
        let content = bins.files.iter().map(|bin| copy_of_bin(bin, to.clone(), None, Owner::default()));
        Ok(ImageSpec {
            service: None,
            repository: self.repository(image)?,
            base: None,
            dockerfile: bins.dockerfile.clone(),
            platform: self.platform.clone(),
            content: content.collect(),
            settings: Settings::default(),
        })
    }

    fn service_image(&self, name: &ServiceName, service: RawService) -> Result<ImageSpec, String> {
        let root = Destination { path: ImagePath::parse("/")?, is_directory: true };
        let mut content = Vec::new();
        for bin in &service.bins {
            content.push(copy_of_bin(self.permitted(bin)?, root.clone(), None, Owner::default()));
        }
        for entry in &service.files {
            content.push(self.content(entry)?);
        }
        let base = Self::base(service.base.as_ref().or(self.base.as_ref()))?;
        if content.is_empty() && base.is_none() && service.dockerfile.is_none() {
            return Err("the image has neither files nor a base; give it one of them".to_owned());
        }
        Ok(ImageSpec {
            service: Some(name.clone()),
            repository: self.repository(&service.image)?,
            base,
            dockerfile: service.dockerfile.clone(),
            platform: service.platform.clone().unwrap_or_else(|| self.platform.clone()),
            content,
            settings: self.settings(service)?,
        })
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

    fn content(&self, entry: &RawEntry) -> Result<Content, String> {
        let owner = entry.owner;
        match entry.clone() {
            RawEntry {
                from: Some(source), to: Some(to), mode, bin: None, directory: None, link: None, target: None, ..
            } => Ok(Content::Copy { source, is_bin: false, to, mode, owner }),
            RawEntry { bin: Some(bin), to, mode, from: None, directory: None, link: None, target: None, .. } => {
                let root = Destination { path: ImagePath::parse("/")?, is_directory: true };
                Ok(copy_of_bin(self.permitted(&bin)?, to.unwrap_or(root), mode, owner))
            }
            RawEntry {
                directory: Some(at), mode, from: None, bin: None, to: None, link: None, target: None, ..
            } => Ok(Content::Directory { path: at.path, mode: mode.unwrap_or(Mode::DIRECTORY), owner }),
            RawEntry {
                link: Some(at),
                target: Some(target),
                from: None,
                bin: None,
                to: None,
                directory: None,
                mode: None,
                ..
            } => Ok(Content::Link { path: at.path, target: link_target(target)?, owner }),
            _ => Err("an entry of `files` is one of { from, to }, { bin, to }, { directory } and { link, target }; mode and owner may be added, a link has no mode".to_owned()),
        }
    }

    fn permitted<'a>(&self, bin: &'a SourcePath) -> Result<&'a SourcePath, String> {
        if self.bins.contains(bin) {
            return Ok(bin);
        }
        Err(format!("`{bin}` is not among the binaries that may be delivered; add it to [bins] files"))
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

fn copy_of_bin(bin: &SourcePath, to: Destination, mode: Option<Mode>, owner: Owner) -> Content {
    Content::Copy {
        source: bin.clone(),
        is_bin: true,
        to,
        mode: Some(mode.unwrap_or(Mode::EXECUTABLE)),
        owner,
    }
}

fn link_target(target: String) -> Result<String, String> {
    if target.is_empty() || target.len() > 4000 || target.chars().any(char::is_control) {
        return Err(format!(
            "a link can't lead to `{}`",
            target.chars().take(80).collect::<String>().escape_debug()
        ));
    }
    Ok(target)
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
