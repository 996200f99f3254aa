//! Announcements, the same in the same order for each contender.

use std::collections::BTreeMap;

use cfgupdater::core::{Announcement, Image, ImageMap, encode_images};
use serde_json::{Map, Value, json};

use crate::Result;

/// How many services the image set has.
const SERVICES: u32 = 12;

/// One build of the application.
#[derive(Debug, Clone, Copy)]
pub struct Build(
    /// Its number; another number is another build.
    pub u32,
);

impl Build {
    /// Returns the application's commit.
    pub fn app_sha(self) -> String {
        format!("{:08x}", self.0).repeat(5)
    }

    /// Returns the body of the call that announces it.
    pub fn json(self) -> Value {
        let entry = |service| {
            let (name, image) = self.image(service);
            (name, json!({"Digest": image.digest, "Tag": image.tag}))
        };
        Value::Object((1..=SERVICES).map(entry).collect::<Map<_, _>>())
    }

    /// Returns the announcement as the engine takes it.
    ///
    /// # Errors
    /// Never fails for what is generated here.
    pub fn announcement(self) -> Result<Announcement> {
        let app_sha = self.app_sha().parse()?;
        Ok(Announcement { set: "app".parse()?, app_sha, sequence: None, attempt: 1, images: self.images()? })
    }

    /// Returns `tags.json` and `digests.json` as they are committed.
    ///
    /// # Errors
    /// Never fails for what is generated here.
    pub fn files(self) -> Result<(Vec<u8>, Vec<u8>)> {
        Ok(encode_images(&self.images()?))
    }

    fn images(self) -> Result<ImageMap> {
        let mut images = BTreeMap::new();
        for service in 1..=SERVICES {
            let (name, image) = self.image(service);
            images.insert(name.parse()?, image);
        }
        Ok(ImageMap::new(images))
    }

    fn image(self, service: u32) -> (String, Image) {
        let repository = format!("registry.example.com/service{service}");
        let digest = format!("{:08x}", self.0.wrapping_mul(0x9e37_79b9) ^ service).repeat(8);
        let image = Image {
            digest: format!("{repository}@sha256:{digest}"),
            tag: format!("{repository}:{}", self.app_sha()),
        };
        (format!("Service{service}"), image)
    }
}
