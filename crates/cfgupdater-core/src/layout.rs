//! Where a set's images are kept in the tree: `tags.json` and `digests.json` for each wave.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::image::{Image, ImageMap};
use crate::name::{ServiceName, WaveName};
use crate::release::Release;
use crate::repo_path::{InvalidPath, RepoPath};

/// The directory of a set's image definitions, with `{wave}` in the place of the wave's name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Layout {
    pattern: String,
}

/// The default of a set's path.
pub const DEFAULT_PATH: &str = "images/{wave}";

impl Layout {
    /// Builds a layout from a path that names `{wave}` once.
    ///
    /// # Errors
    /// Fails where `{wave}` is missing or the path wouldn't stay inside the repository.
    pub fn new(pattern: &str) -> Result<Self, InvalidPath> {
        pattern.replacen("{wave}", "wave", 1).parse::<RepoPath>()?;
        if pattern.matches("{wave}").count() != 1 {
            return Err(InvalidPath(format!("{pattern} (it must name {{wave}} once)")));
        }
        Ok(Self { pattern: pattern.to_owned() })
    }

    /// Returns the files of one wave.
    pub fn files(&self, wave: &WaveName) -> ImageFiles {
        let file = |name: &str| {
            let path = format!("{}/{name}", self.pattern.replacen("{wave}", wave.as_str(), 1));
            path.parse().expect("a checked pattern and a wave's name make a path")
        };
        ImageFiles { tags: file("tags.json"), digests: file("digests.json") }
    }
}

impl Default for Layout {
    fn default() -> Self {
        Self { pattern: DEFAULT_PATH.to_owned() }
    }
}

/// The two files of one wave and set.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageFiles {
    /// Service -> reference by tag.
    pub tags: RepoPath,
    /// Service -> reference by digest.
    pub digests: RepoPath,
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
            Self::Digests => Release::of_canonical_json(&project(images, |image| &image.digest)),
        }
    }
}

/// Writes the contents of both files: sorted keys, two spaces, a final line feed.
pub fn encode_images(images: &ImageMap) -> (Vec<u8>, Vec<u8>) {
    (pretty(&project(images, |image| &image.tag)), pretty(&project(images, |image| &image.digest)))
}

/// Reads both files; `None` where they don't describe the same services or hold something else.
pub fn decode_images(tags: &[u8], digests: &[u8]) -> Option<ImageMap> {
    let mut tags: BTreeMap<ServiceName, String> = serde_json::from_slice(tags).ok()?;
    let digests: BTreeMap<ServiceName, String> = serde_json::from_slice(digests).ok()?;
    if tags.len() != digests.len() {
        return None;
    }
    let images = digests
        .into_iter()
        .map(|(service, digest)| {
            let tag = tags.remove(&service)?;
            Some((service, Image { digest, tag }))
        })
        .collect::<Option<_>>()?;
    Some(ImageMap::new(images))
}

fn project<'a>(
    images: &'a ImageMap,
    field: impl Fn(&'a Image) -> &'a String,
) -> BTreeMap<&'a ServiceName, &'a String> {
    images.iter().map(|(service, image)| (service, field(image))).collect()
}

fn pretty(map: &BTreeMap<&ServiceName, &String>) -> Vec<u8> {
    let mut json = serde_json::to_vec_pretty(map).expect("a map of texts always has a JSON form");
    json.push(b'\n');
    json
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn files_are_sorted_and_round_trip() {
        let images = testing::images(&[("b", 1), ("a", 2)]);
        let (tags, digests) = encode_images(&images);
        let text = String::from_utf8(tags.clone()).unwrap();
        assert!(text.starts_with("{\n  \"a\": ") && text.ends_with("\n}\n"), "{text}");
        assert_eq!(decode_images(&tags, &digests), Some(images));
    }

    #[test]
    fn files_that_disagree_on_the_services_are_no_images() {
        assert_eq!(decode_images(br#"{"a":"x"}"#, br#"{"b":"y"}"#), None);
        assert_eq!(decode_images(br#"{"a":"x"}"#, b"[]"), None);
    }

    #[test]
    fn a_pattern_must_name_the_wave_once_and_stay_inside() {
        assert!(Layout::new("images/{wave}/app").is_ok());
        for bad in ["images", "{wave}/{wave}", "../{wave}", "/images/{wave}"] {
            assert!(Layout::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn equal_digests_under_other_tags_are_one_release_if_asked() {
        let one = testing::images(&[("a", 1)]);
        let retagged = ImageMap::new(
            one.iter().map(|(s, i)| (s.clone(), Image { tag: format!("{}x", i.tag), ..i.clone() })).collect(),
        );
        assert_ne!(one.release(), retagged.release());
        assert_eq!(ReleaseIdentity::Digests.release(&one), ReleaseIdentity::Digests.release(&retagged));
    }
}
