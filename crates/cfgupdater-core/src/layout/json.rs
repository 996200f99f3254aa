//! `tags.json` and `digests.json`: service -> reference, written whole.

use std::collections::BTreeMap;

use crate::image::{Image, ImageMap};
use crate::name::ServiceName;

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

pub(super) fn project<'a>(
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
