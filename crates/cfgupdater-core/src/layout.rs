//! Where a set's images are kept in the tree, and how they are read and written there.

mod fields;
mod helm;
mod json;
mod kustomize;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::image::ImageMap;
use crate::name::{ServiceName, WaveName};
use crate::release::Release;
use crate::repo_path::{InvalidPath, RepoPath};
use crate::yaml::Refused;

pub use json::{decode_images, encode_images};

/// Where and in which form a set's images are kept, for each wave.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Layout {
    /// A path with `{wave}` in the place of the wave's name.
    pattern: String,
    form: Form,
}

/// The form of the image definitions.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Form {
    /// `tags.json` and `digests.json` in the directory that the path names, each of them service -> reference. They are
    /// written whole.
    Json,
    /// The list `images` of a `kustomization.yaml`, edited in place: `newName`, `newTag` and `digest` of each entry.
    /// Services that are not named here are called as their entry is.
    Kustomize(BTreeMap<ServiceName, String>),
    /// A values file of Helm, edited in place: for each service the mapping that holds `repository`, `tag` and `digest`,
    /// as keys with dots between them.
    Helm(BTreeMap<ServiceName, String>),
}

/// The default of a set's path.
pub const DEFAULT_PATH: &str = "images/{wave}";

/// Why a set's images can't be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LayoutError {
    /// The file can't take any images as it is: a person must mend it.
    #[error("{path} can't be edited: {why}")]
    File {
        /// The file.
        path: RepoPath,
        /// What is wrong with it.
        why: String,
    },
    /// These images don't fit what the file holds.
    #[error("the images don't fit {path}: {why}")]
    Images {
        /// The file.
        path: RepoPath,
        /// What doesn't fit.
        why: String,
    },
}

impl Layout {
    /// Builds a layout of `tags.json` and `digests.json` in a directory that names `{wave}` once.
    ///
    /// # Errors
    /// Fails where `{wave}` is missing or the path wouldn't stay inside the repository.
    pub fn new(pattern: &str) -> Result<Self, InvalidPath> {
        Self::of(Form::Json, pattern)
    }

    /// Builds a layout of any form from a path that names `{wave}` once.
    ///
    /// # Errors
    /// Fails where `{wave}` is missing or the path wouldn't stay inside the repository.
    pub fn of(form: Form, pattern: &str) -> Result<Self, InvalidPath> {
        pattern.replacen("{wave}", "wave", 1).parse::<RepoPath>()?;
        if pattern.matches("{wave}").count() != 1 {
            return Err(InvalidPath(format!("{pattern} (it must name {{wave}} once)")));
        }
        Ok(Self { pattern: pattern.to_owned(), form })
    }

    /// Returns the files of one wave.
    pub fn files(&self, wave: &WaveName) -> Vec<RepoPath> {
        let path = self.pattern.replacen("{wave}", wave.as_str(), 1);
        let file = |path: String| path.parse().expect("a checked pattern and a wave's name make a path");
        match self.form {
            Form::Json => ["tags.json", "digests.json"].map(|name| file(format!("{path}/{name}"))).into(),
            Form::Kustomize(_) | Form::Helm(_) => vec![file(path)],
        }
    }

    /// Tells whether the files are written whole, whatever they held.
    pub fn overwrites(&self) -> bool {
        self.form == Form::Json
    }

    /// Reads the images from the contents of the files, in the order of [`Layout::files`]; `None` where they are absent or
    /// don't hold a whole image for each service.
    pub fn read(&self, contents: &[Option<Vec<u8>>]) -> Option<ImageMap> {
        match (&self.form, contents) {
            (Form::Json, [Some(tags), Some(digests)]) => decode_images(tags, digests),
            (Form::Kustomize(names), [Some(content)]) => {
                fields::read(&kustomize::locate(text(content).ok()?, names).ok()?)
            }
            (Form::Helm(paths), [Some(content)]) => {
                fields::read(&helm::locate(text(content).ok()?, paths).ok()?)
            }
            _ => None,
        }
    }

    /// Returns what the files of a wave become when the images are put into them. Contents are in the order of
    /// [`Layout::files`]; where files are written whole they are not looked at.
    ///
    /// # Errors
    /// Says whether the file or the images are to blame. Nothing is guessed: what can't be edited without touching
    /// anything else is refused.
    pub fn write(
        &self,
        wave: &WaveName,
        contents: &[Option<Vec<u8>>],
        images: &ImageMap,
    ) -> Result<Vec<Vec<u8>>, LayoutError> {
        let files = self.files(wave);
        let at_fault = |why: Refused| LayoutError::File { path: files[0].clone(), why: why.to_string() };
        let locate = |content: &[u8]| match &self.form {
            Form::Json => Ok(Vec::new()),
            Form::Kustomize(names) => kustomize::locate(text(content)?, names),
            Form::Helm(paths) => helm::locate(text(content)?, paths),
        };
        if self.form == Form::Json {
            let (tags, digests) = encode_images(images);
            return Ok(vec![tags, digests]);
        }
        let content = contents.first().and_then(Option::as_deref);
        let content = content.ok_or_else(|| at_fault(Refused::new("it isn't there; add it")))?;
        let located = locate(content).map_err(at_fault)?;
        let unfit = |why: String| LayoutError::Images { path: files[0].clone(), why };
        fields::fits(&located, images).map_err(unfit)?;
        let edited = fields::write(text(content).map_err(at_fault)?, &located, images).map_err(at_fault)?;
        // What was written must be read back as the same images, or it would never count as landed.
        if self.read(&[Some(edited.clone().into_bytes())]).as_ref() != Some(images) {
            return Err(at_fault(Refused::new(
                "after the edit it would not hold the images that were written",
            )));
        }
        Ok(vec![edited.into_bytes()])
    }
}

fn text(content: &[u8]) -> Result<&str, Refused> {
    std::str::from_utf8(content).map_err(|_| Refused::new("it is not UTF-8"))
}

impl Default for Layout {
    fn default() -> Self {
        Self { pattern: DEFAULT_PATH.to_owned(), form: Form::Json }
    }
}

/// Which builds count as the same release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReleaseIdentity {
    /// Those with the same tags and digests.
    #[default]
    Full,
    /// Those with the same digests, whatever their tags.
    Digests,
}

impl ReleaseIdentity {
    /// Returns the release of a set's images.
    pub fn release(self, images: &ImageMap) -> Release {
        match self {
            Self::Full => images.release(),
            Self::Digests => Release::of_canonical_json(&json::project(images, |image| &image.digest)),
        }
    }
}

#[cfg(test)]
mod tests;
