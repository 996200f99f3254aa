//! [`ImagesFile`]: `images.toml`, which says what images there are.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cfgupdater_core::{Error, ErrorKind, ServiceName};
use serde::Deserialize;

use super::image_path::Destination;
use super::image_spec::ImageSpec;
use super::mode::Mode;
use super::owner::Owner;
use super::platform::Platform;
use super::source_path::SourcePath;

/// What the files of one image may hold, where the images file doesn't say more.
const MAX_SIZE: u64 = 8 * 1024 * 1024 * 1024;

/// What images there are, and what is in them.
#[derive(Debug, Clone)]
pub struct ImagesFile {
    pub(super) directory: PathBuf,
    pub(super) bins: Option<PathBuf>,
    pub(super) max_size: u64,
    images: Vec<ImageSpec>,
}

impl ImagesFile {
    /// Reads the file. Paths in it are relative to the directory that it is in.
    ///
    /// # Errors
    /// Says what can't be read or makes no sense, with the line where there is one.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let wrong = |why: String| Error::new(ErrorKind::Invalid, format!("{}: {why}", path.display()));
        let text = std::fs::read_to_string(path).map_err(|cause| wrong(format!("can't be read: {cause}")))?;
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        Self::parse(&text, directory.unwrap_or(Path::new("."))).map_err(wrong)
    }

    fn parse(text: &str, directory: &Path) -> Result<Self, String> {
        let file: RawFile = toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())?;
        let bins = file.bins.as_ref().and_then(|bins| bins.directory.as_ref());
        let bins = bins.map(|source| directory.join(source.to_string()));
        let max_size = file.max_size.unwrap_or(MAX_SIZE);
        Ok(Self { directory: directory.to_owned(), bins, max_size, images: ImageSpec::all(file)? })
    }

    /// Takes built binaries from this directory instead of the one that the file names.
    #[must_use]
    pub fn with_bins(mut self, directory: impl Into<PathBuf>) -> Self {
        self.bins = Some(directory.into());
        self
    }

    /// Has the names of all repositories begin with this instead of what the file says.
    ///
    /// # Errors
    /// Says which repository can't have the name that it would get.
    pub fn with_registry(mut self, registry: &str) -> Result<Self, Error> {
        for image in &mut self.images {
            image.set_registry(registry).map_err(|why| Error::new(ErrorKind::Invalid, why))?;
        }
        Ok(self)
    }

    /// Builds all images for these platforms, whatever the file says; for none, as it says.
    #[must_use]
    pub fn with_platforms(mut self, platforms: &[Platform]) -> Self {
        for image in &mut self.images {
            image.set_platforms(platforms.to_vec());
        }
        self
    }

    /// Returns the images: that of all binaries first, where there is one, then those of the services by their names.
    pub fn images(&self) -> &[ImageSpec] {
        &self.images
    }
}

/// One platform or several.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "RawPlatforms")]
pub(super) struct Platforms(pub(super) Vec<Platform>);

#[derive(Deserialize)]
#[serde(untagged, expecting = "a platform such as \"linux/amd64\", or a list of platforms")]
enum RawPlatforms {
    One(Platform),
    Several(Vec<Platform>),
}

impl TryFrom<RawPlatforms> for Platforms {
    type Error = &'static str;

    fn try_from(raw: RawPlatforms) -> Result<Self, Self::Error> {
        match raw {
            RawPlatforms::One(one) => Ok(Self(vec![one])),
            RawPlatforms::Several(several) if several.is_empty() => {
                Err("the list of platforms is empty; name one, or leave it out for linux/amd64")
            }
            RawPlatforms::Several(several) => Ok(Self(several)),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawFile {
    /// What the names of all repositories begin with.
    pub(super) registry: String,
    pub(super) platform: Option<Platforms>,
    pub(super) base: Option<String>,
    pub(super) max_size: Option<u64>,
    pub(super) labels: Option<BTreeMap<String, String>>,
    pub(super) bins: Option<RawBins>,
    pub(super) service: BTreeMap<ServiceName, RawService>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawBins {
    pub(super) directory: Option<SourcePath>,
    /// Everything that services may copy.
    pub(super) files: Vec<SourcePath>,
    /// The repository of an image that holds all of it.
    pub(super) image: Option<String>,
    /// What other builders build that image from.
    pub(super) dockerfile: Option<SourcePath>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawService {
    pub(super) image: String,
    /// What other builders build it from.
    pub(super) dockerfile: Option<SourcePath>,
    pub(super) base: Option<String>,
    pub(super) platform: Option<Platforms>,
    #[serde(default)]
    pub(super) bins: Vec<SourcePath>,
    #[serde(default)]
    pub(super) files: Vec<RawEntry>,
    pub(super) entrypoint: Option<Vec<String>>,
    pub(super) cmd: Option<Vec<String>>,
    pub(super) user: Option<String>,
    pub(super) workdir: Option<String>,
    pub(super) stop_signal: Option<String>,
    #[serde(default)]
    pub(super) env: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) labels: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) ports: Vec<String>,
}

/// One of `from` and `to`, `bin` and `to`, `directory`, or `link` and `target`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawEntry {
    pub(super) from: Option<SourcePath>,
    pub(super) bin: Option<SourcePath>,
    pub(super) to: Option<Destination>,
    pub(super) directory: Option<Destination>,
    pub(super) link: Option<Destination>,
    pub(super) target: Option<String>,
    pub(super) mode: Option<Mode>,
    #[serde(default)]
    pub(super) owner: Owner,
}

#[cfg(test)]
mod tests;
